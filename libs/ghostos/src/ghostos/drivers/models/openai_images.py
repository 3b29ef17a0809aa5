"""Images of a thread as parts of messages in OpenAI's form: what is sent of them, and what is not."""

import asyncio
import base64
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from ghostos.contracts.asset_files import AssetFiles
from ghostos.core.asset import AssetRef
from ghostos.core.media_types import find_media_type, kind_of
from ghostos.core.prompt import AssetMessage, PromptMessage
from ghostos.errors import WorkspaceError

__all__ = ["ImageParts"]

_MIB: Final = 1024**2
_MOST_SENT: Final = 50
_MOST_SENT_BYTES: Final = 30 * _MIB
"""Of the newest images of a thread; of those before there is the name."""
_MOST_KEPT_BYTES: Final = 64 * _MIB
_MOST_NOTED: Final = 1_000
_REFUSALS: Final = frozenset({400, 413, 415, 422})
_TOO_LARGE: Final = 413

_logger = logging.getLogger(__name__)


class ImageParts:
    """What one model is sent of images. Usable from several event loops.

    An image that the service refuses, or whose file is lost, is named to the model in its place: it stays in the
    thread, which would otherwise be refused for ever.

    Args:
        label: The model's, for the log.
        files: Where images lie; None where the model is sent none.
    """

    def __init__(self, label: str, *, files: AssetFiles | None) -> None:
        self._label = label
        self._files = files
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._taken: set[str] = set()
        self._refused: set[str] = set()

    async def load(self, messages: Iterable[PromptMessage]) -> dict[str, bytes]:
        """Return the parts of the images that are sent, as JSON, by the SHA-256 of the image."""
        if self._files is None:
            return {}
        chosen = self._choose([each.asset for each in messages if isinstance(each, AssetMessage)])
        if not chosen:
            return {}
        with self._lock:
            parts = {each.sha256: self._kept[each.sha256] for each in chosen if each.sha256 in self._kept}
        missing = [each for each in chosen if each.sha256 not in parts]
        if missing:  # the loop serves others meanwhile
            parts |= await asyncio.to_thread(self._load, self._files, missing)
        return parts

    def render(self, message: AssetMessage, *, parts: Mapping[str, bytes]) -> object:
        """Return the message as it is sent."""
        part = parts.get(message.asset.sha256)
        if part is None:
            return PromptMessage(message.role, message.content)
        return {"role": message.role, "content": [{"type": "text", "text": message.caption}, msgspec.Raw(part)]}

    def note_taken(self, parts: Mapping[str, bytes]) -> None:
        """Remember that a request with these was not refused."""
        with self._lock:
            _note(self._taken, parts)

    def learn_from(self, status: int, refusal: str, *, parts: Mapping[str, bytes]) -> bool:
        """Send no more what a request was refused for: images that it had for the first time, if some were.

        Returns:
            Whether that changes the request.
        """
        if not parts or status not in _REFUSALS or not ("image" in refusal.lower() or status == _TOO_LARGE):
            return False
        with self._lock:
            refused = [sha256 for sha256 in parts if sha256 not in self._taken] or list(parts)
            _note(self._refused, refused)
        _logger.warning(
            "%s refused %d images, which are only named to it now: %.200s", self._label, len(refused), refusal
        )
        return True

    def _choose(self, assets: Sequence[AssetRef]) -> list[AssetRef]:
        chosen: list[AssetRef] = []
        room = _MOST_SENT_BYTES
        for asset in reversed(assets):
            if asset.kind != "image" or asset.sha256 in self._refused:
                continue
            room -= asset.size_bytes
            if room < 0 or len(chosen) == _MOST_SENT:
                break
            chosen.append(asset)
        return chosen

    def _load(self, files: AssetFiles, assets: Iterable[AssetRef]) -> dict[str, bytes]:
        parts: dict[str, bytes] = {}
        for asset in assets:
            try:
                content = files.read(asset.sha256)
            except WorkspaceError as exc:
                _logger.warning("an image is only named to %s: %s", self._label, exc.happened)
                continue
            media_type = find_media_type(content)
            if kind_of(media_type) == "image":
                parts[asset.sha256] = _make_part(content, media_type=media_type)
                self._keep(asset.sha256, parts[asset.sha256])
        return parts

    def _keep(self, sha256: str, part: bytes) -> None:
        with self._lock:
            if sha256 not in self._kept:
                self._kept[sha256] = part
                self._kept_bytes += len(part)
            while self._kept_bytes > _MOST_KEPT_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= len(dropped)


def _make_part(content: bytes, *, media_type: str) -> bytes:
    data = base64.b64encode(content)
    return b'{"type":"image_url","image_url":{"url":"data:%s;base64,%s"}}' % (media_type.encode(), data)


def _note(noted: set[str], hashes: Iterable[str]) -> None:
    if len(noted) > _MOST_NOTED:
        noted.clear()
    noted.update(hashes)
