"""A thread as one page hears it: what is stored, then what its turns say, for as long as the page is there."""

import asyncio
from collections.abc import Sequence
from typing import Final

from ghostos.abcd import Conversation, Receiver
from ghostos.contracts.store import Store
from ghostos.core.message import Delta, Message
from ghostos.core.thread_copy import is_rewound
from ghostos.errors import GhostOSError
from ghostos.web.latest_messages import keep_questions, load_latest, load_questions
from ghostos.web.outbox import Outbox
from ghostos.web.wire import encode_delta, encode_error, encode_item, encode_message_item

__all__ = ["ThreadFeed"]

_FORGOTTEN_AFTER: Final = 2_000
_GAP_S: Final = 0.02
"""Between two turns: a fault that comes at once again and again must not keep the processor busy."""


class ThreadFeed:
    """Puts what a thread says into an outbox.

    Args:
        conversation: The thread.
        store: Where it is kept.
        outbox: Where it goes.
        seen: Messages up to this one the page has; 0 for none.
        is_surely_same: Whether it has them of this very thread, and not of another one that had its name.
    """

    def __init__(
        self, conversation: Conversation, *, store: Store, outbox: Outbox, seen: int, is_surely_same: bool
    ) -> None:
        self._conversation = conversation
        self._store = store
        self._outbox = outbox
        self._committed = seen
        self._sent: dict[int, tuple[str, str]] = {}
        self._is_surely_same = is_surely_same
        self._asked: list[Message] = []
        self._recent: list[Message] = []
        self._catching_up = asyncio.Lock()

    @property
    def recent(self) -> Sequence[Message]:
        """The last messages that are stored, in order; of those before them in the last turn what it may have asked."""
        return [*self._asked, *self._recent]

    async def follow(self, *, on_news: asyncio.Event) -> None:
        """Say what is stored, then follow one turn after the other; ends only when it is cancelled.

        Args:
            on_news: Set whenever something besides text may have changed.
        """
        while True:
            receiver = self._conversation.attach()  # before looking: nothing that is said from here on is missed
            try:
                await self.catch_up()
                on_news.set()
                error = await self._stream(receiver, on_news=on_news)
            finally:
                receiver.close()
            await self.catch_up()
            shown_error = self._recent[-1].type == "error" if self._recent else False
            if error is not None and not shown_error:
                self._outbox.put(encode_error(error))
            self._outbox.put(encode_item("turn", ended=True))
            on_news.set()
            await asyncio.sleep(_GAP_S)

    async def catch_up(self) -> None:
        """Say what was stored since the last time; all of it again where the thread was rewound."""
        async with self._catching_up:
            first_time = not self._recent
            task_id = self._conversation.task_id
            news = [] if first_time else await self._store.list_messages(task_id, after_seq=self._committed)
            begins_anew = first_time or any(is_rewound(message) for message in news)
            if begins_anew:
                await self._begin_anew(task_id, is_first_time=first_time)
                news = [message for message in self._recent if message.seq > self._committed]
            else:
                self._add_recent(news)
            await self._say(news, always=first_time)

    async def _begin_anew(self, task_id: str, *, is_first_time: bool) -> None:
        latest = await load_latest(self._store, task_id)
        self._recent = [*latest.messages]
        self._asked = await load_questions(self._store, task_id, before=self._recent)
        is_known = self._is_surely_same and any(message.seq == self._committed for message in self._recent)
        if self._committed and not (is_first_time and is_known):
            self._reset()  # what the page has is not what is stored now, or too far behind
        first = self._recent[0].seq if self._recent else 1
        self._outbox.put(encode_item("begins", seq=first, has_earlier=latest.has_earlier))

    def _add_recent(self, news: Sequence[Message]) -> None:
        everything = [*self._recent, *news]
        self._recent = everything[-_FORGOTTEN_AFTER:]
        if forgotten := everything[: -len(self._recent)]:
            self._asked = keep_questions([*self._asked, *forgotten])

    async def _say(self, news: Sequence[Message], *, always: bool) -> None:
        for message in news:
            if self._sent.pop(message.seq, None) != (message.id, message.status):
                self._outbox.put(encode_message_item(message))
                await self._outbox.await_room()
        if news or always:
            self._committed = max(self._committed, news[-1].seq if news else 0)
            self._sent = {seq: facts for seq, facts in self._sent.items() if seq > self._committed}
            self._outbox.put(encode_item("committed", seq=self._committed))

    def _reset(self) -> None:
        self._committed = 0
        self._sent = {}
        self._outbox.put(encode_item("reset"))

    async def _stream(self, receiver: Receiver, *, on_news: asyncio.Event) -> GhostOSError | None:
        """Say what one turn says; return why it ended early, if it did."""
        try:
            async for delta in receiver.arecv():
                self._show(delta)
                if delta.message is not None:
                    on_news.set()
        except GhostOSError as exc:
            return exc
        return None

    def _show(self, delta: Delta) -> None:
        if delta.seq <= self._committed:
            return
        if delta.message is not None:
            self._sent[delta.seq] = (delta.message.id, delta.message.status)
        self._outbox.put(encode_delta(delta))
