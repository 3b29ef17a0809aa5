"""Iterators of the host, as confined code reads them: the first item alone, then more and more at a time."""

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

__all__ = ["HostIterator"]

_MAX_BATCH: Final = 64


class _Left:
    """What of an iterator is not read yet.

    Attributes:
        items: That came, as nodes.
        is_over: Whether the host has no more.
    """

    __slots__ = ("is_over", "items")

    def __init__(self) -> None:
        self.items: deque[Any] = deque()
        self.is_over = False


class HostIterator(Iterator[object]):
    """An iterator of the host. It asks for one item, and then for twice as many each time: code may stop early.

    Args:
        ask: Asks the host for so many items: their nodes, and whether there are no more.
        read: Makes a node a value.
        give_up: Called when nobody has this any more, maybe in the middle of anything: with the nodes that came and
            were not read, and whether the host has no more.
    """

    def __init__(
        self,
        ask: Callable[[int], tuple[list[Any], bool]],
        read: Callable[[Any], object],
        *,
        give_up: Callable[[list[Any], bool], object],
    ) -> None:
        self._ask = ask
        self._read = read
        self._left = _Left()
        self._count = 1
        weakref.finalize(self, _end, self._left, give_up).atexit = False

    def __next__(self) -> object:
        left = self._left
        while not left.items:
            if left.is_over:
                raise StopIteration
            try:
                items, left.is_over = self._ask(self._count)
            except Exception:
                left.is_over = True
                raise
            left.items.extend(items)
            self._count = min(2 * self._count, _MAX_BATCH)
        return self._read(left.items.popleft())


def _end(left: _Left, give_up: Callable[[list[Any], bool], object]) -> None:
    give_up([*left.items], left.is_over)
