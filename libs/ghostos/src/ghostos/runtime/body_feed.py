"""The bodies of an application, and how each of them is now. The latest counts: nothing is kept."""

import asyncio
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final

import msgspec

from ghostos.contracts.body_feed import BodyDrawing, BodyHandle, BodyHandles, BodyNews
from ghostos.core.body_state import BodyState
from ghostos.core.ids import new_id
from ghostos.errors import BodyHandleError
from ghostos.runtime.own_threads import call_on_own_thread

__all__ = ["LatestBodyFeed"]

_STOP_WITHIN_S: Final = 1.0


@dataclass(slots=True, kw_only=True)
class _Body:
    stop: Callable[[], object]
    drawing: BodyDrawing | None
    handles: BodyHandles | None
    driver: Callable[[], str | None] | None
    state: BodyState | None = None
    stopping: Future[object] | None = None

    def begin_to_stop(self, name: str) -> Future[object]:
        """Have it told to stop; while it is being told, it is not told again."""
        if self.stopping is None or self.stopping.done():
            self.stopping = call_on_own_thread(self.stop, name=f"ghostos-stop-{name}")
        return self.stopping

    def is_driven_by(self, thread: str) -> bool:
        return self.driver is None or self.driver() == thread


class LatestBodyFeed:
    """See `BodyFeed`."""

    def __init__(self) -> None:
        self._stream = f"body:{new_id()}"
        self._changed = threading.Condition()
        self._bodies: dict[str, _Body] = {}
        self._wakers: set[Callable[[], object]] = set()
        self._number = 0

    @property
    def stream(self) -> str:
        return self._stream

    def open(
        self,
        name: str,
        *,
        stop: Callable[[], object],
        drawing: BodyDrawing | None = None,
        handles: BodyHandles | None = None,
        driver: Callable[[], str | None] | None = None,
    ) -> str:
        with self._changed:
            names = (name if number == 1 else f"{name}-{number}" for number in count(1))
            chosen = next(each for each in names if each not in self._bodies)
            self._bodies[chosen] = _Body(stop=stop, drawing=drawing, handles=handles, driver=driver)
            return chosen

    def close(self, name: str) -> None:
        with self._changed:
            if self._bodies.pop(name, None) is not None:
                self._tell()

    def publish(self, state: BodyState) -> None:
        msgspec.json.encode(state.data)  # whoever tells it is told that it cannot be shown, not whoever shows it
        with self._changed:
            if (body := self._bodies.get(state.body)) is not None:  # else it was closed meanwhile
                body.state = state
                self._tell()

    def look(self) -> BodyNews:
        with self._changed:
            states = tuple(body.state for body in self._bodies.values() if body.state is not None)
            return BodyNews(number=self._number, states=states)

    def wait(self, *, after: int, timeout_s: float) -> BodyNews:
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, timeout_s)
            return self.look()

    async def await_news(self, *, after: int, timeout_s: float) -> BodyNews:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while (news := self.look()).number <= after:
                    await self._await_telling(after=news.number)
        return self.look()

    async def _await_telling(self, *, after: int) -> None:
        """Wait until something is said after a number."""
        woken = asyncio.Event()
        waker = partial(asyncio.get_running_loop().call_soon_threadsafe, woken.set)
        with self._changed:
            if self._number > after:
                return
            self._wakers.add(waker)
        try:
            await woken.wait()
        finally:
            with self._changed:
                self._wakers.discard(waker)

    def find_drawing(self, name: str) -> BodyDrawing | None:
        with self._changed:
            body = self._bodies.get(name)
            return body.drawing if body is not None else None

    def list_handles(self, name: str) -> Sequence[BodyHandle]:
        handles, state = self._get_handles(name)
        return () if handles is None or state is None else handles.list_handles(state)

    def move_handle(self, name: str, handle_id: str, *, x: float, y: float) -> None:
        handles, state = self._get_handles(name)
        known = () if handles is None or state is None else handles.list_handles(state)
        if handles is None or all(handle.id != handle_id for handle in known):
            raise BodyHandleError(
                f"Nothing in the picture of {name!r} that can be dragged is called {handle_id!r}.",
                advice=f"Drag one of these: {', '.join(handle.id for handle in known)}." if known else "Drag nothing.",
            )
        if not (math.isfinite(x) and math.isfinite(y)):
            raise BodyHandleError(
                f"{handle_id!r} of {name!r} cannot be dragged to ({x}, {y}).", advice="Give two finite numbers."
            )
        handles.move_handle(handle_id, x=x, y=y)

    def stop(self, *, driver: str | None = None) -> None:
        with self._changed:
            bodies = dict(self._bodies)
        errors: list[Exception] = []
        stopping: dict[str, Future[object]] = {}
        for name, body in bodies.items():
            try:
                if driver is None or body.is_driven_by(driver):
                    with self._changed:
                        stopping[name] = body.begin_to_stop(name)
            except Exception as exc:  # noqa: BLE001  # raised below, once all were told
                errors.append(exc)
        errors += _await_stopped(stopping)
        if errors:
            message = "Stopping bodies"
            raise ExceptionGroup(message, errors)

    def _get_handles(self, name: str) -> tuple[BodyHandles | None, BodyState | None]:
        with self._changed:
            body = self._bodies.get(name)
            if body is not None:
                return body.handles, body.state
            names = ", ".join(self._bodies) or "none"
        raise BodyHandleError(f"No body is called {name!r}.", advice=f"Name one of those that are here: {names}.")

    def _tell(self) -> None:
        self._number += 1
        self._changed.notify_all()
        wakers, self._wakers = self._wakers, set()
        for wake in wakers:
            with suppress(RuntimeError):  # its event loop was closed: nobody waits there any more
                wake()


def _await_stopped(stopping: Mapping[str, Future[object]]) -> list[Exception]:
    """Wait until bodies were told to stop, all of them at once and for no longer than a second; return what failed."""
    done, _ = wait(stopping.values(), timeout=_STOP_WITHIN_S)
    errors: list[Exception] = []
    for name, future in stopping.items():
        if future not in done:
            errors.append(TimeoutError(f"{name!r} did not come back from being told to stop within {_STOP_WITHIN_S} s"))
        elif isinstance(error := future.exception(), Exception):
            errors.append(error)
    return errors
