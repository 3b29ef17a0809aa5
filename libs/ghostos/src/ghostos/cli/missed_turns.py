"""What is said in a thread elsewhere while a person sits at a prompt: on the page, in another terminal, by a timer."""

import asyncio
from collections.abc import Sequence

from ghostos.cli.streams import write_note
from ghostos.cli.text_view import TextView
from ghostos.cli.turns import is_stop
from ghostos.contracts.store import Store
from ghostos.core.escaping import escape
from ghostos.core.message import Delta, Message

__all__ = ["MissedTurns"]

_TURNS_SHOWN = 5
"""At once: whoever comes back the next day wants to know how it stands."""


class MissedTurns:
    """Knows which turns a view has shown, and shows the others of its thread. From one thread.

    Args:
        view: Where turns are shown: all that its user listens to is to come by `show`.
    """

    def __init__(self, view: TextView) -> None:
        self._view = view
        self._shown: set[int] = set()
        self._seq: int | None = None

    def show(self, delta: Delta) -> None:
        """Show what has come of a turn that is listened to."""
        if delta.message is not None:
            self._shown.add(delta.message.turn)
        self._view.show(delta)

    def end_turn(self) -> None:
        """The turn is over, or nobody listens to it any more."""
        self._view.end_turn()

    def show_missed(self, store: Store, task_id: str) -> None:
        """Show the turns that came since the last time and were not listened to; the first time, note where it stands.

        Args:
            store: Where the thread is.
            task_id: The thread's.
        """
        if self._seq is None:
            latest = asyncio.run(store.list_latest_messages(task_id, count=1))
            self._seq = latest[-1].seq if latest else 0
            return
        news = asyncio.run(store.list_messages(task_id, after_seq=self._seq))
        self._seq = news[-1].seq if news else self._seq
        self._show_turns([message for message in news if message.turn not in self._shown])

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
