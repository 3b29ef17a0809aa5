"""The lines of a journal.

A line is `{"kind": "start", "message": {…}}`, `{"kind": "complete", "message": {…}}` or
`{"kind": "delta", "seq": 17, "text": "…"}`.
"""

from typing import Literal

import msgspec

from ghostos.contracts.journal import JournalStep
from ghostos.core.message import decode_message

__all__ = ["Line", "encode_line", "read_line"]


class Line(msgspec.Struct, omit_defaults=True):
    """One line."""

    kind: Literal["start", "delta", "complete"]
    seq: int = 0
    text: str = ""
    message: msgspec.Raw = msgspec.Raw()


encode_line = msgspec.json.Encoder().encode
"""Return a line without its end."""

_decode = msgspec.json.Decoder(Line).decode


def read_line(content: bytes) -> JournalStep | None:
    """Return what a line says; None where it is torn, damaged, or nested to no end: the other lines still count."""
    try:
        line = _decode(content)
        if line.kind == "delta":
            return JournalStep(seq=line.seq, text=line.text)
        message = decode_message(bytes(line.message))
    except (ValueError, RecursionError):
        return None
    return JournalStep(seq=message.seq, message=message, is_whole=line.kind == "complete")
