"""How files of a thread look on the page. Only what was saved is shown: its hash and its first bytes are looked at."""

import io
import logging
from typing import Final

from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.asset_files import AssetFiles
from ghostos.core.asset import AssetRef, show_size
from ghostos.core.media_types import find_media_type, kind_of
from ghostos.errors import WorkspaceError
from ghostos.web.markdown import escape_markdown

__all__ = ["draw_asset"]

_MAX_PIXELS: Final = 40_000_000
"""A small file can hold an image that takes gigabytes once it is unpacked."""

_logger = logging.getLogger(__name__)


def draw_asset(place: DeltaGenerator, asset: AssetRef, *, files: AssetFiles | None) -> None:
    """Draw an image or audio, and its name; where it cannot be had, its name alone."""
    box = place.container(gap="xsmall")
    content = _load(asset, files=files)
    label = escape_markdown(f"{asset.kind} {asset.name}, {show_size(asset.size_bytes)}")
    if content is None or not _draw(box, content, media_type=find_media_type(content)):
        label += " · cannot be shown"
    box.markdown(f":small[:gray[{label}]]")


def _load(asset: AssetRef, *, files: AssetFiles | None) -> bytes | None:
    try:
        return files.read(asset.sha256) if files is not None else None
    except WorkspaceError as exc:
        _logger.warning("a file of a thread cannot be shown: %s", exc.happened)
        return None


def _draw(box: DeltaGenerator, content: bytes, *, media_type: str) -> bool:
    match kind_of(media_type):
        case "image" if _is_drawable(content):
            box.image(content, output_format="PNG" if media_type == "image/png" else "auto")  # auto makes JPEG of it
        case "audio":
            box.audio(content, format=media_type)
        case _:
            return False
    return True


def _is_drawable(content: bytes) -> bool:
    """Whether an image can be unpacked, and within bounds. Streamlit makes large ones smaller, and so unpacks them."""
    from PIL import Image  # noqa: PLC0415 - it takes its time, and most pages show no image

    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > _MAX_PIXELS:
                return False
            image.load()
    except Exception:  # noqa: BLE001 - a file of anybody's making, and a library for dozens of formats
        return False
    return True
