"""The websocket of the live pane: one thread, and the bodies beside it, for one page."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from ghostos.abcd import Conversation
from ghostos.core.json import Json, JsonObject
from ghostos.errors import GhostOSError, ThreadNotFoundError
from ghostos.web.app import WebApp
from ghostos.web.body_frames import BodyFrames
from ghostos.web.doorkeeper import SUBPROTOCOL
from ghostos.web.outbox import Outbox, OverflowedError
from ghostos.web.thread_feed import ThreadFeed
from ghostos.web.thread_status import TaskFacts, describe_model, describe_status, load_facts
from ghostos.web.wire import VERSION, encode_error, encode_frame, encode_item

__all__ = ["LiveSocket", "LiveSockets"]

_LOOK_AT_WORK_S: Final = 0.3
"""A round's commit is not told: how often is looked for one while something runs."""
_LOOK_IDLE_S: Final = 1.5
_END_WITHIN_S: Final = 2.0
_LOOK_AGAIN_S: Final = 0.1
"""Quick rounds change something every few milliseconds: looking each time would take from them."""

_logger = logging.getLogger(__name__)


class LiveSockets:
    """The pages that are there.

    Args:
        app: What they show.
    """

    def __init__(self, app: WebApp) -> None:
        self._app = app
        self._open: set[LiveSocket] = set()
        self._frames = BodyFrames(app.bodies)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one page until it goes."""
        await websocket.accept(subprotocol=SUBPROTOCOL)
        query = websocket.query_params
        socket = LiveSocket(
            self._app,
            websocket,
            frames=self._frames if query.get("bodies") == "1" else None,
        )
        self._open.add(socket)
        try:
            await socket.run(query.get("thread") or None, seen=_read_number(query.get("seq")))
        finally:
            self._open.discard(socket)

    def nudge(self) -> None:
        """Have every page look at once for what has changed. On the loop that serves them."""
        for socket in self._open:
            socket.nudge()


class LiveSocket:
    """Serves one page: listens, looks, and sends.

    Args:
        app: What it shows.
        websocket: Accepted.
        frames: Pictures of bodies; None: the page shows none.
        patience_s: How long one frame may take to be sent.
    """

    def __init__(
        self, app: WebApp, websocket: WebSocket, *, frames: BodyFrames | None, patience_s: float = 60.0
    ) -> None:
        self._app = app
        self._websocket = websocket
        self._frames = frames
        self._patience_s = patience_s
        self._outbox = Outbox()
        self._news = asyncio.Event()
        self._told = b""

    def nudge(self) -> None:
        """Look at once for what has changed."""
        self._news.set()

    async def run(self, thread: str | None, *, seen: int) -> None:
        """Serve until the page goes, or does not take what it is sent."""
        model = await asyncio.to_thread(describe_model, self._app)
        self._outbox.put(encode_item("hello", version=VERSION, model=model))
        work = [self._send(), self._wait_for_end(), self._show_thread(thread, seen=seen)]
        if self._frames is not None:
            work.append(self._frames.show(self._outbox))
        tasks = [asyncio.ensure_future(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WebSocketDisconnect:
            return
        except (OverflowedError, TimeoutError):
            self._outbox.take_all()
            _logger.info("a page did not take what it was sent: it is let go, and may come again")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end()

    async def _end(self) -> None:
        """Send why it ends, and close. A page that takes nothing is not waited for."""
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # or it is closed already
            async with asyncio.timeout(min(self._patience_s, _END_WITHIN_S)):
                if left := self._outbox.take_all():
                    await self._websocket.send_text(encode_frame(left))
                await self._websocket.close()

    async def _send(self) -> None:
        while True:
            items = await self._outbox.take()
            async with asyncio.timeout(self._patience_s):
                await self._websocket.send_text(encode_frame(items))

    async def _wait_for_end(self) -> None:
        """A page says nothing here: what it wants it asks for by `POST`."""
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            continue
        raise WebSocketDisconnect

    async def _show_thread(self, thread: str | None, *, seen: int) -> None:
        """Show a thread, or that there is none; returns where it cannot be shown (any more), and has said why."""
        try:
            conversation = await self._await_thread(thread)
            await self._follow(conversation, seen=seen, is_surely_same=conversation.task_id == thread)
        except ThreadNotFoundError:
            self._outbox.put(encode_item("gone"))
        except GhostOSError as exc:
            self._outbox.put(encode_error(exc))

    async def _await_thread(self, thread: str | None) -> Conversation:
        """Return a thread, once somebody has begun it: another page, or another process.

        Until then the page is told who would answer, and what a rehearsal would.
        """
        while True:
            if thread is not None and (conversation := await self._app.find_open(thread)) is not None:
                return conversation
            self._tell_status(await asyncio.to_thread(_describe_new, self._app), is_new=True)
            await self._await_news(timeout_s=_LOOK_IDLE_S)

    def _tell_status(self, status: JsonObject, *, is_new: bool = False) -> None:
        """Say the status where it is another one than the last that was said."""
        item = encode_item("status", status=status, is_new=is_new)
        if item != self._told:
            self._told = item
            self._outbox.replace("status", item)

    async def _await_news(self, *, timeout_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), timeout_s)
        self._news.clear()

    async def _follow(self, conversation: Conversation, *, seen: int, is_surely_same: bool) -> None:
        store = self._app.matrix.store
        feed = ThreadFeed(conversation, store=store, outbox=self._outbox, seen=seen, is_surely_same=is_surely_same)
        if (left_over := await conversation.aresume()) is not None:
            left_over.close()  # the feed hears it, too
        work = [
            asyncio.ensure_future(feed.follow(on_news=self._news)),
            asyncio.ensure_future(self._watch(conversation, feed=feed)),
        ]
        try:
            await asyncio.gather(*work)
        finally:
            for each in work:
                each.cancel()

    async def _watch(self, conversation: Conversation, *, feed: ThreadFeed) -> None:
        """Say what has changed beside the messages, and what was committed in the middle of a turn.

        Settings, keys and what is allowed for always are not stored with the task: where that is as it was, they are
        looked at again every now and then.
        """
        loop = asyncio.get_running_loop()
        before: TaskFacts | None = None
        phrases: Sequence[str] = ()
        model: Json = None
        looked_at = 0.0
        while True:
            self._news.clear()
            facts = await load_facts(self._app.matrix.store, conversation)
            has_changed = facts != before
            if has_changed:
                await feed.catch_up()
            if has_changed or loop.time() - looked_at >= _LOOK_IDLE_S:
                looked_at = loop.time()
                status = await asyncio.to_thread(describe_status, self._app, facts, recent=feed.recent, phrases=phrases)
                if not facts.is_at_work and (has_changed or status["model"] != model):
                    phrases = await asyncio.to_thread(self._app.find_phrases, conversation)
                    status["phrases"] = [*phrases]
                model = status["model"]
                self._tell_status(status)
            before = facts
            pause = _LOOK_AT_WORK_S if facts.is_at_work else _LOOK_IDLE_S
            await asyncio.sleep(_LOOK_AGAIN_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)


def _describe_new(app: WebApp) -> JsonObject:
    return describe_status(app, None, phrases=app.find_phrases(None))


def _read_number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 16 else 0
