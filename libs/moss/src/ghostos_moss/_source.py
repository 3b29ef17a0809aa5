"""Reading a module's source once per version of its file."""

import ast
import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from stat import S_ISREG
from types import CodeType

from ghostos_moss._bindings import ImportedName, read_bindings
from ghostos_moss._hidden import find_hidden_regions, is_hidden, remove_hidden
from ghostos_moss._not_found import explain_file, explain_module, explain_spec
from ghostos_moss._syntax_trees import compile_tree, parse_tree
from ghostos_moss.errors import MossError, SourceNotFoundError, SourceSyntaxError

__all__ = ["ImportedName", "ModuleSource", "find_module_spec", "load_source", "parse_source"]

_CACHED_VERSIONS = 64


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ModuleSource:
    """One version of a module's source, read and parsed once. Shared: treat the tree as read-only."""

    name: str
    """As the user knows it: `shop`, `pkg.mod`, or `<moss>` when there is no module."""
    filename: str
    """The absolute path, or `<moss>`."""
    package: str | None
    """What relative imports start from: "" for a module outside packages, None when unknown."""
    text: str
    visible: str
    """The source without hidden regions; empty, or ending in one newline."""
    tree: ast.Module = field(repr=False)
    code: CodeType = field(repr=False)
    """What is executed in each fresh module."""
    hidden_names: frozenset[str]
    """Names bound inside hidden regions and nowhere else in the module's body."""
    imports: tuple[ImportedName, ...]
    """Visible imports of the module's body, each local name once, in order of first appearance."""
    digest: str
    """SHA-256 of `text`, hexadecimal."""
    memo: dict[str, object] = field(default_factory=dict[str, object], repr=False)
    """What others derived from this version and want back at the next compile; lives as long as it does."""


def load_source(target: str) -> ModuleSource:
    """Read a module without importing it. The same version of a file gives the same object.

    Args:
        target: A dotted module name, or the path of a file (it ends in `.py` or has a path separator). The name of
            a file's module is found by walking up while the folder has an `__init__.py`.

    Raises:
        SourceNotFoundError: No such module or file, or it has no Python source.
        SourceSyntaxError: The source does not parse.
        HiddenRegionError: The marks of its hidden regions do not pair up.
    """
    if target.endswith(".py") or "/" in target or "\\" in target:
        is_plain = os.path.isabs(target) and os.path.normpath(target) == target
        filename = target if is_plain else str(Path(target).absolute())
        name, package = _module_name(filename)
        return _load_file(filename, name=name, package=package, target=target)
    spec = _find_spec(target)
    package = target if spec.submodule_search_locations is not None else target.rpartition(".")[0]
    if spec.origin is not None and spec.has_location and spec.origin.endswith(".py") and os.path.isfile(spec.origin):
        return _load_file(spec.origin, name=target, package=package, target=target)
    text = _loader_text(spec)
    if text is None:
        raise SourceNotFoundError(target, explain_spec(spec))
    return parse_source(text, name=target, filename=spec.origin or f"<{target}>", package=package)


