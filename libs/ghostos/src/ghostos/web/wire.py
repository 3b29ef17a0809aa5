"""What the live pane is told: items of JSON, several in one frame of its websocket.

An item has a `kind`:

- `hello`: the first of each connection; the `version` of all this, the `model` that would answer in a new thread;
- `begins`: the first message that is sent by itself has this `seq`; `has_earlier`: others, before it, can be asked for;
- `message`: a message of the thread, in the format of `--json`;
- `delta`: more text of one (`seq`, `offset`, `delta`, `type`, `role`), or the `line` of code that runs now, or
  the end of what that code has `printed` so far;
- `committed`: all up to `seq` is stored; what was shown beyond that and is not said again is gone;
- `reset`: forget the thread, it follows anew;
- `turn`: one has ended;
- `status`: what `describe_status` returns; `is_new` beside it: nobody has begun the thread;
- `bodies`: how all bodies are, with their pictures in Base64;
- `gone`: the thread was deleted; nothing follows;
- `error`: what has `happened`, and `advice`; where it `is_final`, nothing follows.
"""

from typing import Any, Final

import msgspec

from ghostos.core.json import JsonObject
from ghostos.core.message import Delta, Message, encode_message
from ghostos.errors import GhostOSError, UsageError

__all__ = [
    "VERSION",
    "describe_error",
    "encode_delta",
    "encode_error",
    "encode_frame",
    "encode_item",
    "encode_message_item",
]

VERSION: Final = 3
"""Rises with each change of the items that a page of before would not understand. 2: a page shows its key."""

_encoder: Final = msgspec.json.Encoder()


def encode_item(kind: str, **facts: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Return one item."""
    return _encoder.encode({"kind": kind, **facts})


def encode_message_item(message: Message) -> bytes:
    """Return a whole message as an item."""
    return b'{"kind":"message","message":' + encode_message(message) + b"}"


def encode_delta(delta: Delta) -> bytes:
    """Return what a turn says as an item: a whole message where the delta ends one."""
    if delta.message is not None:
        return encode_message_item(delta.message)
    facts: JsonObject = {"seq": delta.seq, "offset": delta.offset, "delta": delta.content}
    if delta.line is not None:
        facts["line"] = delta.line
    if delta.printed is not None:
        facts["printed"] = delta.printed
    return encode_item("delta", **facts, type=delta.type, role=delta.role)


def encode_error(error: GhostOSError) -> bytes:
    """Return what went wrong, and what to do, as an item."""
    return encode_item("error", **describe_error(error), is_final=isinstance(error, UsageError))


def describe_error(error: GhostOSError) -> JsonObject:
    """Return what went wrong, and what to do, as JSON."""
    return {"happened": error.happened, "advice": error.advice}


def encode_frame(items: list[bytes]) -> str:
    """Return several items as one frame of a websocket, in order."""
    return (b"[" + b",".join(items) + b"]").decode()
