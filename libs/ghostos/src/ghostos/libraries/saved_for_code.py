"""What `Variables` and `Assets` have in common: whose round it is, and what code is told of errors."""

import logging
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar
from uuid import UUID

from ghostos.contracts.session import Session
from ghostos.contracts.store import Store
from ghostos.errors import AssetError, AssetLostError, NotGivenError, WorkspaceError
from ghostos.runtime.loop_thread import LoopThread

__all__ = ["RoundStore", "check_text", "in_words_for_code", "need_ghost"]

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class RoundStore:
    """The store for the task of one round, from other threads than the Matrix's.

    Args:
        session: The round.
        store: Where values and files are known.
        loop_thread: The Matrix's.
    """

    def __init__(self, session: Session, *, store: Store, loop_thread: LoopThread) -> None:
        self.session = session
        self.store = store
        self._loop_thread = loop_thread

    @property
    def task_id(self) -> str:
        """The round's task."""
        return self.session.task.id

    def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait for what the store is asked; its errors are in words for code."""
        with in_words_for_code():
            return self._loop_thread.run(coroutine, method="get", twin="get")

    def give(self, kind: Literal["variable", "asset"], id: object, thread: object) -> None:
        """Let an id of the round's task count for another one, too.

        Raises:
            LookupError: There is no such id, or thread.
        """
        name = check_text(thread, "thread")
        task = self.ask(self.store.find_task(name))
        if task is None and not _is_task_id(name):  # a subtask may still be to come, with this round's commit
            raise LookupError(f"there is no thread {name!r:.100}")
        to = name if task is None else task.id
        self.ask(self.store.give(kind, check_text(id, "id"), task_id=self.task_id, to=to))


@contextmanager
def in_words_for_code() -> Generator[None]:
    """Raise what code may know of an error, as a builtin exception: no paths of the host."""
    try:
        yield
    except NotGivenError as exc:
        raise LookupError(f"no {exc.kind} has the id {exc.id!r:.60}, or it was not given to you") from None
    except AssetError as exc:
        raise ValueError(exc.happened) from None
    except AssetLostError as exc:
        _logger.warning("a saved file is lost: %s", exc.happened)
        raise RuntimeError("the file was saved, but it is lost by now: tell the user") from None
    except WorkspaceError as exc:
        _logger.warning("code could not save: %s", exc.happened)
        raise RuntimeError("nothing can be saved, or read, now: tell the user") from None


def need_ghost(what: str) -> RuntimeError:
    """Return the error of what only a ghost at work can do."""
    return RuntimeError(f"{what} need a ghost at work: here the module is only run, tested or looked at")


def check_text(value: object, name: str) -> str:
    """Return a text that code gave; TypeError for what is none."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is a str, not a {type(value).__name__:.60}")
    return value


def _is_task_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