@lru_cache(maxsize=_CACHED_VERSIONS)
def parse_source(
    text: str, *, name: str = "<moss>", filename: str = "<moss>", package: str | None = None
) -> ModuleSource:
    """Parse source that is not, or no longer, what a file holds: code of a PyContext, say.

    Raises:
        SourceSyntaxError: The text does not parse.
        HiddenRegionError: The marks of its hidden regions do not pair up.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    tree, code = _compile(text, filename=filename)
    regions = find_hidden_regions(text, filename=filename)
    bindings = read_bindings(tree, package=package)
    shown = {bound for bound, line in bindings.lines if not is_hidden(line, regions=regions)}
    imports: dict[tuple[str, str], ImportedName] = {}
    for imported in bindings.imports:
        if not is_hidden(imported.line, regions=regions):
            imports.setdefault((imported.name, imported.module if imported.is_star else ""), imported)
    return ModuleSource(
        name=name,
        filename=filename,
        package=package,
        text=text,
        visible=remove_hidden(text, regions=regions),
        tree=tree,
        code=code,
        hidden_names=frozenset(bound for bound, _ in bindings.lines if bound not in shown),
        imports=tuple(imports.values()),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _compile(text: str, *, filename: str) -> tuple[ast.Module, CodeType]:
    try:
        tree = parse_tree(text, filename)
        return tree, compile_tree(tree, filename)
    except SyntaxError as exc:
        line = exc.lineno or 1
        lines = text.split("\n")
        source_line = lines[line - 1] if line <= len(lines) else ""
        raise SourceSyntaxError(
            filename, line, column=exc.offset or 1, source_line=source_line, reason=exc.msg
        ) from exc
    except (ValueError, RecursionError, MemoryError) as exc:
        reason = "it is nested too deeply" if not isinstance(exc, ValueError) else str(exc)
        raise SourceSyntaxError(filename, 1, column=1, source_line="", reason=reason) from exc


def _load_file(filename: str, *, name: str, package: str, target: str) -> ModuleSource:
    try:
        found = os.stat(filename)
        if not S_ISREG(found.st_mode):
            raise SourceNotFoundError(target, explain_file(Path(filename)))
        return _read_version(filename, name, package, found.st_mtime_ns, found.st_size)
    except OSError as exc:
        raise SourceNotFoundError(target, explain_file(Path(filename), error=exc)) from exc


@lru_cache(maxsize=_CACHED_VERSIONS)
def _read_version(filename: str, name: str, package: str, _mtime_ns: int, _size: int) -> ModuleSource:
    """Read and parse; the last two parameters are only what a version is known by."""
    try:
        text = importlib.util.decode_source(Path(filename).read_bytes())
    except (SyntaxError, UnicodeError) as exc:
        reason = f"its text cannot be decoded: {exc}"
        raise SourceSyntaxError(filename, 1, column=1, source_line="", reason=reason) from exc
    return parse_source.__wrapped__(text, name=name, filename=filename, package=package)


def _module_name(filename: str) -> tuple[str, str]:
    """The dotted name and the package of the module that a file is."""
    folder, file = os.path.split(filename)  # text, not Path, which takes ten times as long: every compile asks
    stem = os.path.splitext(file)[0]
    parts: list[str] = []
    while (name := os.path.basename(folder)).isidentifier() and os.path.isfile(f"{folder}/__init__.py"):
        parts.insert(0, name)
        folder = os.path.dirname(folder)
    package = ".".join(parts)
    if stem == "__init__" and parts:
        return package, package
    return ".".join([*parts, stem]), package


def find_module_spec(name: str) -> ModuleSpec | None:
    """Find a module by its dotted name, step by step: the packages that it is in are not imported.

    Returns:
        None where there is no such module, or only code of a package would say where it is.
    """
    found = getattr(sys.modules.get(name), "__spec__", None)
    if isinstance(found, ModuleSpec):
        return found
    places: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for count, part in enumerate(parts, start=1):
        dotted = ".".join(parts[:count])
        # With its whole name Python's own finder would ask a namespace for its parent, which is not imported.
        finds = (finder.find_spec(part if finder is PathFinder else dotted, places, None) for finder in sys.meta_path)
        spec = next((each for each in finds if each is not None), None)
        if spec is None:
            return None
        places = getattr(sys.modules.get(dotted), "__path__", spec.submodule_search_locations)
        if places is None and count < len(parts):
            return None
    return spec


def _find_spec(target: str) -> ModuleSpec:
    if not target or not all(part.isidentifier() for part in target.split(".")):
        raise SourceNotFoundError(target, explain_module(target))
    try:
        spec = find_module_spec(target)
        if spec is None:
            importlib.invalidate_caches()  # a file made a moment ago may be unknown to the finders
            spec = find_module_spec(target)
    except MossError:
        raise
    except Exception as exc:
        raise SourceNotFoundError(target, f"looking for it raised {type(exc).__name__}: {exc}") from exc
    if spec is None:
        parts = target.split(".")
        names = [".".join(parts[:count]) for count in range(1, len(parts))]
        missing = next((name for name in names if find_module_spec(name) is None), None)
        raise SourceNotFoundError(target, explain_module(target, missing=missing))
    return spec


def _loader_text(spec: ModuleSpec) -> str | None:
    """Source that is not a plain file's: a module in a zip archive."""
    get_source = getattr(spec.loader, "get_source", None)
    if get_source is None or spec.name in sys.builtin_module_names:
        return None
    try:
        text = get_source(spec.name)
    except ImportError:
        return None
    return text if isinstance(text, str) else None
