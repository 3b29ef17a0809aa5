"""How bodies are now: they say it themselves, clients look, and may drag what a body lets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ghostos.core.body_state import BodyState
from ghostos.core.styled_text import StyledLine

__all__ = ["BodyDrawing", "BodyFeed", "BodyHandle", "BodyHandles", "BodyNews"]


class BodyDrawing(Protocol):
    """Draws a kind of body. The same state gives the same picture, on any thread."""

    def draw_svg(self, state: BodyState) -> str:
        """Return one `<svg>` element with a `viewBox`; texts in it are escaped, nothing is loaded from elsewhere."""
        ...

    def draw_lines(self, state: BodyState, *, rows: int, has_color: bool) -> Sequence[StyledLine]:
        """Return a picture for terminals.

        Args:
            state: What is drawn.
            rows: How many lines it may have.
            has_color: Whether colours are shown; else characters must do.

        Returns:
            Lines of one width, that of a terminal's 80 columns at most; none where it does not fit into the rows.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyHandle:
    """Something in the picture of a body that people can drag; all lengths in the units of the picture's `viewBox`.

    Attributes:
        id: What it is moved by: stays the same while it is dragged.
        label: What it is called for people, those too who do not see it: `obstacle 1`.
        x, y: Its middle.
        width, height: How large it is.
    """

    id: str
    label: str
    x: float
    y: float
    width: float
    height: float


class BodyHandles(Protocol):
    """What people can drag in the picture that a `BodyDrawing` makes. Its methods are for any thread, and quick."""

    def list_handles(self, state: BodyState) -> Sequence[BodyHandle]:
        """Return what can be dragged in the picture of a state; each stays in its place of the list."""
        ...

    def move_handle(self, handle_id: str, *, x: float, y: float) -> None:
        """Put something elsewhere, and publish the state that comes of it.

        Args:
            handle_id: One of those listed last.
            x: Where its middle is to be, in the units of the picture's `viewBox`. What is farther than it may go is as
                far as it may.
            y: Likewise.

        Raises:
            BodyHandleError: It cannot be put anywhere near.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyNews:
    """How all bodies are.

    Attributes:
        number: Rises with each state that a body tells.
        states: One for each body, in the order in which they came.
    """

    number: int
    states: tuple[BodyState, ...]

    @property
    def is_busy(self) -> bool:
        """Whether one of them moves, or has something queued."""
        return any(state.is_busy for state in self.states)


class BodyFeed(Protocol):
    """The bodies of an application. All methods are for any thread; none but `wait`, `await_news` and `stop` waits."""

    @property
    def stream(self) -> str:
        """What the numbers count in: another one in each process."""
        ...

    def open(
        self,
        name: str,
        *,
        stop: Callable[[], object],
        drawing: BodyDrawing | None = None,
        handles: BodyHandles | None = None,
        driver: Callable[[], str | None] | None = None,
    ) -> str:
        """Add a body.

        Args:
            name: What it is called.
            stop: Has it stand still, at once. It is called on a thread of its own, and by nobody else meanwhile.
            drawing: Draws it. None: it is shown as its line of text.
            handles: Knows what people can drag in that picture. None: nothing.
            driver: Says which thread drives it now, by name; None where none does. Left out: any thread may.

        Returns:
            What it is called here: with a number where another one is called so.
        """
        ...

    def close(self, name: str) -> None:
        """Take a body away. Harmless twice."""
        ...

    def publish(self, state: BodyState) -> None:
        """Say how a body is now: what was said before is forgotten. At most 20 times a second.

        A body that is not open, or not any more, is not heard.

        Raises:
            TypeError: Its data is not JSON.
        """
        ...

    def look(self) -> BodyNews:
        """Return how all bodies are."""
        ...

    def wait(self, *, after: int, timeout_s: float) -> BodyNews:
        """Return how all bodies are, once one of them has said something after a number, or time is up."""
        ...

    async def await_news(self, *, after: int, timeout_s: float) -> BodyNews:
        """`wait` for the running event loop, whichever that is."""
        ...

    def find_drawing(self, name: str) -> BodyDrawing | None:
        """Return what draws a body."""
        ...

    def list_handles(self, name: str) -> Sequence[BodyHandle]:
        """Return what people can drag in the picture of a body as it is now; empty where that is nothing.

        Raises:
            BodyHandleError: No body is called so.
        """
        ...

    def move_handle(self, name: str, handle_id: str, *, x: float, y: float) -> None:
        """Drag something in the picture of a body.

        Args:
            name: Of the body.
            handle_id: One of `list_handles`.
            x: Where its middle is to be, in the units of the picture's `viewBox`.
            y: Likewise.

        Raises:
            BodyHandleError: There is no such body, nothing in it that is called so, a number is not finite, or it
                cannot be put there.
        """
        ...

    def stop(self, *, driver: str | None = None) -> None:
        """Have bodies stand still, at once: all are told at the same time, and waited for a second at the most.

        Args:
            driver: Only those that this thread drives, or may. None: all.

        Raises:
            ExceptionGroup: What bodies raised, after all were told; a `TimeoutError` names one that hangs.
        """
        ...
