"""Where the documentation is."""

from dataclasses import dataclass
from pathlib import Path

import ghostos

__all__ = ["Document", "list_documents"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document on this machine."""

    path: Path
    title: str


def list_documents() -> list[Document]:
    """Return the documents of the clone that this is installed from, its readme first; none where it is from none."""
    folder = _find_clone()
    if folder is None:
        return []
    paths = [folder.parent / "README.md", *sorted(folder.rglob("*.md"))]
    return [Document(path, _read_title(path)) for path in paths if path.is_file()]


def _find_clone() -> Path | None:
    """Return the documents' folder, where the package lies in a clone: libs/ghostos/src/ghostos."""
    parents = Path(ghostos.__file__).resolve().parents
    root = parents[4] if len(parents) > 4 else None
    if root is None or not (root / "libs" / "ghostos" / "pyproject.toml").is_file() or not (root / "docs").is_dir():
        return None
    return root / "docs"


def _read_title(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return next((line.lstrip("# ").strip() for line in file if line.startswith("#")), path.stem)
