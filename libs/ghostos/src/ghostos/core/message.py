"""A message: one item of a thread, and the parts of it that arrive before it is whole."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from ghostos.core.json import Json

Role = Literal["user", "assistant", "system", "environment"]
MessageType = Literal[
    "text",
    "reasoning",
    "code",
    "output",
    "error",
    "host_call",
    "state",
    "variable",
    "image",
    "audio",
    "approval",
]
MessageStatus = Literal["complete", "partial"]

STREAMED_TYPES: frozenset[str] = frozenset({"text", "reasoning", "code"})
"""Types whose content arrives in deltas; every other type arrives once, whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One item of a thread, in the form of `--json`, the database, exports and the page.

    Attributes:
        seq: Place in the thread: rising, never reused.
        id: UUIDv7. A user's input has the id of its event.
        thread: Id of the task that the thread belongs to.
        turn: Number of the turn, from 1.
        round: Number of the round within the thread, from 1.
        parent: Id of the message that this one answers or belongs to, if any.
        role: Who speaks.
        type: What kind of item it is.
        content: Its text. A kind without text has "".
        data: Facts beside the text; the keys depend on the type.
        status: `partial` when the round ended before the message was whole: shown, never sent to a model.
        created_at: Aware, UTC.
    """

    seq: int
    id: str
    thread: str
    turn: int
    round: int
    role: Role
    type: MessageType
    content: str
    created_at: datetime
    parent: str | None = None
    data: Json = None
    status: MessageStatus = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What a receiver yields: a piece of a message, or the end of one.

    Attributes:
        seq: The message that it belongs to.
        type: The type of that message.
        role: The role of that message.
        content: The new text; "" in the delta that ends a message whose text was streamed.
        offset: Characters of the message before this delta.
        message: The whole message, in its last delta only.
        line: The line of this code that runs now, from 1; such a delta has no content, and may come after the message's
            last. Nobody says when no line runs any more: other messages follow then.
        printed: The end of what this code has printed so far; such a delta has no content either. The message with its
            output follows when the code has ended.
    """

    seq: int
    type: MessageType
    role: Role
    content: str
    offset: int = 0
    message: Message | None = None
    line: int | None = None
    printed: str | None = None

    @property
    def is_progress(self) -> bool:
        """Whether it says how far code has come: what the next one of its kind says takes its place."""
        return self.line is not None or self.printed is not None


def progress_of(code: Message, *, line: int | None = None, printed: str | None = None) -> Delta:
    """Return the delta that says how far a code message has come: the line that runs, or what it has printed."""
    return Delta(
        seq=code.seq,
        type=code.type,
        role=code.role,
        content="",
        offset=len(code.content),
        line=line,
        printed=printed,
    )


def whole_deltas(message: Message) -> tuple[Delta, ...]:
    """Return the deltas of a message that is whole already: its text once, then its end; one delta of other kinds.

    A state is no speech: its delta has no content, so that a program that prints what it hears does not print labels.
    """
    content = "" if message.type == "state" else message.content
    start = Delta(seq=message.seq, type=message.type, role=message.role, content=content)
    if message.type not in STREAMED_TYPES:
        return (replace(start, message=message),)
    return (start, last_delta(message))


def last_delta(message: Message) -> Delta:
    """Return the delta that ends a message whose text was streamed."""
    offset = len(message.content)
    return Delta(seq=message.seq, type=message.type, role=message.role, content="", offset=offset, message=message)


def encode_message(message: Message) -> bytes:
    """Return the message as one line of JSON, without the line's end, keys in the order of the format."""
    return _encoder.encode(
        {
            "seq": message.seq,
            "id": message.id,
            "thread": message.thread,
            "turn": message.turn,
            "round": message.round,
            "parent": message.parent,
            "role": message.role,
            "type": message.type,
            "content": message.content,
            "data": message.data,
            "status": message.status,
            "created_at": message.created_at,
        }
    )


def decode_message(line: bytes | str) -> Message:
    """Read one message from JSON.

    Raises:
        ValueError: The text is not a message.
    """
    return Message(**msgspec.structs.asdict(_decoder.decode(line)))


class _WireMessage(msgspec.Struct):
    """The fields of a message, checked while they are read; `data` is whatever JSON holds."""

    seq: int
    id: str
    thread: str
    turn: int
    round: int
    role: Role
    type: MessageType
    content: str
    created_at: datetime
    parent: str | None = None
    data: Any = None
    status: MessageStatus = "complete"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_WireMessage)
