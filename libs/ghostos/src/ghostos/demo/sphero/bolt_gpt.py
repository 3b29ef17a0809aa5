# <moss-hide>
"""A robot ball with a face: it moves while it talks, shows what it feels, and learns moves by being told how.

The ball is simulated, in an arena of 2.4 by 2.4 metres, with two boxes that can be dragged about on the page. What it
learns is kept in the workspace, in `learned/SpheroBoltGPT.json`: over restarts, for all threads. That file is what it
has learned: copy it to hand it on, put another in its place, or add the moves of another one to it with
`Skills(path).import_from(other)`.
"""
# What a model shall have stands in the middle, and is imported for it:
# ruff: noqa: E402, F401
# pyright: reportUnusedImport=false

from collections.abc import Iterable
from typing import Any

from ghostos.ghosts.moss_agent import MossAgent

# </moss-hide>
from ghostos.prototypes.spherogpt.bolt import Animation, Ball, LedMatrix, Move, RollFunc, Sensors
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    face: LedMatrix


# <moss-hide>
# This part runs like the rest; a model is not shown it. Beside this file lies the rehearsal that plays without a key.
from ghostos.prototypes.spherogpt.bolt import Arena, Box, kept_in_workspace, simulated_bolt
from ghostos_container import Provider

ARENA = Arena(width=240, depth=240, boxes=[Box(-100, 50, -70, 80), Box(82, -80, 112, -50)])
"""The boxes stand where no scene of the rehearsal comes to from the middle."""

__ghost__ = MossAgent(
    __name__,
    name="SpheroBoltGPT",
    description="A robot ball with a face that moves while it talks, and learns.",
    persona=(
        "You are SpheroBoltGPT, a small robot ball: curious, warm, of few words. You show what you feel by your body "
        "and face while you talk, with a learned move where one fits. What you are taught you save as a move."
    ),
)


def __matrix_providers__() -> Iterable[Provider[Any]]:
    return simulated_bolt(ARENA, skills=kept_in_workspace("SpheroBoltGPT"))


# </moss-hide>
