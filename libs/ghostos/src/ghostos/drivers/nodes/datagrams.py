"""What nodes send each other: the ids of tasks, as a JSON list; an empty one means everything."""

from collections.abc import Collection

import msgspec

__all__ = ["EVERYTHING", "MAX_BYTES", "decode", "encode"]

MAX_BYTES = 8_192
EVERYTHING = b"[]"

_MAX_IDS = 100
_MAX_ID_CHARS = 64

_decode = msgspec.json.Decoder(list[str]).decode


def encode(task_ids: Collection[str]) -> bytes:
    """Return the datagram that names the tasks; that which means everything where they are too many, or too long."""
    if len(task_ids) > _MAX_IDS or any(len(task_id) > _MAX_ID_CHARS for task_id in task_ids):
        return EVERYTHING
    datagram = msgspec.json.encode([*task_ids])
    return datagram if len(datagram) <= MAX_BYTES else EVERYTHING


def decode(datagram: bytes) -> list[str]:
    """Return the tasks that a datagram names; none, which means everything, where it cannot be read."""
    try:
        task_ids = _decode(datagram)
    except ValueError:
        return []
    return task_ids if all(len(task_id) <= _MAX_ID_CHARS for task_id in task_ids) else []
