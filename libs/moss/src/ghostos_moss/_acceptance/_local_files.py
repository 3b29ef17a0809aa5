"""The files of a folder that a module imports, found in the sources. Nothing is run."""

import ast
import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import decode_source, resolve_name
from pathlib import Path
from typing import Final

from ghostos_moss._syntax_trees import parse_tree

__all__ = ["Content", "digest_of", "find_files", "normalised", "read_content"]

MAX_FILES: Final = 2000
MAX_BYTES: Final = 16 * 1024 * 1024
_IMPORTERS: Final = frozenset({"import_module", "__import__"})


@dataclass(frozen=True, slots=True)
class Content:
    """What a file held when it was read, once.

    Attributes:
        digest: As in an `AcceptedFile`.
        text: Its source; None where it is none.
    """

    digest: str
    text: str | None


def digest_of(text: str) -> str:
    """The digest of a source that is normalised."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def normalised(data: bytes) -> str:
    """The text of a source, as `ModuleSource` has it.

    Raises:
        SyntaxError: It is in no encoding, or in another one than it says.
    """
    try:
        text = decode_source(data)
    except UnicodeError as exc:
        message = f"its text cannot be decoded: {exc}"
        raise SyntaxError(message) from exc
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_content(path: str) -> Content:
    """Read a file.

    Raises:
        OSError: It cannot be read.
    """
    data = Path(path).read_bytes()
    if path.endswith(".py") and len(data) <= MAX_BYTES:
        try:
            text = normalised(data)
            return Content(digest_of(text), text)
        except SyntaxError:  # it cannot be imported either
            pass
    return Content(hashlib.sha256(data).hexdigest(), None)


def find_files(
    text: str,
    *,
    filename: str,
    package: str | None,
    root: str,
    known: Collection[str],
    is_elsewhere: Callable[[str], bool],
) -> list[str]:
    """Return the file of a module and those in a folder that its `import` statements lead to, wherever they stand.

    Args:
        text: Its source.
        filename: Its file.
        package: Of the module.
        root: The folder; what the module's own package is in, or the module itself.
        known: Files that count as there, also when they are not.
        is_elsewhere: Whether a name at the top level is not imported from the root, whatever is there.

    Returns:
        Absolute paths, no more than 2,000, in the order in which they were found.
    """
    search = _Search(root, known, is_elsewhere)
    search.found[filename] = package or ""
    search.read(text, package=package or "", also=(package,) if package else ())
    return [*search.found]


class _Search:
    def __init__(self, root: str, known: Collection[str], is_elsewhere: Callable[[str], bool]) -> None:
        self._root = root
        self._known = known
        self._is_elsewhere = is_elsewhere
        self._finders: dict[str, FileFinder] = {}
        self._names: set[str] = set()
        self.found: dict[str, str] = {}

    def read(self, text: str, *, package: str, also: Collection[str] = ()) -> None:
        """Follow the imports of a source, and those of what they lead to."""
        ahead = [(text, package, also)]
        while ahead and len(self.found) < MAX_FILES:
            text, package, names = ahead.pop()
            for name in [*names, *_imported_names(text, package=package)]:
                for path, inside in self._follow(name):
                    if path in self.found:
                        continue
                    self.found[path] = inside
                    read = self._read(path)
                    if read is not None:
                        ahead.append((read, inside, ()))

    def _read(self, path: str) -> str | None:
        try:
            return read_content(path).text
        except OSError:  # it is not there any more, or not to be read: nothing of it can be imported
            return None

    def _follow(self, name: str) -> Iterator[tuple[str, str]]:
        """The files that are executed for a dotted name, each with the package that it is in."""
        parts = name.split(".")
        folders = [self._root]
        for count, part in enumerate(parts, start=1):
            dotted = ".".join(parts[:count])
            if dotted in self._names and count == len(parts):
                return
            self._names.add(dotted)
            if count == 1 and self._is_elsewhere(part):
                return
            inside = ".".join(parts[: count - 1])
            folders_below: list[str] = []
            for folder in folders:
                yield from self._find_gone(folder, part, inside)
                spec = self._finder(folder).find_spec(part)
                if spec is None:
                    continue
                if spec.loader is not None and spec.origin is not None:
                    is_package = spec.submodule_search_locations is not None
                    yield spec.origin, dotted if is_package else inside
                    folders_below = [*(spec.submodule_search_locations or ())]
                    break
                folders_below += spec.submodule_search_locations or ()
            folders = folders_below

    def _find_gone(self, folder: str, part: str, inside: str) -> Iterator[tuple[str, str]]:
        """What was imported by that name and is not there any more."""
        for path in (f"{folder}/{part}/__init__.py", f"{folder}/{part}.py"):
            if path in self._known and not os.path.isfile(path):
                yield path, inside

    def _finder(self, folder: str) -> FileFinder:
        found = self._finders.get(folder)
        if found is None:
            found = self._finders[folder] = FileFinder(
                folder,
                (ExtensionFileLoader, EXTENSION_SUFFIXES),
                (SourceFileLoader, SOURCE_SUFFIXES),
                (SourcelessFileLoader, BYTECODE_SUFFIXES),
            )
        return found


def _imported_names(text: str, *, package: str) -> Iterator[str]:
    """Dotted names that a source may import, and names of what it imports from them, which may be modules."""
    try:
        tree = parse_tree(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # it cannot be imported either
        return
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = _absolute(module, level=level, package=package)
                if base is not None:
                    yield from (base if each.name == "*" else f"{base}.{each.name}" for each in names)
            case ast.Call(func=function, args=[ast.Constant(value=str() as name), *_]):
                called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if called in _IMPORTERS and all(part.isidentifier() for part in name.split(".")):
                    yield name
            case _:
                continue


def _absolute(module: str | None, *, level: int, package: str) -> str | None:
    if not level:
        return module
    try:
        return resolve_name("." * level + (module or ""), package)
    except ImportError:
        return None
