"""A recorded conversation that plays where no model is configured. It says that it is one, and understands nothing."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ghostos.core.prompt import AssetMessage, ModelDelta, Prompt, PromptMessage
from ghostos.drivers.models.pieces import split_pieces
from ghostos.drivers.models.rehearsal_file import (
    RehearsalFile,
    Round,
    Scene,
    check_rehearsal,
    find_rehearsal,
    read_rehearsal,
)
from ghostos.drivers.models.rehearsal_match import NO_FIT, Fit, Phrase, normalise

__all__ = ["Rehearsal", "RehearsalModel", "check_rehearsal", "find_rehearsal", "load_rehearsal"]

OUTPUT_MARK = "<moss-output"
STATE_MARK = "<moss-state"
APPROVAL_MARK = "<moss-approval"
"""Begins the message, if any, that a prompt ends with: what changes between rounds. A rehearsal does not hear it."""

_OFFERED = 5
_OUTPUT = re.compile(r'\A<moss-output(?:\s+status="(?P<status>\w+)")?[^>]*>(?P<text>.*?)(?:</moss-output>)?\s*\Z', re.S)
_HONEST = "This is a rehearsal: nothing reads what you write, only recorded phrases are answered."
_SCENE_ENDS = "The recorded scene ends here."


@dataclass(slots=True)
class _Place:
    """Where a thread stands in its rehearsal.

    Attributes:
        played: Scenes of which every round came.
        begun: Scenes of which the first round came, once for each time, oldest first.
        scene: The scene that plays; None before one began, and where nothing matched.
        next_round: The round of it that comes next.
        stop: Why the scene cannot go on; "" while it can.
    """

    played: set[str] = field(default_factory=set)
    begun: list[str] = field(default_factory=list)
    scene: Scene | None = None
    next_round: int = 0
    stop: str = ""


class Rehearsal:
    """What was recorded for one target."""

    def __init__(self, content: RehearsalFile) -> None:
        self._otherwise = content.otherwise
        self._scenes = [(scene, [Phrase.parse(text) for text in scene.when]) for scene in content.scenes]

    def phrases(self) -> list[str]:
        """Return what can be said at the beginning: `phrases_for` a thread that is empty."""
        return self.phrases_for(())

    def phrases_for(self, messages: Sequence[PromptMessage]) -> list[str]:
        """Return up to five phrases that would be answered next, each by another scene.

        First come those of scenes that the thread has not begun, then those whose scene it began longest ago; among
        equals the file's offer comes first, then its scenes in their order.

        Args:
            messages: The thread, as `reply` takes it; what the last one says may be unanswered.
        """
        return self._choose_phrases(self._find_place(messages))

    def reply(self, messages: Sequence[PromptMessage]) -> str:
        """Return what comes next in a thread: derived from its messages alone, so that it holds after a restart."""
        place = self._find_place(messages)
        if place.stop:
            return place.stop
        if place.scene is None:
            return self._decline(place)
        if place.next_round >= len(place.scene.rounds):
            return _SCENE_ENDS
        return _render(place.scene.rounds[place.next_round])

    def _find_place(self, messages: Sequence[PromptMessage]) -> _Place:
        place = _Place()
        before = ""
        for message in messages:
            if isinstance(message, AssetMessage):  # which goes with what was said, or put out, before
                continue
            if message.role != "assistant" or before != "assistant":  # one reply may be several messages
                self._follow(place, message)
            before = message.role
        return place

    def _follow(self, place: _Place, message: PromptMessage) -> None:
        if message.role == "assistant":
            if place.scene is not None and not place.stop:
                if place.next_round == 0:
                    place.begun.append(place.scene.id)
                place.next_round += 1
                if place.next_round == len(place.scene.rounds):
                    place.played.add(place.scene.id)
        elif message.role == "user" and message.content.startswith(OUTPUT_MARK):
            if place.scene is not None and not place.stop and place.next_round > 0:
                place.stop = _check_output(place.scene.rounds, played=place.next_round, output=message.content)
        elif message.role == "user" and not message.content.startswith((STATE_MARK, APPROVAL_MARK)):
            place.scene = self._match(message.content, played=place.played)
            place.next_round = 0
            place.stop = ""

    def _match(self, text: str, *, played: set[str]) -> Scene | None:
        """Return the scene that answers: by the exact phrase, else by its words in a row, else by a pattern.

        Of several the longest phrase decides, then the most needs, then the order of the file.
        """
        words = normalise(text)
        best: tuple[tuple[Fit, int], Scene] | None = None
        for scene, phrases in self._scenes:
            if played.issuperset(scene.needs):
                fit = max(phrase.measure_fit(text, words=words) for phrase in phrases)
                if fit != NO_FIT and (best is None or (fit, len(scene.needs)) > best[0]):
                    best = ((fit, len(scene.needs)), scene)
        return best[1] if best else None

    def _choose_phrases(self, place: _Place) -> list[str]:
        offered: dict[str, str] = {}  # by the id of the scene that would answer
        for text in self._otherwise.offer:
            self._offer(text, offered=offered, played=place.played)
        for scene, phrases in self._scenes:
            for phrase in phrases:
                if phrase.pattern is None and scene.id not in offered:
                    self._offer(phrase.text, offered=offered, played=place.played)
        last_begun = {scene_id: number for number, scene_id in enumerate(place.begun)}
        in_order = sorted(offered, key=lambda scene_id: last_begun.get(scene_id, -1))
        return [offered[scene_id] for scene_id in in_order[:_OFFERED]]

    def _offer(self, text: str, *, offered: dict[str, str], played: set[str]) -> None:
        """Add a phrase under the scene that would answer it now, if one would and has no phrase yet."""
        scene = self._match(text, played=played)
        if scene is not None:
            offered.setdefault(scene.id, text)

    def _decline(self, place: _Place) -> str:
        said = self._otherwise.say.strip()
        offer = "\n".join(f"- {phrase}" for phrase in self._choose_phrases(place))
        return "\n\n".join(
            part for part in (said, f"{_HONEST} Try one of these:\n{offer}" if offer else _HONEST) if part
        )


class RehearsalModel:
    """Plays a rehearsal in the place of a model.

    Args:
        rehearsal: What was recorded.
        delay_s: Wait before each word, seconds.
    """

    def __init__(self, rehearsal: Rehearsal, *, delay_s: float = 0.02) -> None:
        self._rehearsal = rehearsal
        self._delay_s = delay_s

    @property
    def label(self) -> str:
        """What interfaces call it."""
        return "rehearsal"

    @property
    def is_rehearsal(self) -> bool:
        """Always."""
        return True

    @property
    def rehearsal(self) -> Rehearsal:
        """What it plays; its phrases can be offered to the user."""
        return self._rehearsal

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        """Yield what was recorded, word by word, then `done`. There is no usage: no model was called."""
        for piece in split_pieces(self._rehearsal.reply(prompt.messages)):
            if self._delay_s > 0:
                await asyncio.sleep(self._delay_s)
            yield ModelDelta(kind="text", text=piece)
        yield ModelDelta(kind="done")

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def load_rehearsal(path: Path) -> Rehearsal:
    """Read a rehearsal.

    Raises:
        ConfigError: It is no rehearsal; the message has the line.
    """
    return Rehearsal(read_rehearsal(path))


def _check_output(rounds: Sequence[Round], *, played: int, output: str) -> str:
    """Return why a scene stops after the output of its last played round; "" where it goes on."""
    if played > len(rounds):
        return _SCENE_ENDS
    expected = rounds[played - 1].expect
    found = _OUTPUT.match(output)
    text = found["text"] if found else output
    status = found["status"] if found else None
    if expected is not None and expected not in text:
        return (
            f"The rehearsal stops here: it was recorded with an output that has {expected!r} in it; this one has not."
        )
    if expected is None and status not in (None, "ok"):
        return f"The rehearsal stops here: it was recorded with code that ran; this time the status is '{status}'."
    return ""


def _render(played: Round) -> str:
    code = f"<moss>\n{played.code.strip(chr(10))}\n</moss>" if played.code is not None else ""
    return "\n\n".join(part for part in (played.say.strip(), code) if part)
