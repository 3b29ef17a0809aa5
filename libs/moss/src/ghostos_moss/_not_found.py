"""Why a module's source was not found, and what to do: the words of `SourceNotFoundError`."""

from difflib import get_close_matches
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path

__all__ = ["explain_file", "explain_module", "explain_spec"]


def explain_file(path: Path, *, error: OSError | None = None) -> str:
    """For a path that could not be read as a file."""
    if error is not None and not isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return f"{path} cannot be read: {error.strerror or error}"
    try:
        return _explain_place(path)
    except OSError as exc:
        return f"{path} cannot be read: its folder does not let us look into it ({exc.strerror or exc})"


def _explain_place(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder: name a .py file in it"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.exists():
        return f"{path} is not a regular file"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix == ".py")
    close = get_close_matches(path.name, names, n=1)
    return f"there is no such file in {path.parent}" + (f" (did you mean {close[0]!r}?)" if close else "")


def explain_module(target: str, *, missing: str | None = None) -> str:
    """For a dotted name that nothing on `sys.path` answers to."""
    beside = Path(target.replace(".", "/") + ".py")
    if target and _is_readable_file(beside):
        return f"no such module on sys.path; there is a file: pass {f'./{beside}'!r}"
    if not all(part.isidentifier() for part in target.split(".")):
        return "it is neither a dotted module name nor the path of a .py file"
    if missing is not None and missing != target:
        return f"there is no module {missing!r} on sys.path"
    return "no such module on sys.path: check the spelling, or pass the path of its .py file"


def _is_readable_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder on the way that may not be looked into, or a name longer than any file's
        return False


def explain_spec(spec: ModuleSpec) -> str:
    """For a module that exists and has no Python source."""
    if spec.origin is None:
        return "it is a namespace package, a folder without __init__.py: name a module in it"
    if spec.origin in ("built-in", "frozen"):
        return f"it is {spec.origin}: it has no Python source"
    if spec.origin.endswith(tuple(EXTENSION_SUFFIXES)):
        return f"it is a C extension ({spec.origin}): it has no Python source"
    return f"it has no Python source ({spec.origin})"
