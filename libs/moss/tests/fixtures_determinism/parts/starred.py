"""Imported with a star, without __all__."""

from .defaults import Plain
from .types import Node


def zebra(node: Node) -> Plain: ...
def apple(words: set[str] = {"q", "w", "e"}) -> None: ...


class Mango:
    """Fruit."""

    def eat(self) -> "Mango": ...


LIMITS = {"low", "high", "middle"}
_hidden = 1
