"""The bodies of an application, and how each of them is now. The latest counts: nothing is kept."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import msgspec

from ghostos.contracts.body_feed import BodyDrawing, BodyNews
from ghostos.core.body_state import BodyState
from ghostos.core.ids import new_id

__all__ = ["LatestBodyFeed"]


@dataclass(slots=True, kw_only=True)
class _Body:
    stop: Callable[[], object]
    drawing: BodyDrawing | None
    driver: Callable[[], str | None] | None
    state: BodyState | None = None

    def is_driven_by(self, thread: str) -> bool:
        return self.driver is None or self.driver() == thread


class LatestBodyFeed:
    """See `BodyFeed`."""

    def __init__(self) -> None:
        self._stream = f"body:{new_id()}"
        self._changed = threading.Condition()
        self._bodies: dict[str, _Body] = {}
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
        driver: Callable[[], str | None] | None = None,
    ) -> str:
        with self._changed:
            names = (name if number == 1 else f"{name}-{number}" for number in count(1))
            chosen = next(each for each in names if each not in self._bodies)
            self._bodies[chosen] = _Body(stop=stop, drawing=drawing, driver=driver)
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

    def find_drawing(self, name: str) -> BodyDrawing | None:
        with self._changed:
            body = self._bodies.get(name)
            return body.drawing if body is not None else None

    def stop(self, *, driver: str | None = None) -> None:
        with self._changed:
            bodies = list(self._bodies.values())
        errors: list[Exception] = []
        for body in bodies:
            try:
                if driver is None or body.is_driven_by(driver):
                    body.stop()
            except Exception as exc:  # noqa: BLE001  # raised below, once all were told
                errors.append(exc)
        if errors:
            message = "Stopping bodies"
            raise ExceptionGroup(message, errors)

    def _tell(self) -> None:
        self._number += 1
        self._changed.notify_all()
