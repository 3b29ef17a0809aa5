"""The calls of objects on Moss during one run: written down as they end, shown, and bounded."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Final

from ghostos.core import failpoints
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.errors import GhostOSError
from ghostos_moss import HostCall

__all__ = ["MAX_SHOWN", "HostCallLog", "list_calls"]

MAX_SHOWN: Final = 100
"""Calls of one run that are messages of their own; one more message counts the rest."""

_MAX_TEXT_CHARS: Final = 200
"""Of the arguments, and of what they came to, in the text of a message; its facts have more."""


class HostCallLog:
    """Takes the calls of one run, from whatever thread each ends on. Made on the loop that shows them.

    Args:
        begin: Makes a message of the thread, from its text and its facts.
        write: Puts it into the journal; a message with the same seq takes its place.
        show: Shows it. Called on the loop.
    """

    def __init__(
        self,
        *,
        begin: Callable[[str, JsonObject], Message],
        write: Callable[[Message], None],
        show: Callable[[Message], None],
    ) -> None:
        self._begin = begin
        self._write = write
        self._show = show
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._more: Message | None = None
        self._more_count = 0
        self._is_over = False
        self.failure: GhostOSError | None = None
        """Why a call could not be written down."""

    def add(self, call: HostCall) -> None:
        """Write a call down. One that ends after its run is nobody's.

        Raises:
            RuntimeError: The journal cannot be written. For the code, which learns no more; `failure` has the reason.
        """
        with self._lock:
            if self._is_over:
                return
            try:
                failpoints.before("host_call")
                self._add(call)
                failpoints.after("host_call")
            except GhostOSError as exc:
                self.failure = self.failure or exc
        if self.failure is not None:
            message = f"{call.method} has ended, but that could not be written down: call nothing more"
            raise RuntimeError(message)

    def end(self) -> list[Message]:
        """Take no more; return the messages of the run, in order. On the loop."""
        with self._lock:
            self._is_over = True
        if self._more is None:
            return self._messages
        self._show(self._more)
        return [*self._messages, self._more]

    def to_row(self, calls: Sequence[HostCall]) -> list[JsonObject]:
        """Return the calls of the run's result as they are stored, and how many more there were."""
        more = len(self._messages) + self._more_count - len(calls)
        return [*(_to_data(call) for call in calls), *([{"more": more}] if more > 0 else [])]

    def _add(self, call: HostCall) -> None:
        if len(self._messages) >= MAX_SHOWN:
            self._count(call)
            return
        message = self._begin(_describe(call), _to_data(call))
        self._messages.append(message)
        self._write(message)
        with suppress(RuntimeError):  # the loop was closed: nobody listens
            self._loop.call_soon_threadsafe(self._show, message)  # within the lock: in the order of their numbers

    def _count(self, call: HostCall) -> None:
        self._more_count += 1
        content = f"and {self._more_count:,} more, the last: {_describe(call)}"
        data: JsonObject = {"more": self._more_count}
        self._more = (
            self._begin(content, data) if self._more is None else replace(self._more, content=content, data=data)
        )
        self._write(self._more)


def list_calls(messages: Sequence[Message]) -> list[JsonObject]:
    """Return the calls that messages tell of, as they are stored with a run."""
    return [message.data for message in messages if message.type == "host_call" and isinstance(message.data, dict)]


def _to_data(call: HostCall) -> JsonObject:
    data: JsonObject = asdict(call)
    if not call.is_undone:
        del data["is_undone"]
    return data


def _describe(call: HostCall) -> str:
    """In one line."""
    outcome = f" raised {_cut(call.error)}" if call.error is not None else ""
    if call.result not in (None, "None"):
        outcome = f" = {_cut(call.result)}"
    text = f"{call.contract}.{call.method}({_cut(call.arguments)}){outcome}, {call.duration_s * 1000:.3g} ms"
    return " ".join(text.splitlines())


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT_CHARS else f"{text[:_MAX_TEXT_CHARS]}…"
