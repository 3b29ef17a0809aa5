"""Tells the application how the ball is, so that people see it: where it is, how it got there, what its face shows."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ghostos.contracts.body_feed import BodyFeed, BodyHandles
from ghostos.core.body_state import BodyState
from ghostos.core.json import JsonObject
from ghostos.prototypes.spherogpt.bolt._colors import OFF, Picture
from ghostos.prototypes.spherogpt.bolt._contracts import Sensors
from ghostos.prototypes.spherogpt.bolt._drawing import BoltDrawing
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S, Arena
from ghostos_container import Container

__all__ = ["KIND", "Glimpse", "Place", "Showing", "show_ball"]

KIND: Final = "bolt"
Place: TypeAlias = tuple[float, float, float]
"""x and y in the arena, cm from its middle, and the heading there, degrees."""

_EVERY_S: Final = 0.05
_SLACK_S: Final = 1e-6
"""Sums of steps are not exact."""
_HEARTBEAT_S: Final = 1.0
"""A body that is busy and says nothing for long is taken for dead."""
_TRAIL_CM: Final = 2.0
_MAX_TRAIL: Final = 400
_DOES: Final = {
    "": "stands still",
    "roll": "rolls",
    "go": "rolls",
    "curve": "rolls a curve",
    "spin": "spins",
    "turn": "turns",
    "waddle": "waddles",
    "wait": "waits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What is to be seen of the ball at a moment.

    Attributes:
        now: Seconds of the ball's own time.
        sensors: What it feels.
        picture: What its face shows.
        plays: The kind of motion under way; "" for none.
        begun: How many motions have begun so far.
        is_busy: Whether it moves, or has motions queued.
        is_still: Whether nothing changes from here on, the face included, until it is told something.
        is_last: Whether it is also not looked at again until then.
        is_lost: Whether it cannot be reached now: all else is as it was last known.
    """

    now: float
    sensors: Sensors
    picture: Picture
    plays: str
    begun: int
    is_busy: bool
    is_still: bool
    is_last: bool
    is_lost: bool


class Showing:
    """Makes states of what is to be seen of one ball, and says those that differ.

    Args:
        feed: Who is told.
        name: What the ball is called there.
        arena: Says what is around it now; None where that is not known.
        where: Says where in the arena it is. None: it is where its sensors say.
    """

    def __init__(
        self,
        feed: BodyFeed,
        *,
        name: str,
        arena: Callable[[], Arena] | None = None,
        where: Callable[[], Place] | None = None,
    ) -> None:
        self._feed = feed
        self._name = name
        self._arena = arena
        self._where = where
        self._trail: deque[tuple[float, float]] = deque(maxlen=_MAX_TRAIL)
        self._told: BodyState | None = None
        self._told_at = self._due = 0.0
        self._marks: tuple[object, ...] = ()
        self._notable = 0

    def see(self, glimpse: Glimpse) -> bool:
        """Say how the ball is, if that is news and may be said yet; return whether to look again in a moment.

        That is so until the next may be said: what changes until then is told then. It is called 50 times a second.
        """
        x, y, heading = self._where() if self._where is not None else _place_of(glimpse.sensors)
        self._follow(x, y)
        is_turn = glimpse.is_last or self._told is None or glimpse.is_busy != self._told.is_busy
        if glimpse.now < self._due and not is_turn:
            return True
        marks = (glimpse.begun, glimpse.is_busy, glimpse.sensors.collisions, glimpse.is_lost)
        data = self._describe(glimpse, x=x, y=y, heading=heading)
        is_heartbeat = glimpse.is_busy and glimpse.now - self._told_at >= _HEARTBEAT_S
        if self._told is not None and marks == self._marks and data == self._told.data and not is_heartbeat:
            return False
        self._notable += marks != self._marks
        self._marks = marks
        self._count_time(glimpse.now)
        self._told = BodyState(
            body=self._name,
            kind=KIND,
            text=_put_into_words(self._name, glimpse, x=x, y=y, heading=heading),
            data=data,
            trail=tuple(self._trail),
            is_busy=glimpse.is_busy,
            notable=self._notable,
        )
        self._feed.publish(self._told)
        return True

    def _count_time(self, now: float) -> None:
        """Note that something is said: the next is due so much sooner as this comes late, that is, on the same beat."""
        late = now - self._due
        self._told_at = now
        self._due = now + _EVERY_S - _SLACK_S - (late if 0 <= late < STEP_S else 0.0)

    def _follow(self, x: float, y: float) -> None:
        if not self._trail or abs(x - self._trail[-1][0]) + abs(y - self._trail[-1][1]) >= _TRAIL_CM:
            self._trail.append((round(x, 1), round(y, 1)))

    def _describe(self, glimpse: Glimpse, *, x: float, y: float, heading: float) -> JsonObject:
        data: JsonObject = {
            "x": round(x, 1),
            "y": round(y, 1),
            "heading": round(heading, 1) % 360,
            "speed": round(glimpse.sensors.speed, 1),
            "plays": glimpse.plays,
            "collisions": glimpse.sensors.collisions,
            "face": ["".join(f"{red:02x}{green:02x}{blue:02x}" for red, green, blue in row) for row in glimpse.picture],
        }
        if glimpse.is_lost:
            data["is_lost"] = True
        if self._arena is not None:
            arena = self._arena()
            data["arena"] = {
                "width": arena.width,
                "depth": arena.depth,
                "boxes": [
                    [round(side, 1) for side in (box.left, box.bottom, box.right, box.top)] for box in arena.boxes
                ],
            }
        return data


def show_ball(
    container: Container,
    *,
    watch: Callable[[Callable[[Glimpse], object]], object],
    stop: Callable[[], object],
    driver: Callable[[], str | None] | None = None,
    arena: Callable[[], Arena] | None = None,
    where: Callable[[], Place] | None = None,
    handles: BodyHandles | None = None,
) -> None:
    """Have people see a ball from now on, and be able to stop it; where nobody looks, nothing happens.

    Args:
        container: What the ball is made in.
        watch: `Player.watch`.
        stop: Has the ball stand still.
        driver: Says which thread drives it; None where none does.
        arena: As of `Showing`.
        where: As of `Showing`.
        handles: What people can drag in its picture.
    """
    if not container.bound(BodyFeed):
        return
    feed = container.force_fetch(BodyFeed)
    name = feed.open(KIND, stop=stop, drawing=BoltDrawing(), handles=handles, driver=driver)
    container.add_shutdown(lambda: feed.close(name))
    watch(Showing(feed, name=name, arena=arena, where=where).see)


def _place_of(sensors: Sensors) -> Place:
    return sensors.x, sensors.y, sensors.heading


def _put_into_words(name: str, glimpse: Glimpse, *, x: float, y: float, heading: float) -> str:
    does = _DOES.get(glimpse.plays, glimpse.plays)
    if glimpse.is_busy and not glimpse.plays:
        does = "slows down" if glimpse.sensors.speed >= 1 else "sets out"
    if glimpse.is_lost:
        does = "is out of reach"
    words = [f"{name} {does}", f"at ({x:.0f}, {y:.0f}) cm", f"heading {heading % 360:.0f}°"]
    if glimpse.is_busy:
        words.append(f"{glimpse.sensors.speed:.0f} cm/s")
    if any(color != OFF for row in glimpse.picture for color in row):
        words.append("its face is on")
    return ", ".join(words)
