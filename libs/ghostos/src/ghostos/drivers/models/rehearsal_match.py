"""How what a user said is compared with what was recorded."""

import re
from dataclasses import dataclass
from typing import Self

__all__ = ["NO_FIT", "Fit", "Phrase", "normalise"]

Fit = tuple[int, int]
"""How well a phrase fits, greater is better: 3 exactly, 2 its words in a row, 1 as a pattern; then its length."""

NO_FIT: Fit = (0, 0)

_PATTERN = re.compile(r"/(.+)/", re.DOTALL)


def normalise(text: str) -> str:
    """Return the words of a text, one space between them: case, punctuation and white space do not count."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "").replace("’", "")))


@dataclass(frozen=True, slots=True)
class Phrase:
    """One entry of a scene's `when`, made ready for comparing.

    Attributes:
        text: As it stands in the file.
        words: Its words; "" for a pattern.
        pattern: Of a /regular expression/; None for words.
    """

    text: str
    words: str
    pattern: re.Pattern[str] | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the phrase that a text stands for.

        Raises:
            ValueError: It has no word in it, or is no regular expression.
        """
        found = _PATTERN.fullmatch(text)
        if found is None:
            words = normalise(text)
            if not words:
                raise ValueError(f"{text!r} has no word in it")
            return cls(text, words, None)
        try:
            return cls(text, "", re.compile(found[1], re.IGNORECASE))
        except re.error as exc:
            raise ValueError(f"{text} is no regular expression: {exc}") from exc

    def measure_fit(self, text: str, *, words: str) -> Fit:
        """Return how well it fits a text, whose `normalise`d words are given too."""
        if self.pattern is not None:
            return (1, 0) if self.pattern.search(text) else NO_FIT
        if self.words not in words:  # most often, and quick to see: a thread is followed from its beginning each time
            return NO_FIT
        if self.words == words:
            return 3, 0
        return (2, len(self.words)) if f" {self.words} " in f" {words} " else NO_FIT
