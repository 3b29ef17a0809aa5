"""What waits to be sent to one page."""

import asyncio
from typing import Final

__all__ = ["Outbox", "OverflowedError"]

_MAX_BYTES: Final = 64 * 1024 * 1024
_LITTLE_BYTES: Final = 1024 * 1024
"""Behind so little a single item may be larger than all that may wait: it could never be sent else."""
_ROOM_BYTES: Final = 8 * 1024 * 1024


class OverflowedError(Exception):
    """A page has not taken what it was sent for so long that no more is kept for it: it may come again."""


class Outbox:
    """Items for one page, in order; of some only the last is kept. For one event loop."""

    def __init__(self) -> None:
        self._items: list[bytes] = []
        self._latest: dict[str, bytes] = {}
        self._size = 0
        self._has_news = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def put(self, item: bytes) -> None:
        """Add an item, of any size.

        Raises:
            OverflowedError: Too much waits already.
        """
        if self._size > _MAX_BYTES or (self._size > _LITTLE_BYTES and self._size + len(item) > _MAX_BYTES):
            raise OverflowedError
        self._size += len(item)
        if self._size > _ROOM_BYTES:
            self._has_room.clear()
        self._items.append(item)
        self._has_news.set()

    def replace(self, slot: str, item: bytes) -> None:
        """Add an item, in the place of the one that waits in the same slot. It is sent after all the others."""
        self._latest[slot] = item
        self._has_news.set()

    async def await_room(self) -> None:
        """Wait until little waits: for who has more to add than may wait, and can wait itself."""
        await self._has_room.wait()

    async def take(self) -> list[bytes]:
        """Return everything that waits, once something does."""
        await self._has_news.wait()
        return self.take_all()

    def take_all(self) -> list[bytes]:
        """Return everything that waits."""
        self._has_news.clear()
        self._has_room.set()
        taken = [*self._items, *self._latest.values()]
        self._items, self._latest, self._size = [], {}, 0
        return taken
