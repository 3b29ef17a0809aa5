"""Files that ghosts and clients hand to each other by id, and the messages that show them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from ghostos.core.json import JsonObject
from ghostos.core.media_types import kind_of
from ghostos.core.message import Message, MessageType

__all__ = ["Asset", "AssetRef", "clean_name", "find_asset", "show_size"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_NAME_CHARS: Final = 120
_KIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRef:
    """A file as messages name it.

    Attributes:
        id: UUIDv7. It counts only for the task that saved the file, and those that it was given to.
        name: For people to read; not a path.
        sha256: Of the content, in hex: where it lies.
        media_type: Of the content, as its bytes say.
        size_bytes: Of the content.
    """

    id: str
    name: str
    sha256: str
    media_type: str
    size_bytes: int

    @property
    def kind(self) -> str:
        """`image`, `audio` or `file`."""
        return kind_of(self.media_type)

    @property
    def message_type(self) -> MessageType | None:
        """The type of the message that shows it; None where it cannot be shown."""
        return cast("MessageType", self.kind) if self.kind != "file" else None

    def to_data(self) -> JsonObject:
        """Return the facts of the message that shows it; its content is the name."""
        return {
            "asset": self.id,
            "sha256": self.sha256,
            "media_type": self.media_type,
            "size_bytes": self.size_bytes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file that was saved.

    Attributes:
        ref: What it is.
        task_id: The task that saved it, or for which a client did.
        created_at: Aware, UTC.
        given_to: The tasks that may use its id, too.
    """

    ref: AssetRef
    task_id: str
    created_at: datetime
    given_to: tuple[str, ...] = ()


def find_asset(message: Message) -> AssetRef | None:
    """Return the file that a message shows; None where it shows none."""
    data = message.data
    if message.type not in ("image", "audio") or not isinstance(data, dict):
        return None
    asset, sha256, media_type, size = (data.get(key) for key in ("asset", "sha256", "media_type", "size_bytes"))
    if not isinstance(asset, str) or not isinstance(media_type, str) or not isinstance(size, int):
        return None
    if not isinstance(sha256, str) or _SHA256.fullmatch(sha256) is None:
        return None
    return AssetRef(id=asset, name=message.content, sha256=sha256, media_type=media_type, size_bytes=size)


def clean_name(name: str) -> str:
    """Return a file's name as it is shown: one line without brackets, not the path to it."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join("_" if not each.isprintable() or each in "[]<>" else each for each in last).strip()
    return shown[:_MAX_NAME_CHARS] or "unnamed"


def show_size(size_bytes: int) -> str:
    """Return a size for people to read: `812 bytes`, `12 KiB`, `3.4 MiB`."""
    if size_bytes < _KIB:
        return f"{size_bytes} bytes"
    if size_bytes < _KIB**2:
        return f"{size_bytes / _KIB:.0f} KiB"
    return f"{size_bytes / _KIB**2:.1f} MiB"
