"""Writes the list of files in docs/architecture.md anew, from the first line of every file. `--check` only compares."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "architecture.md"
MARK = "keeps this list true.\n\n"


def list_files() -> str:
    """Return the list, one heading per folder, one line per file."""
    folders: dict[str, list[str]] = {}
    for path in sorted((ROOT / "libs").glob("*/src/**/*.py")):
        summary = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0].strip()
        if path.name == "__init__.py" and not summary:
            continue
        folder = "/".join(path.parent.relative_to(ROOT / "libs").parts[2:])
        folders.setdefault(folder, []).append(f"- `{path.name}`: {summary}")
    return "\n".join(f"### {folder}\n\n" + "\n".join(lines) + "\n" for folder, lines in sorted(folders.items()))


def main() -> int:
    """Write or compare; return the exit status."""
    head, mark, written = DOCUMENT.read_text(encoding="utf-8").partition(MARK)
    current = list_files()
    if "--check" in sys.argv[1:]:
        if written == current:
            return 0
        sys.stderr.write("docs/architecture.md is not up to date: run `python .ci/architecture.py`.\n")
        return 1
    DOCUMENT.write_text(head + mark + current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
