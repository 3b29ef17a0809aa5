"""One plain thread that owns one connection: units of work are functions sent to it."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from ghostos.core import failpoints
from ghostos.drivers.store.failures import translate_database_error
from ghostos.drivers.store.statements import DriverConnection
from ghostos.errors import WorkspaceError

__all__ = ["ConnectionThread", "Unit"]

T = TypeVar("T")

Unit = Callable[[DriverConnection], T]
"""Does its work on the connection, inside a transaction, and changes nothing else: it may run a second time."""

_MAX_BATCH = 64

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    unit: Unit[T]
    future: Future[T]


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    """What a loop waits for, and what it gets."""

    loop: asyncio.AbstractEventLoop
    waiter: asyncio.Future[T]
    future: Future[T]

    def give(self) -> None:
        """On the loop."""
        if self.waiter.done():  # cancelled
            return
        if (error := self.future.exception()) is not None:
            self.waiter.set_exception(error)
        else:
            self.waiter.set_result(self.future.result())


class ConnectionThread:
    """Runs units of work one after the other, each whole or not at all.

    Units that wait at the same time share one transaction, and with it one sync to the disk. When one of them fails,
    all are undone and run again, each in a transaction of its own: none suffers from its neighbour. A unit's result is
    given back after its commit, so a process that ends with units in the queue has promised nothing that it did not
    keep; that is why the thread may be a daemon.
    """

    def __init__(self, connection: DriverConnection, *, begin: str, name: str, database: Path) -> None:
        """Take the connection over and start the thread.

        Args:
            connection: Not in a transaction. Nobody else may use it any more; it is closed at the end.
            begin: The statement that begins a transaction.
            name: The thread's.
            database: The file, for messages.
        """
        self._connection = connection
        self._begin = begin
        self._database = database
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._answers: list[_Answer[Any]] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Send a unit; it runs after those sent before. Cancelling the future keeps a unit that waits from running.

        What a future's callback sends from the thread itself still runs when the thread is being closed.

        Raises:
            WorkspaceError: The thread was closed.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._is_closed and threading.current_thread() is not self._thread:
                raise WorkspaceError(
                    f"The database {self._database} was closed.", advice="Open the workspace again, with a new Matrix."
                )
            self._jobs.put(_Job(unit, future))
        return future

    async def run(self, unit: Unit[T]) -> T:
        """Run a unit and wait for its commit, from any event loop."""
        return await self.wait(self.submit(unit))

    async def wait(self, future: Future[T]) -> T:
        """Wait for what a unit gives, from any event loop. A wait that is cancelled cancels a unit that waits itself.

        A loop is woken once for all that a transaction has answered: to wake it costs more than a statement.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        future.add_done_callback(lambda done: self._keep_answer(_Answer(loop, waiter, done)))
        try:
            return await waiter
        finally:
            future.cancel()

    def _keep_answer(self, answer: _Answer[Any]) -> None:
        if threading.current_thread() is self._thread:
            self._answers.append(answer)
        elif not answer.future.cancelled():  # it was there before this was asked for
            answer.loop.call_soon(answer.give)

    def call(self, unit: Unit[T]) -> T:
        """Run a unit and block until its commit."""
        return self.submit(unit).result()

    def close(self) -> None:
        """Finish what was sent, then close the connection. Harmless twice, and from the thread itself."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._jobs.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _work(self) -> None:
        is_open = True
        while is_open or not self._jobs.empty():
            batch, may_have_more = self._take()
            is_open = is_open and may_have_more
            if batch:
                self._run(batch)
                self._give_answers()
            del batch  # an idle thread must not keep alive what the last units held
        self._connection.close()

    def _take(self) -> tuple[list[_Job[Any]], bool]:
        """Wait for units; return those that are there, and whether to wait for more."""
        batch: list[_Job[Any]] = []
        job = self._jobs.get()
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                batch.append(job)
            if len(batch) == _MAX_BATCH:
                return batch, True
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _run(self, batch: list[_Job[Any]]) -> None:
        has_begun = False
        try:
            self._connection.execute(self._begin)
            has_begun = True
            results = [job.unit(self._connection) for job in batch]
            failpoints.before("commit")
            self._connection.commit()
            failpoints.after("commit")
        except Exception as exc:  # noqa: BLE001 - whatever a unit raises belongs to whoever sent it
            self._roll_back()
            if has_begun and len(batch) > 1:
                for job in batch:
                    self._run([job])
                return
            error = self._translate(exc)
            for job in batch:
                job.future.set_exception(error)
        else:
            for job, result in zip(batch, results, strict=True):
                job.future.set_result(result)

    def _give_answers(self) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Answer[Any]]] = {}
        for answer in self._answers:
            by_loop.setdefault(answer.loop, []).append(answer)
        self._answers.clear()
        for loop, answers in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits
                loop.call_soon_threadsafe(_give_all, answers)

    def _roll_back(self) -> None:
        try:
            self._connection.rollback()
        except sqlite3.Error:  # the units that come will say what is wrong; without the thread they would wait for ever
            _logger.exception("A transaction on %s could not be undone.", self._database)

    def _translate(self, error: Exception) -> Exception:
        if not isinstance(error, sqlite3.Error):
            return error
        translated = translate_database_error(error, database=self._database)
        translated.__cause__ = error
        return translated


def _give_all(answers: Sequence[_Answer[Any]]) -> None:
    for answer in answers:
        answer.give()
