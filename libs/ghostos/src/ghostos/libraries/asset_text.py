"""Files of a thread in one line."""

from collections.abc import Callable
from pathlib import Path

from ghostos.core.asset import AssetRef, show_size

PathOf = Callable[[str], Path]
"""Returns where a content lies, by its SHA-256."""


def describe_asset(asset: AssetRef, *, path_of: PathOf | None = None) -> str:
    """Return what a file is, how large, and where it lies; its id where nobody says where that is."""
    place = f"asset {asset.id}" if path_of is None else str(path_of(asset.sha256))
    return f"{asset.kind} {asset.name}, {show_size(asset.size_bytes)}, {place}"
