"""The calls of objects on Moss during one run: written down as they end, shown, and bounded."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos_moss import HostCall

__all__ = ["MAX_SHOWN", "HostCallLog", "mask_call"]

MAX_SHOWN: Final = 100
"""Calls of one run that are messages of their own; one more message counts the rest."""


def mask_call(call: HostCall, mask: Callable[[str], str]) -> HostCall:
    """Return a call without secrets."""
    return replace(
        call,
        arguments=mask(call.arguments),
        result=None if call.result is None else mask(call.result),
        error=None if call.error is None else mask(call.error),
    )


class HostCallLog:
    """Takes the calls of one run, from whatever thread each ends on. Made on the loop that shows them.

    Args:
        begin: Makes a message of the thread, from its text and its facts.
        write: Puts it into the journal; a message with the same seq takes its place.
        show: Shows it. Called on the loop.
        mask: Takes secrets out of a text.
    """

    def __init__(
        self,
        *,
        begin: Callable[[str, JsonObject], Message],
        write: Callable[[Message], None],
        show: Callable[[Message], None],
        mask: Callable[[str], str],
    ) -> None:
        self._begin = begin
        self._write = write
        self._show = show
        self._mask = mask
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._more: Message | None = None
        self._more_count = 0
        self._is_over = False

    def add(self, call: HostCall) -> None:
        """Write a call down. One that ends after its run is nobody's.

        Raises:
            WorkspaceError: The journal cannot be written.
        """
        masked = mask_call(call, self._mask)
        with self._lock:
            if self._is_over:
                return
            if len(self._messages) >= MAX_SHOWN:
                self._count(masked)
                return
            message = self._begin(_describe(masked), _to_data(masked))
            self._messages.append(message)
            self._write(message)
            self._loop.call_soon_threadsafe(self._show, message)  # within the lock: in the order of their numbers

    def end(self) -> list[Message]:
        """Take no more; return the messages of the run, in order. On the loop."""
        with self._lock:
            self._is_over = True
        if self._more is None:
            return self._messages
        self._show(self._more)
        return [*self._messages, self._more]

    def _count(self, call: HostCall) -> None:
        self._more_count += 1
        content = f"and {self._more_count:,} more, the last: {_describe(call)}"
        data: JsonObject = {"more": self._more_count}
        self._more = (
            self._begin(content, data) if self._more is None else replace(self._more, content=content, data=data)
        )
        self._write(self._more)


def _to_data(call: HostCall) -> JsonObject:
    return {
        "contract": call.contract,
        "method": call.method,
        "arguments": call.arguments,
        "result": call.result,
        "error": call.error,
        "duration_s": call.duration_s,
    }


def _describe(call: HostCall) -> str:
    """In one line."""
    outcome = f" raised {call.error}" if call.error is not None else ""
    if call.result not in (None, "None"):
        outcome = f" = {call.result}"
    text = f"{call.contract}.{call.method}({call.arguments}){outcome}, {call.duration_s * 1000:.3g} ms"
    return " ".join(text.splitlines())
