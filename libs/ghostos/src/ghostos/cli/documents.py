"""`ghostos docs`: where the documentation is."""

from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import ghostos
from ghostos.cli.streams import write_out
from ghostos.errors import NotConfiguredError

_DISTRIBUTION = "ghostos-core"


def print_documents() -> None:
    """Print the documents of the clone that this is installed from; without one, the package's readme.

    Raises:
        NotConfiguredError: Neither can be found.
    """
    folder = _find_clone()
    if folder is None:
        write_out(_read_readme())
        return
    paths = [folder.parent / "README.md", *sorted(folder.rglob("*.md"))]
    write_out("".join(f"{path}\n    {_read_title(path)}\n" for path in paths if path.is_file()))


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


def _read_readme() -> str:
    try:
        found = metadata(_DISTRIBUTION)
    except PackageNotFoundError as exc:
        raise NotConfiguredError(
            f"The package {_DISTRIBUTION} is not installed: its readme is not to be had.",
            advice="Install it; from a clone: make setup",
        ) from exc
    return found["Description"]
