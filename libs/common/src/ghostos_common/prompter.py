"""Objects and classes that describe themselves to a model, and trees of prompt text."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from ghostos_common.errors import PromptError

__all__ = ["PromptAbleClass", "PromptAbleObj", "PromptNode", "find_prompt"]

MAX_HEADING = 6


class PromptAbleClass(ABC):
    """A class that writes its own prompt; where a class is reflected for a model, this text stands for it."""

    @classmethod
    @abstractmethod
    def __class_prompt__(cls) -> str:
        """The text that a model reads about the class. Empty: the model is not told of it."""


class PromptAbleObj(ABC):
    """An object that writes its own prompt."""

    @abstractmethod
    def __prompt__(self) -> str:
        """The text that a model reads about this object. Empty: the model is not told of it."""


def find_prompt(value: object) -> str | None:
    """The prompt that a class or an object writes about itself.

    Classes are asked for `__class_prompt__`, anything else for `__prompt__`; inheriting from `PromptAbleClass` or
    `PromptAbleObj` is not required. What the method itself raises comes through.

    Returns:
        The text, which may be empty; None if there is no such method, or only the abstract one.

    Raises:
        PromptError: The method returned something else than text.
    """
    name = "__class_prompt__" if isinstance(value, type) else "__prompt__"
    owner = cast("object", value if isinstance(value, type) else type(value))
    if not callable(getattr(owner, name, None)):
        return None
    method = cast("Callable[[], object]", getattr(value, name))
    if getattr(method, "__isabstractmethod__", False):
        return None
    text = method()
    if not isinstance(text, str):
        message = f"{getattr(owner, '__qualname__', owner)}.{name}() returned {type(text).__name__}: return a str."
        raise PromptError(message)
    return text


@dataclass(frozen=True, slots=True)
class PromptNode:
    """A part of a prompt: a heading, text below it, and parts below that.

    Attributes:
        title: The heading, put on one line. Empty: the part has none, and its children stand at its own level.
        text: Markdown. Blank lines around it are dropped, those inside it are kept.
        children: Kept as a tuple.
    """

    title: str = ""
    text: str = ""
    children: Sequence["PromptNode"] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "children", tuple(self.children))

    def render(self, *, level: int = 1) -> str:
        """Markdown with exactly one blank line between parts; empty if there is no text anywhere in the tree.

        A node without text and without a child that has some vanishes, its title too. The same tree gives the same
        text.

        Args:
            level: Heading level of this node; its children are one deeper. Headings deeper than 6 are written as 6.

        Raises:
            PromptError: `level` is below 1.
        """
        if level < 1:
            message = f"Headings start at level 1, not {level}: pass level=1 or more."
            raise PromptError(message)
        return "\n\n".join(_parts(self, level))


def _parts(node: PromptNode, level: int) -> list[str]:
    heading = " ".join(node.title.split())
    below = level + 1 if heading else level
    text = _without_blank_edges(node.text)
    parts = [text] if text else []
    for child in node.children:
        parts.extend(_parts(child, below))
    if parts and heading:
        parts.insert(0, f"{'#' * min(level, MAX_HEADING)} {heading}")
    return parts


def _without_blank_edges(text: str) -> str:
    """Drops blank lines at both ends; the indent of the first line that has text is kept."""
    lines = text.rstrip().splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    return "\n".join(lines[first:])
