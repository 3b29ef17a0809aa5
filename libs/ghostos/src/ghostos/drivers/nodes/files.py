"""Nodes of a workspace: each has a locked file and a socket in it, and looks now and then at what was committed."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from ghostos.contracts.nodes import OnWake
from ghostos.contracts.store import Store
from ghostos.core.clock import utc_now
from ghostos.core.node import Node
from ghostos.core.task import Owner
from ghostos.drivers.nodes.datagrams import EVERYTHING, encode
from ghostos.drivers.nodes.presence import Presence
from ghostos.drivers.store.lock_files import LockFile, find_lock, take_unlocked
from ghostos.drivers.store.owner import current_owner, is_alive, is_visible, parse_owner
from ghostos.errors import GhostOSError, UsageError

__all__ = ["FileNodes"]

_logger = logging.getLogger(__name__)

CHECK_EVERY_S = 1.0
_TELL_AGAIN_S = 0.05


class FileNodes:
    """`Nodes` by files in a folder, for one loop. Several may be at work in one process; to each other they are nodes.

    Each second it sees whether another process has committed anything, whether a node has died, and whether its own
    files are still there. A dead node's leases are ended, so that its tasks are free at once for everybody.

    Args:
        folder: Where the files are; see `Workspace.nodes`.
        store: The workspace's.
        owner: Whose leases the process takes; this process by default.
        clock: Tells the time; aware.
    """

    def __init__(
        self, folder: Path, *, store: Store, owner: Owner | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._folder = folder
        self._store = store
        self._owner = owner or current_owner()
        self._clock = clock
        self._on_wake: OnWake | None = None
        self._presence: Presence | None = None
        self._started_at = clock()
        self._commits = 0
        self._announced: dict[str, None] = {}
        self._telling: asyncio.Handle | None = None
        self._telling_again: asyncio.TimerHandle | None = None
        self._checking: asyncio.Task[None] | None = None
        self._said: set[str] = set()

    async def join(self, on_wake: OnWake) -> None:
        """See `Nodes`.

        Raises:
            UsageError: It has joined before.
        """
        if self._on_wake is not None:
            raise UsageError("This node has joined before.", advice="Make a new one to join again.")
        self._on_wake = on_wake
        self._started_at = self._clock()
        self._appear()
        try:
            await self._bury_dead()
            await self._bury_rows()
            await self._write_row()
            self._commits = await self._store.foreign_commits()
        except GhostOSError as exc:
            self._say("looking after the nodes failed: %s", exc.happened)
        except BaseException:
            self._disappear()
            raise
        self._checking = asyncio.create_task(self._check_often(), name="ghostos-nodes")

    def announce(self, task_ids: Iterable[str]) -> None:
        """See `Nodes`."""
        if self._presence is None or self._presence.socket is None:
            return
        self._announced.update(dict.fromkeys(task_ids))
        if self._announced and self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell)

    async def close(self) -> None:
        """See `Nodes`."""
        checking, self._checking = self._checking, None
        if checking is None:
            return
        checking.cancel()
        await asyncio.wait([checking])
        if self._telling is not None:
            self._telling.cancel()
            self._tell()
        address = self._disappear()
        try:
            await self._store.drop_node(self._owner, address=address)
        except GhostOSError as exc:
            _logger.warning("the row of this node was not removed: %s", exc.happened)

    def _appear(self) -> None:
        """Make this node's files; without them it is told of nothing, and sees what was committed."""
        try:
            presence = self._presence = Presence.make(self._folder, owner=self._owner)
        except OSError as exc:
            self._say("this process is not found by others in the workspace: %s", exc.strerror or exc)
            return
        if presence.socket is None:
            self._say("this process is told of nothing by others in the workspace: %s", presence.fault)
        else:
            asyncio.get_running_loop().add_reader(presence.socket, self._hear)

    def _disappear(self) -> str | None:
        """Remove this node's files; return its address."""
        presence, self._presence = self._presence, None
        if presence is None:
            return None
        for handle in (self._telling, self._telling_again):
            if handle is not None:
                handle.cancel()
        self._telling = self._telling_again = None
        if presence.socket is not None:
            asyncio.get_running_loop().remove_reader(presence.socket)
        presence.remove()
        return presence.address

    def _hear(self) -> None:
        if self._presence is None or self._presence.socket is None:
            return
        task_ids, is_everything = self._presence.socket.receive()
        if is_everything:
            self._wake(())
        if task_ids:
            self._wake(task_ids)

    def _wake(self, task_ids: Sequence[str]) -> None:
        if self._on_wake is None:
            return
        try:
            self._on_wake(task_ids)
        except Exception:
            _logger.exception("what another process has made was not looked at")

    def _tell(self) -> None:
        self._telling = None
        announced, self._announced = self._announced, {}
        if announced and self._presence is not None and self._presence.socket is not None:
            self._presence.socket.send(encode(announced))
            self._care_for_full()

    def _care_for_full(self) -> None:
        """See to it that those look at everything, later, that had no room for what they were told."""
        socket = self._presence.socket if self._presence is not None else None
        if socket is not None and socket.has_full and self._telling_again is None:
            self._telling_again = asyncio.get_running_loop().call_later(_TELL_AGAIN_S, self._tell_again)

    def _tell_again(self) -> None:
        self._telling_again = None
        if self._presence is not None and self._presence.socket is not None:
            self._presence.socket.send_to_full(EVERYTHING)
            self._care_for_full()

    async def _check_often(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                await self._check()
            except GhostOSError as exc:
                self._say("looking after the nodes failed: %s", exc.happened)
            except Exception:
                _logger.exception("looking after the nodes failed")

    async def _check(self) -> None:
        if self._presence is None or not self._presence.is_in_place():
            self._disappear()
            self._appear()
            if self._presence is not None:
                await self._write_row()
        has_buried = await self._bury_dead()
        commits = await self._store.foreign_commits()
        has_news, self._commits = commits != self._commits, commits
        if has_news or has_buried:
            self._wake(())

    async def _write_row(self) -> None:
        address = self._presence.address if self._presence is not None else None
        row = Node(owner=self._owner, address=address, started_at=self._started_at, seen_at=self._clock())
        await self._store.save_node(row)

    async def _bury_dead(self) -> bool:
        """Remove what dead nodes have left: their leases first, which their files are the proof of."""
        has_buried = False
        for lock in take_unlocked(self._folder):
            try:
                if (owner := _read_owner(lock)) is not None and self._is_gone(owner, lock=lock):
                    await self._store.bury_owner(owner)
                    has_buried = True
            except BaseException:
                lock.close()
                raise
            lock.remove()
        return has_buried

    async def _bury_rows(self) -> None:
        """Remove the rows of dead nodes that have left no file."""
        for node in await self._store.list_nodes():
            if node.owner != self._owner and not is_alive(node.owner, nodes=self._folder):
                await self._store.bury_owner(node.owner)

    def _is_gone(self, owner: Owner, *, lock: LockFile) -> bool:
        """Whether a process whose lock nobody holds is dead: it may have had several, or have closed this one badly."""
        if is_visible(owner):
            return not is_alive(owner)
        return find_lock(self._folder, owner, besides={lock.name}) is not True

    def _say(self, message: str, fault: object) -> None:
        """Log a fault once: it is met again each second."""
        text = message % fault
        if text not in self._said:
            self._said.add(text)
            _logger.warning("%s", text)


def _read_owner(lock: LockFile) -> Owner | None:
    try:
        owner = parse_owner(lock.read_key())
    except ValueError:  # a full disk, or somebody else's file
        return None
    return owner if lock.is_of(owner) else None
