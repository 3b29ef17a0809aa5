"""A thread on the page. Finished turns and the running one are drawn by the same code: both come as deltas."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.asset_files import AssetFiles
from ghostos.core.message import Delta, Message, MessageType, Role
from ghostos.web.message_drawing import ShownMessage, draw_calls, draw_message, open_bubble

__all__ = ["ThreadView"]


@dataclass(slots=True)
class _Item:
    """A message on the page: its text so far, and the place where it is drawn."""

    type: MessageType
    role: Role
    place: DeltaGenerator
    parts: list[str] = field(default_factory=list[str])
    message: Message | None = None


@dataclass(slots=True)
class _Calls:
    """Calls of objects during a run, one after the other: they share a place."""

    place: DeltaGenerator
    messages: dict[int, Message] = field(default_factory=dict[int, Message])


class ThreadView:
    """Collects deltas and draws the messages that they changed.

    Args:
        area: Where the thread is drawn, top to bottom.
        model: Who answers as the page says elsewhere: the thread says it where it was somebody else. "" for nobody.
        files: Where the thread's images lie.
    """

    def __init__(self, area: DeltaGenerator, *, model: str = "", files: AssetFiles | None = None) -> None:
        self._area = area
        self._files = files
        self._items: dict[int, _Item | _Calls] = {}
        self._last: _Item | _Calls | None = None
        self._changed: dict[int, None] = {}
        self._committed_seq = 0
        self._next_seq = 1
        self._bubble: DeltaGenerator | None = None
        self._bubble_role: Role | None = None
        self._model = model
        self._ids: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return not self._items

    @property
    def next_seq(self) -> int:
        """The `seq` after the last one that was added."""
        return self._next_seq

    @property
    def ends_in_error(self) -> bool:
        """Whether the last message says what went wrong."""
        last = self._items[max(self._items)] if self._items else None
        return isinstance(last, _Item) and last.type == "error"

    def has(self, message_id: str) -> bool:
        """Whether the message with that id is shown."""
        return message_id in self._ids

    def add_history(self, messages: Iterable[Message]) -> None:
        """Add committed messages, but for those that were added before; deltas of them are ignored from then on."""
        for message in messages:
            if message.seq <= self._committed_seq:
                continue
            self._add(
                Delta(seq=message.seq, type=message.type, role=message.role, content=message.content, message=message)
            )
            self._committed_seq = message.seq

    def add(self, deltas: Iterable[Delta]) -> None:
        """Add what a turn says."""
        for delta in deltas:
            if delta.seq > self._committed_seq:
                self._add(delta)

    def draw(self) -> int:
        """Draw what changed.

        Returns:
            How many characters were drawn: what the browser has to take in.
        """
        changed = {id(self._items[seq]): self._items[seq] for seq in self._changed}
        self._changed.clear()
        return sum(self._draw(item) for item in changed.values())

    def _add(self, delta: Delta) -> None:
        self._next_seq = max(self._next_seq, delta.seq + 1)
        if delta.message is not None:
            self._ids.add(delta.message.id)
            if self._repeats_model(delta.message):
                return
        item = self._items.get(delta.seq)
        if item is None:
            item = self._items[delta.seq] = self._last = self._make_item(delta)
        if isinstance(item, _Calls):
            if delta.message is not None:
                item.messages[delta.seq] = delta.message
        elif delta.message is not None:
            item.message = delta.message
            item.parts = [delta.message.content]
        elif delta.offset == 0:
            item.parts = [delta.content]
        else:
            item.parts.append(delta.content)
        self._changed[delta.seq] = None

    def _make_item(self, delta: Delta) -> _Item | _Calls:
        if delta.type != "host_call":
            return _Item(delta.type, delta.role, self._make_place(delta.role))
        return self._last if isinstance(self._last, _Calls) else _Calls(self._make_place(delta.role))

    def _repeats_model(self, message: Message) -> bool:
        """Whether the message only says again who answers: that is shown where it changes."""
        if message.type != "state" or not isinstance(message.data, dict) or "model" not in message.data:
            return False
        before, self._model = self._model, message.content
        return message.content == before

    def _draw(self, item: _Item | _Calls) -> int:
        """Draw it, and return how many characters that were."""
        if isinstance(item, _Calls):
            messages = [item.messages[seq] for seq in sorted(item.messages)]
            draw_calls(item.place, messages)
            return sum(len(message.content) for message in messages)
        text = "".join(item.parts)
        shown = ShownMessage(type=item.type, role=item.role, text=text, message=item.message)
        draw_message(item.place, shown, files=self._files)
        return len(text)

    def _make_place(self, role: Role) -> DeltaGenerator:
        side: Role = "user" if role == "user" else "assistant"
        if self._bubble is None or side != self._bubble_role:
            self._bubble = open_bubble(self._area, side)
            self._bubble_role = side
        return self._bubble.empty()
