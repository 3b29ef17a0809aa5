"""How a body is now: what people and programs are shown of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ghostos.core.clock import utc_now
from ghostos.core.ids import new_id
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message

__all__ = ["BodyState", "make_state_message"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyState:
    """How a body is at a moment.

    Attributes:
        body: What it is called here.
        kind: What it is, for programs that draw it themselves: `bolt`.
        text: One line for people and logs, where nothing can be drawn.
        data: Facts; the keys depend on the kind.
        trail: Where it was, of a body that moves about: places as in `data`, oldest first, a few hundred at most.
        is_busy: Whether it moves, or has something queued.
        notable: How many things worth telling have happened to it: motions that began or ended, and what it felt.
            Where it has not risen, the body only went on.
    """

    body: str
    kind: str
    text: str
    data: Mapping[str, Json]
    trail: tuple[tuple[float, float], ...] = field(default=(), repr=False)
    is_busy: bool
    notable: int = 0


def make_state_message(state: BodyState, *, stream: str, seq: int) -> Message:
    """Return a state in the form of a message. It belongs to no thread, and is not stored.

    Args:
        state: What it says; without its trail, which the messages before make up.
        stream: Stands in the place of the thread: what `seq` counts in.
        seq: Its place there.
    """
    data: JsonObject = {"body": state.body, "kind": state.kind, "is_busy": state.is_busy, "now": dict(state.data)}
    return Message(
        seq=seq,
        id=new_id(),
        thread=stream,
        turn=0,
        round=0,
        role="environment",
        type="state",
        content=state.text,
        data=data,
        created_at=utc_now(),
    )
