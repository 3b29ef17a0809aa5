"""The port to the files that were saved: content, found by what it is."""

from pathlib import Path
from typing import Protocol


class AssetFiles(Protocol):
    """The content of saved files, each once, by the SHA-256 of its bytes. Methods block; any thread may call them."""

    @property
    def max_bytes(self) -> int:
        """The largest file that is taken."""
        ...

    def save(self, content: bytes) -> str:
        """Keep a content. One that is there already stays as it is, unless it was damaged.

        Returns:
            Its SHA-256, in hex.

        Raises:
            AssetError: It is empty or too large.
            WorkspaceError: It cannot be written; see its kinds.
        """
        ...

    def read(self, sha256: str) -> bytes:
        """Return a content: exactly the one that was saved.

        Raises:
            AssetLostError: It is not there, or another one is in its place.
        """
        ...

    def path_of(self, sha256: str) -> Path:
        """Return where a content lies, or would lie."""
        ...
