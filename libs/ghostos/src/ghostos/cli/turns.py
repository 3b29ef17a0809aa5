"""Listens to a turn and shows it."""

from typing import Protocol

import msgspec

from ghostos.abcd import Receiver
from ghostos.cli.streams import write_out_line
from ghostos.core.message import Delta, Message, encode_message
from ghostos.errors import TurnFailedError


class TurnView(Protocol):
    """Shows turns."""

    def show(self, delta: Delta) -> None:
        """Show the next delta of a turn."""
        ...

    def end_turn(self) -> None:
        """The turn is over, or nobody listens to it any more."""
        ...


def follow_turn(receiver: Receiver, *, view: TurnView) -> None:
    """Show a turn to its end.

    Raises:
        TurnFailedError: The turn was stopped, by a limit or by somebody.
        GhostOSError: It ended in an error.
    """
    last: Message | None = None
    is_stopped = False
    with receiver:
        try:
            for delta in receiver.recv():
                view.show(delta)
                last = delta.message or last
                is_stopped = is_stopped or (delta.message is not None and _says_stopped(delta.message))
        finally:
            view.end_turn()
    if last is not None and is_stop(last):
        raise TurnFailedError(last.content, advice="The thread is kept; say in it how to go on.")
    if is_stopped:
        raise TurnFailedError("The turn was stopped.", advice="The thread is kept; say in it how to go on.")


def is_stop(message: Message) -> bool:
    """Whether the message says that a turn was stopped by a limit, rather than that it came to its end."""
    return message.role == "system" and message.type == "text"


def _says_stopped(message: Message) -> bool:
    return message.type == "state" and isinstance(message.data, dict) and message.data.get("state") == "stopped"


class JsonView:
    """Prints messages as JSON lines, and their text as it comes, if that is wanted."""

    def __init__(self, *, with_deltas: bool) -> None:
        self._with_deltas = with_deltas

    def show(self, delta: Delta) -> None:
        """Print what has come."""
        if delta.message is not None:
            write_out_line(encode_message(delta.message))
        elif self._with_deltas and delta.content:
            line = {"seq": delta.seq, "offset": delta.offset, "delta": delta.content}
            write_out_line(msgspec.json.encode(line))

    def end_turn(self) -> None:
        """Do nothing: every line was whole."""
