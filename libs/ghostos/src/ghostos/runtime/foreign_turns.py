"""Turns that another process ran, shown to those who listen in this one."""

from collections.abc import Iterable
from itertools import groupby

from ghostos.core.message import Message, whole_deltas
from ghostos.errors import TurnFailedError
from ghostos.runtime.thread_log import ThreadLog


def show_foreign_turns(messages: Iterable[Message], *, log: ThreadLog) -> None:
    """Put committed messages of whole turns into the log, each turn with its beginning and its end.

    Args:
        messages: In order of seq.
        log: The log of their thread, in which no turn runs.
    """
    for _, group in groupby(messages, key=lambda message: message.turn):
        turn = list(group)
        inputs = [message.id for message in turn if message.role == "user"]
        log.begin_turn(inputs[0] if inputs else turn[0].id)
        for message in turn:
            if message.type == "approval":
                log.join_turn(message.id)
            for delta in whole_deltas(message):
                log.append(delta)
        log.end_turn(error=_error_of(turn[-1]))


def _error_of(last: Message) -> TurnFailedError | None:
    if last.type != "error":
        return None
    advice = last.data.get("advice") if isinstance(last.data, dict) else None
    return TurnFailedError(last.content, advice=advice if isinstance(advice, str) else "")
