"""A ball for ghosts: one ball, and a body for each that drives it, so that two of them do not drive it at once."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ghostos.contracts.session import Session
from ghostos.prototypes.spherogpt.bolt._bolt import PlayedBall
from ghostos.prototypes.spherogpt.bolt._contracts import Ball, LedMatrix
from ghostos.prototypes.spherogpt.bolt._player import Player
from ghostos.prototypes.spherogpt.bolt._skills import Skills
from ghostos_container import Container, Provider, provide

__all__ = ["provide_bolt"]


class _Bolt(Protocol):
    @property
    def player(self) -> Player: ...

    @property
    def skills(self) -> Skills: ...

    @property
    def face(self) -> LedMatrix: ...


_Kind = TypeVar("_Kind", bound=_Bolt)


def provide_bolt(kind: type[_Kind], make: Callable[[Container], _Kind]) -> list[Provider[Any]]:
    """Return the providers of a ball, of its body and of its face.

    Args:
        kind: What makes it a ball of its own: there is one of each kind.
        make: Makes it, when it is first asked for.
    """

    def make_body(container: Container) -> Ball:
        bolt = container.force_fetch(kind)
        holder = container.force_fetch(Session).task.name if container.bound(Session) else ""
        return PlayedBall(bolt.player, skills=bolt.skills, holder=holder)

    return [
        provide(kind)(make),
        provide(Ball, singleton=False)(make_body),
        provide(LedMatrix)(lambda container: container.force_fetch(kind).face),
    ]
