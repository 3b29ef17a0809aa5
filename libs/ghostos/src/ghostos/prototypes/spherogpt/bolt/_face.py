"""What the 64 lights show at each moment: an animation, turned and dimmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, overload

from ghostos.prototypes.spherogpt.bolt._colors import OFF, SIZE, Color, Picture, parse_color, parse_frame
from ghostos.prototypes.spherogpt.bolt._contracts import Animation
from ghostos.prototypes.spherogpt.bolt._font import draw_text

__all__ = ["BLANK", "Face", "Film", "make_film", "make_letter", "make_scroll"]

BLANK: Final[Picture] = ((OFF,) * SIZE,) * SIZE
_BLANK_COLUMN: Final = (OFF,) * SIZE
_MAX_LETTERS: Final = 500
_MAX_COLUMNS: Final = 6 * _MAX_LETTERS


@dataclass(frozen=True, slots=True)
class Film:
    """Pictures that follow each other.

    Attributes:
        pictures: One after the other.
        fps: How many a second.
        repeats: How often all of them; 0 is without end.
    """

    pictures: Sequence[Picture] = (BLANK,)
    fps: float = 1
    repeats: int = 1

    def at(self, seconds: float) -> Picture:
        """Return the picture so long after its beginning."""
        number = self._number(seconds)
        if self.repeats and number >= self.repeats * len(self.pictures):
            return self.pictures[-1]
        return self.pictures[number % len(self.pictures)]

    def find_next(self, seconds: float) -> float | None:
        """Return how long after its beginning the next picture comes; None: no other comes."""
        following = self._number(seconds) + 1
        is_over = len(self.pictures) == 1 or (self.repeats and following >= self.repeats * len(self.pictures))
        return None if is_over else following / self.fps

    def _number(self, seconds: float) -> int:
        return int(max(0.0, seconds) * self.fps + 1e-9)


class _Windows(Sequence[Picture]):
    """What of a text is to be seen as it runs through, from right to left; cut when it is asked for."""

    def __init__(self, columns: Sequence[Sequence[Color]]) -> None:
        blank = [_BLANK_COLUMN] * SIZE
        self._columns = [*blank, *columns, *blank]

    def __len__(self) -> int:
        return len(self._columns) - SIZE + 1

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Picture]: ...
    def __getitem__(self, index: int | slice) -> Picture | Sequence[Picture]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        return _from_columns(self._columns[at : at + SIZE])


def make_film(animation: Animation) -> Film:
    """Return what an animation is."""
    palette = {letter: parse_color(color) for letter, color in animation.palette.items()}
    pictures = [parse_frame(frame, palette=palette) for frame in animation.frames]
    return Film(pictures, animation.fps, animation.repeats)


def make_scroll(text: str, *, color: Color, fps: float) -> Film:
    """Return a text that runs through, from right to left.

    Raises:
        ValueError: It is too long. One letter may be drawn as several.
    """
    columns = draw_text(text, color=color) if len(text) <= _MAX_LETTERS else []
    if len(text) > _MAX_LETTERS or len(columns) > _MAX_COLUMNS:
        raise ValueError(f"A text has at most {_MAX_LETTERS} letters: show a shorter one.")
    return Film(_Windows(columns), fps)


def make_letter(letter: str, *, color: Color) -> Film:
    """Return one letter in the middle."""
    drawn = draw_text(letter, color=color)[:SIZE]
    left = (SIZE - len(drawn)) // 2
    return Film([_from_columns([_BLANK_COLUMN] * left + drawn + [_BLANK_COLUMN] * (SIZE - left - len(drawn)))])


class Face:
    """Films are made before: nothing here fails, or takes long. Not for several threads at once."""

    def __init__(self) -> None:
        self._film = Film()
        self._began_at = 0.0
        self._turns = 0
        self._brightness = 1.0

    def show(self, film: Film, *, now: float) -> None:
        """Begin a film."""
        self._film, self._began_at = film, now

    def clear(self) -> None:
        """Show nothing."""
        self._film = Film()

    def rotate(self, degrees: float) -> None:
        """Turn what is shown to the right, from now on.

        Raises:
            ValueError: It is no multiple of 90.
        """
        if degrees % 90:
            raise ValueError(f"The face turns by 0, 90, 180 or 270 degrees, not by {degrees}.")
        self._turns = int(degrees) // 90 % 4

    def dim(self, percent: float) -> None:
        """Set the brightness.

        Raises:
            ValueError: It is not from 0 to 100.
        """
        share = float(percent) / 100
        if not 0 <= share <= 1:
            raise ValueError(f"Brightness is 0 to 100, not {percent:g}.")
        self._brightness = share

    def picture(self, now: float) -> Picture:
        """Return what the lights show."""
        picture = self._film.at(now - self._began_at)
        for _ in range(self._turns):
            picture = tuple(zip(*picture[::-1], strict=True))
        if self._brightness == 1:
            return picture
        return tuple(tuple(_dim(color, self._brightness) for color in row) for row in picture)

    def find_next(self, now: float) -> float | None:
        """Return when the next picture comes; None: no other comes."""
        following = self._film.find_next(now - self._began_at)
        return None if following is None else self._began_at + following


def _from_columns(columns: Sequence[Sequence[Color]]) -> Picture:
    return tuple(zip(*columns, strict=True))


def _dim(color: Color, share: float) -> Color:
    red, green, blue = color
    return round(red * share), round(green * share), round(blue * share)
