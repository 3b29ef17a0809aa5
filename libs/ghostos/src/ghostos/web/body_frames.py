"""Bodies as live pages show them: one picture for all pages, each time a body says something."""

import asyncio
import base64
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Final

from ghostos.contracts.body_feed import BodyFeed, BodyHandle, BodyNews
from ghostos.core.body_state import BodyState
from ghostos.core.json import JsonObject
from ghostos.errors import BodyHandleError
from ghostos.runtime.own_threads import call_on_own_thread
from ghostos.web.outbox import Outbox
from ghostos.web.wire import encode_item

__all__ = ["BodyFrames"]

_SHORTEST_S: Final = 0.05
"""From one picture to the next: 20 a second."""
_LONGEST_WAIT_S: Final = 30.0
_DRAW_WITHIN_S: Final = 1.0

_logger = logging.getLogger(__name__)


class BodyFrames:
    """Makes frames of what bodies say. For one event loop.

    Drawings are code of others: each is made on a thread of its own, and one that hangs costs its picture alone.

    Args:
        bodies: Where they say it.
    """

    def __init__(self, bodies: BodyFeed) -> None:
        self._bodies = bodies
        self._number = -1
        self._frame = b""
        self._drawing = asyncio.Lock()
        self._hanging: dict[str, Future[JsonObject]] = {}

    async def show(self, outbox: Outbox) -> None:
        """Put a frame into an outbox whenever a body has changed; ends only when it is cancelled."""
        news = self._bodies.look()
        while True:
            if news.states or self._number >= 0:
                outbox.replace("bodies", await self._draw(news))
            await asyncio.sleep(_SHORTEST_S)
            shown = news.number
            while (news := await self._bodies.await_news(after=shown, timeout_s=_LONGEST_WAIT_S)).number == shown:
                continue

    async def _draw(self, news: BodyNews) -> bytes:
        async with self._drawing:
            if news.number > self._number:
                bodies = await asyncio.gather(*map(self._describe_in_time, news.states))
                self._frame, self._number = encode_item("bodies", bodies=bodies), news.number
            return self._frame

    async def _describe_in_time(self, state: BodyState) -> JsonObject:
        if (before := self._hanging.get(state.body)) is not None and not before.done():
            return _show(state, picture="", handles=())
        drawing = call_on_own_thread(partial(self._describe, state), name=f"ghostos-draw-{state.body}")
        try:
            async with asyncio.timeout(_DRAW_WITHIN_S):
                return await asyncio.wrap_future(drawing)
        except TimeoutError:
            self._hanging[state.body] = drawing
            _logger.warning(
                "drawing the body %s takes longer than %s s: until it comes back its text is shown",
                state.body,
                _DRAW_WITHIN_S,
            )
            return _show(state, picture="", handles=())

    def _describe(self, state: BodyState) -> JsonObject:
        picture = self._picture(state)
        handles = self._list_handles(state.body) if picture else ()
        return _show(state, picture=picture, handles=handles)

    def _list_handles(self, body: str) -> Sequence[BodyHandle]:
        try:
            return self._bodies.list_handles(body)
        except BodyHandleError:  # it was closed meanwhile: the next frame is without it
            return ()

    def _picture(self, state: BodyState) -> str:
        drawing = self._bodies.find_drawing(state.body)
        try:
            return drawing.draw_svg(state) if drawing is not None else ""
        except Exception:  # a drawing of the user's own
            _logger.exception("the body %s cannot be drawn: its text is shown", state.body)
            return ""


def _show(state: BodyState, *, picture: str, handles: Sequence[BodyHandle]) -> JsonObject:
    return {
        "name": state.body,
        "text": state.text,
        "is_busy": state.is_busy,
        "picture": base64.b64encode(picture.encode()).decode(),
        "handles": [
            {"id": each.id, "label": each.label, "x": each.x, "y": each.y, "w": each.width, "h": each.height}
            for each in handles
        ],
    }
