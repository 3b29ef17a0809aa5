"""The turns of other processes, as one log shows them."""

from collections.abc import Sequence
from itertools import groupby

from ghostos.contracts.journal import JournalStep
from ghostos.core.message import Message
from ghostos.core.progress import Progress
from ghostos.errors import TurnFailedError
from ghostos.runtime.shown_messages import ShownMessages
from ghostos.runtime.thread_log import ThreadLog


class ForeignView:
    """Puts what other processes say into a log, each piece once, in turns that begin and end as those do.

    It belongs to one log, which is given with each call: it must not keep the log alive.
    """

    def __init__(self) -> None:
        self._shown = ShownMessages()
        self._unplaced: list[JournalStep] = []
        self._turn: int | None = None
        self._last: Message | None = None

    @property
    def shown(self) -> ShownMessages:
        """What was shown of the turn that runs."""
        return self._shown

    def begin_journal(self) -> None:
        """Say that a journal is read from its beginning from now on."""
        self._shown.begin_journal()
        self._unplaced = []

    def show_steps(self, steps: Sequence[JournalStep], *, origin: str | None, log: ThreadLog) -> None:
        """Show what a round in flight says.

        Args:
            steps: What was added to its journal.
            origin: The event that began its turn. None where the turn begins with it: the journal names the event.
            log: Where it is shown.
        """
        self._unplaced += steps
        if not log.has_turn:
            origin = origin or _find_event_id([step.message for step in self._unplaced if step.message is not None])
            if origin is None:
                return  # until the journal says what the round is about
            self._begin_turn(origin, log=log)
        placed, self._unplaced = self._unplaced, []
        for step in placed:
            if step.message is not None:
                self._join(step.message, log=log)
                self._turn = step.message.turn
            for delta in self._shown.take_step(step):
                log.append(delta)

    def show_committed(self, progress: Progress, *, log: ThreadLog) -> None:
        """Show what was committed and not shown before; end the turn that is over by that."""
        for turn, group in groupby(progress.messages, key=lambda message: message.turn):
            if self._turn not in (None, turn):
                self._end_turn(log)
            messages = list(group)
            if not log.has_turn:
                goes_on = progress.origin if turn == progress.turn else None
                self._begin_turn(goes_on or _find_event_id(messages) or messages[0].id, log=log)
            self._turn = turn
            for message in messages:
                self._join(message, log=log)
                for delta in self._shown.take(message):
                    log.append(delta)
                self._last = message
        if log.has_turn and not self._goes_on(progress, log=log):
            self._end_turn(log)

    def _goes_on(self, progress: Progress, *, log: ThreadLog) -> bool:
        """Whether the turn that the log is in has a round to come; the log may have begun it just now."""
        return progress.is_asked_on or log.turn_event_id == progress.origin

    def _begin_turn(self, origin: str, *, log: ThreadLog) -> None:
        log.begin_turn(origin)
        self._last = None

    def _end_turn(self, log: ThreadLog) -> None:
        log.end_turn(error=_error_of(self._last))
        self._shown = ShownMessages()
        self._turn = self._last = None

    def _join(self, message: Message, *, log: ThreadLog) -> None:
        """Tell who waits for the turn of an event that this is it."""
        if _is_of_event(message) and message.id != log.turn_event_id and self._shown.is_new(message):
            log.join_turn(message.id)


def _find_event_id(messages: Sequence[Message]) -> str | None:
    """Return the event that messages came with: its message has its id."""
    return next((message.id for message in messages if _is_of_event(message)), None)


def _is_of_event(message: Message) -> bool:
    if message.role == "user":
        return True
    is_answer = message.role == "environment" and message.type == "approval"
    return is_answer or (isinstance(message.data, dict) and "event" in message.data)


def _error_of(last: Message | None) -> TurnFailedError | None:
    if last is None or last.type != "error":
        return None
    advice = last.data.get("advice") if isinstance(last.data, dict) else None
    return TurnFailedError(last.content, advice=advice if isinstance(advice, str) else "")
