"""What is said in a thread elsewhere while a person sits at a prompt: on the page, in another terminal, by a timer."""

import asyncio
from collections.abc import Sequence

from ghostos.cli.streams import write_note
from ghostos.cli.text_view import TextView
from ghostos.cli.turns import is_stop
from ghostos.contracts.store import Store
from ghostos.core.escaping import escape
from ghostos.core.message import Delta, Message
from ghostos.core.task import Task
from ghostos.errors import ThreadNotFoundError

__all__ = ["MissedTurns"]

_TURNS_SHOWN = 5
"""At once: whoever comes back the next day wants to know how it stands."""


class MissedTurns:
    """Knows which turns a view has shown, and shows the others of its thread. From one thread.

    Args:
        view: Where turns are shown: all that its user listens to is to come by `show`.
        seq: Of the last message that was there before.
    """

    def __init__(self, view: TextView, *, seq: int) -> None:
        self._view = view
        self._seq = seq
        self._shown: set[int] = set()
        self._last: Message | None = None

    def show(self, delta: Delta) -> None:
        """Show what has come of a turn that is listened to."""
        if delta.message is not None:
            self._last = delta.message
            self._shown.add(delta.message.turn)
        self._view.show(delta)

    def end_turn(self) -> None:
        """The turn is over, or nobody listens to it any more."""
        self._view.end_turn()

    def leave_turn(self) -> None:
        """Say that its user has left the turn that was shown last: it may go on elsewhere."""
        if self._last is not None:
            self._shown.discard(self._last.turn)
            self._seq = max(self._seq, self._last.seq)

    def show_missed(self, store: Store, task_id: str) -> bool:
        """Show the turns that were not listened to and are over; return whether there were some.

        Args:
            store: Where the thread is.
            task_id: The thread's.
        """
        news, task = asyncio.run(_load(store, task_id, after_seq=self._seq))
        under_way = task.turn if task.state == "running" else None  # who listens to it hears it from its beginning
        over = [message for message in news if message.turn != under_way]
        self._seq = over[-1].seq if over else self._seq
        missed = [message for message in over if message.turn not in self._shown]
        self._show_turns(missed)
        return bool(missed)

    def _show_turns(self, missed: Sequence[Message]) -> None:
        turns = sorted({message.turn for message in missed})
        if not turns:
            return
        write_note("note: Meanwhile this was said elsewhere in this thread:")
        if left_out := turns[:-_TURNS_SHOWN]:
            write_note(f"note: {len(left_out)} earlier turns are left out; ghostos threads show has them.")
        for message in missed:
            if message.turn not in left_out:
                self._show_message(message)
        self._view.end_turn()

    def _show_message(self, message: Message) -> None:
        if message.type == "error" or is_stop(message):
            write_note(f"error: {escape(message.content)}")
            return
        self._view.show(
            Delta(seq=message.seq, type=message.type, role=message.role, content=message.content, message=message)
        )


async def _load(store: Store, task_id: str, *, after_seq: int) -> tuple[list[Message], Task]:
    task = await store.find_task(task_id)  # before the messages: of a turn that begins in between there are none yet
    if task is None:
        raise ThreadNotFoundError(task_id)
    return await store.list_messages(task_id, after_seq=after_seq), task
