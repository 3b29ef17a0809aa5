"""What a player drives."""

from collections.abc import Sequence
from typing import Protocol

from ghostos.prototypes.spherogpt.bolt._colors import Picture
from ghostos.prototypes.spherogpt.bolt._contracts import Sensors
from ghostos.prototypes.spherogpt.bolt._course import Feeling, Handling

__all__ = ["Platform"]


class Platform(Protocol):
    """A ball that can be driven: a simulated one, or one behind a radio. None of its methods waits."""

    @property
    def handling(self) -> Handling:
        """How it is to be steered."""
        ...

    def step(self, *, heading: float, speed: float, picture: Picture) -> Sequence[Feeling]:
        """Drive it for `STEP_S`, at a speed of 0 standing and looking at the heading; return what it felt."""
        ...

    def sensors(self) -> Sensors:
        """Return what it feels."""
        ...

    def aim(self, degrees: float) -> None:
        """Have ahead be so far to the right of where it looks, and what it is at be (0, 0)."""
        ...

    def find_fault(self) -> str | None:
        """Return why it cannot be driven now, and what to do; None: it can."""
        ...
