"""What the 64 lights show at each moment: an animation, turned and dimmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ghostos.prototypes.spherogpt.bolt._colors import OFF, SIZE, Color, Picture, parse_color, parse_frame
from ghostos.prototypes.spherogpt.bolt._contracts import Animation
from ghostos.prototypes.spherogpt.bolt._font import draw_text

__all__ = ["BLANK", "Face"]

BLANK: Final[Picture] = ((OFF,) * SIZE,) * SIZE


@dataclass(frozen=True, slots=True)
class _Film:
    """Pictures that follow each other.

    Attributes:
        pictures: One after the other.
        fps: How many a second.
        repeats: How often all of them; 0 is without end.
        began_at: When, seconds.
    """

    pictures: Sequence[Picture] = (BLANK,)
    fps: float = 1
    repeats: int = 1
    began_at: float = 0

    def at(self, moment: float) -> Picture:
        number = int(max(0.0, moment - self.began_at) * self.fps + 1e-9)
        if self.repeats and number >= self.repeats * len(self.pictures):
            return self.pictures[-1]
        return self.pictures[number % len(self.pictures)]

    def ends_at(self) -> float | None:
        """When its last picture has come; None without end."""
        return self.began_at + (self.repeats * len(self.pictures) - 1) / self.fps if self.repeats else None


class Face:
    """Not for several threads at once."""

    def __init__(self) -> None:
        self._film = _Film()
        self._turns = 0
        self._brightness = 1.0

    def play(self, animation: Animation, *, now: float) -> None:
        """Begin an animation."""
        palette = {letter: parse_color(color) for letter, color in animation.palette.items()}
        pictures = [parse_frame(frame, palette=palette) for frame in animation.frames]
        self._film = _Film(pictures, animation.fps, animation.repeats, now)

    def scroll(self, text: str, *, color: Color, fps: float, now: float) -> None:
        """Begin to let a text run through, from right to left."""
        columns = [(OFF,) * SIZE] * SIZE + draw_text(text, color=color) + [(OFF,) * SIZE] * SIZE
        windows = [columns[at : at + SIZE] for at in range(len(columns) - SIZE + 1)]
        self._film = _Film([_from_columns(window) for window in windows], fps, 1, now)

    def show_letter(self, letter: str, *, color: Color, now: float) -> None:
        """Show one letter in the middle."""
        drawn = draw_text(letter, color=color)[:SIZE]
        left = (SIZE - len(drawn)) // 2
        blank = (OFF,) * SIZE
        columns = [blank] * left + drawn + [blank] * (SIZE - left - len(drawn))
        self._film = _Film([_from_columns(columns)], 1, 1, now)

    def clear(self) -> None:
        """Show nothing."""
        self._film = _Film()

    def rotate(self, degrees: int) -> None:
        """Turn what is shown to the right, from now on.

        Raises:
            ValueError: It is no multiple of 90.
        """
        if degrees % 90:
            raise ValueError(f"The face turns by 0, 90, 180 or 270 degrees, not by {degrees}.")
        self._turns = degrees // 90 % 4

    def dim(self, percent: float) -> None:
        """Set the brightness.

        Raises:
            ValueError: It is not from 0 to 100.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"Brightness is 0 to 100, not {percent:g}.")
        self._brightness = percent / 100

    def picture(self, now: float) -> Picture:
        """Return what the lights show."""
        picture = self._film.at(now)
        for _ in range(self._turns):
            picture = tuple(zip(*picture[::-1], strict=True))
        if self._brightness == 1:
            return picture
        return tuple(tuple(_dim(color, self._brightness) for color in row) for row in picture)

    def is_moving(self, now: float) -> bool:
        """Whether another picture is still to come."""
        ends_at = self._film.ends_at()
        return len(self._film.pictures) > 1 and (ends_at is None or now < ends_at)


def _from_columns(columns: Sequence[Sequence[Color]]) -> Picture:
    return tuple(zip(*columns, strict=True))


def _dim(color: Color, share: float) -> Color:
    red, green, blue = color
    return round(red * share), round(green * share), round(blue * share)
