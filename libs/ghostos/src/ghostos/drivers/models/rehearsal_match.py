"""How what a user said is compared with what was recorded."""

import re

__all__ = ["NO_FIT", "Fit", "is_pattern", "measure_fit", "normalise"]

Fit = tuple[int, int]
"""How well a phrase fits, greater is better: 3 exactly, 2 its words in a row, 1 as a pattern; then its length."""

NO_FIT: Fit = (0, 0)

_PATTERN = re.compile(r"/.+/", re.DOTALL)


def is_pattern(phrase: str) -> bool:
    """Return whether a phrase is a /regular expression/."""
    return _PATTERN.fullmatch(phrase) is not None


def normalise(text: str) -> str:
    """Return the words of a text, one space between them: case, punctuation and white space do not count."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "").replace("’", "")))


def measure_fit(phrase: str, *, text: str) -> Fit:
    """Return how well a phrase fits a text."""
    if is_pattern(phrase):
        return (1, 0) if re.search(phrase[1:-1], text, re.IGNORECASE) else NO_FIT
    wanted, words = normalise(phrase), normalise(text)
    if wanted == words:
        return 3, 0
    return (2, len(wanted)) if f" {wanted} " in f" {words} " else NO_FIT
