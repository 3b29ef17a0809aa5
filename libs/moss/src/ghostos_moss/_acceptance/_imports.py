"""Imports of this process from the folders of targets: only what is accepted, and exactly what was looked at.

Such a folder is not put on `sys.path`. What `sys.path` has goes first, so nothing in the folder takes the place of a
library. Bytecode beside a source is neither read nor written. Folders that are on `sys.path` may be followed, too: of
them what code could write counts.
"""

import hashlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import CodeType, ModuleType
from typing import Protocol

from ghostos_moss._acceptance._local_files import digest_of, normalised
from ghostos_moss._places import is_inside

__all__ = ["AcceptedImports", "Admitter", "find_imports", "sys_path"]

_lock = threading.Lock()


class Admitter(Protocol):
    """Says what may be executed."""

    def admit(self, path: str, digest: str, *, target: str, is_text: bool = True) -> None:
        """Let content be executed, or raise."""
        ...

    def check_gone(self, path: str, *, target: str) -> None:
        """Have a file that is not there count as changed, where it was accepted."""
        ...

    def is_written(self, path: str) -> bool:
        """Whether code could ever write a file."""
        ...


@dataclass(frozen=True, slots=True)
class _Root:
    """A folder that is followed.

    Attributes:
        target: Whose imports these are, for what is told.
        admitters: Who is asked before anything is executed; all of them.
        names: What may be imported from it at the top level; None: everything.
    """

    target: str = ""
    admitters: tuple[Admitter, ...] = ()
    names: frozenset[str] | None = frozenset()


class AcceptedImports:
    """Finds modules in the folders that are followed: one for the process, on `sys.meta_path` and `sys.path_hooks`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roots: dict[str, _Root] = {}
        self._finders: dict[str, _Finder] = {}
        self._looking = threading.local()

    def follow(self, folder: str, *, target: str, admitter: Admitter, name: str | None = None) -> None:
        """Import from a folder what an admitter admits; what several are asked for, all of them must.

        Args:
            folder: Absolute.
            target: Whose imports they are, for what is told.
            admitter: Asked before anything is executed.
            name: Of a module at the top level: no other one is found there. None: all are.
        """
        with self._lock:
            known = self._roots.get(folder, _Root())
            added = () if admitter in known.admitters else (admitter,)
            names = None if name is None or known.names is None else known.names | {name}
            self._roots[folder] = _Root(target, (*known.admitters, *added), names)
            if not known.admitters:
                self._forget_finders(folder)
                self._finders[folder] = self._make_finder(folder)

    def leave(self, admitter: Admitter) -> None:
        """Import nothing more for an admitter."""
        with self._lock:
            for folder, root in [*self._roots.items()]:
                left = tuple(each for each in root.admitters if each is not admitter)
                if left:
                    self._roots[folder] = replace(root, admitters=left)
                else:
                    del self._roots[folder], self._finders[folder]
                    self._forget_finders(folder)

    def list_folders(self) -> list[str]:
        """Return the folders that are followed."""
        return [*self._roots]

    def __call__(self, entry: str) -> "_Finder":
        """Look into a folder that Python has come to, if it is in one that is followed.

        Raises:
            ImportError: It is not.
        """
        folder = os.path.abspath(entry)
        if self._find_root(folder) is None or not os.path.isdir(folder):
            message = f"{entry} is in no folder that is followed"
            raise ImportError(message)
        return self._make_finder(folder)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module at the top level that no other finder has."""
        if path is not None:
            return None
        portions: list[str] = []
        for folder, finder in [*self._finders.items()]:
            names = self._roots.get(folder, _Root()).names
            spec = finder.find_spec(name, target) if names is None or name in names else None
            if spec is None:
                continue
            other = self._find_elsewhere(name, target)
            if other is not None and other.loader is not None:
                return other
            if spec.loader is not None:
                return spec
            portions += [*(other.submodule_search_locations or () if other else ())] if not portions else []
            portions += spec.submodule_search_locations or ()
        if not portions:
            return None
        found = ModuleSpec(name, None, is_package=True)
        found.submodule_search_locations = [*dict.fromkeys(portions)]
        return found

    def invalidate_caches(self) -> None:
        """Look at the folders anew."""
        for finder in [*self._finders.values()]:
            finder.invalidate_caches()

    def is_elsewhere(self, name: str, *, root: str) -> bool:
        """Whether a module at the top level is not imported from a folder, whatever is there or not any more."""
        self._looking.is_all = True
        try:
            found = self._find_elsewhere(name, None)
        finally:
            self._looking.is_all = False
        return found is not None and found.loader is not None and not _belongs(found.origin or "", root)

    def admit(self, path: str, digest: str, *, is_text: bool) -> None:
        """Let content of a folder that is followed be executed, or raise."""
        for target, admitter in self._admitters(path):
            admitter.admit(path, digest, target=target, is_text=is_text)

    def check_gone(self, path: str) -> None:
        """Have a file in such a folder that is not there count as changed, where it was accepted.

        Not while it is only looked at what there is: nothing is imported then.
        """
        if getattr(self._looking, "is_all", False):
            return
        for target, admitter in self._admitters(path):
            admitter.check_gone(path, target=target)

    def is_free(self, path: str) -> bool:
        """Whether a file is executed as Python does it."""
        return not any(self._admitters(path))

    def _admitters(self, path: str) -> Iterator[tuple[str, Admitter]]:
        folder = self._find_root(path)
        root = self._roots.get(folder) if folder is not None else None
        if root is not None:
            is_pythons = folder in sys_path()
            for admitter in root.admitters:
                if not is_pythons or admitter.is_written(path):
                    yield root.target, admitter

    def _find_elsewhere(self, name: str, target: ModuleType | None) -> ModuleSpec | None:
        """What the other finders have: a module, or portions of a namespace."""
        namespace: ModuleSpec | None = None
        for finder in [*sys.meta_path]:
            if isinstance(finder, AcceptedImports):
                continue
            spec = finder.find_spec(name, None, target)
            if spec is not None and spec.loader is not None:
                return spec
            namespace = namespace or spec
        return namespace

    def _find_root(self, path: str) -> str | None:
        """The followed folder that a path is in, unless it is in one below that from which Python itself imports."""
        root = max((root for root in [*self._roots] if is_inside(path, root)), key=len, default=None)
        return root if root is not None and _belongs(path, root) else None

    def _make_finder(self, folder: str) -> "_Finder":
        return _Finder(
            folder,
            (partial(_ExtensionLoader, imports=self), EXTENSION_SUFFIXES),
            (partial(_SourceLoader, imports=self), SOURCE_SUFFIXES),
            (partial(_BytecodeLoader, imports=self), BYTECODE_SUFFIXES),
            imports=self,
        )

    def _forget_finders(self, folder: str) -> None:
        for entry in [*sys.path_importer_cache]:
            if is_inside(os.path.abspath(entry), folder):
                sys.path_importer_cache.pop(entry, None)


class _Finder(FileFinder):
    """One folder."""

    def __init__(self, folder: str, *details: tuple[object, Sequence[str]], imports: AcceptedImports) -> None:
        super().__init__(folder, *details)  # pyright: ignore[reportArgumentType] - makers of loaders, as it wants
        self._imports = imports

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        name = fullname.rpartition(".")[2]
        for path in (f"{self.path}/{name}/__init__.py", f"{self.path}/{name}.py"):
            if not os.path.isfile(path):
                self._imports.check_gone(path)
        return super().find_spec(fullname, target)


class _SourceLoader(SourceFileLoader):
    def __init__(self, name: str, path: str, *, imports: AcceptedImports) -> None:
        super().__init__(name, path)
        self._imports = imports

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of what was read, once, and admitted."""
        path = self.get_filename(fullname)
        if self._imports.is_free(path):
            return super().get_code(fullname)
        text = normalised(self.get_data(path))
        self._imports.admit(path, digest_of(text), is_text=True)
        return compile(text, path, "exec", dont_inherit=True)


class _BytecodeLoader(SourcelessFileLoader):
    def __init__(self, name: str, path: str, *, imports: AcceptedImports) -> None:
        super().__init__(name, path)
        self._imports = imports

    def get_code(self, fullname: str) -> CodeType | None:
        """The code, where nobody else could have written it."""
        _admit_compiled(self.path, self._imports)
        return super().get_code(fullname)


class _ExtensionLoader(ExtensionFileLoader):
    def __init__(self, name: str, path: str, *, imports: AcceptedImports) -> None:
        super().__init__(name, path)
        self._imports = imports

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module, where nobody else could have written it."""
        _admit_compiled(self.path, self._imports)
        return super().create_module(spec)


def find_imports() -> AcceptedImports:
    """Return that of this process."""
    with _lock:
        for finder in sys.meta_path:
            if isinstance(finder, AcceptedImports):
                return finder
        made = AcceptedImports()
        sys.path_hooks.insert(0, made)
        sys.meta_path.insert(0, made)
        return made


def sys_path() -> tuple[str, ...]:
    """The folders from which Python itself imports, as absolute paths."""
    return _absolute(tuple(sys.path), os.getcwd())


@lru_cache(maxsize=4)
def _absolute(entries: tuple[str, ...], _here: str) -> tuple[str, ...]:
    return tuple(os.path.abspath(entry) for entry in entries)


def _belongs(path: str, root: str) -> bool:
    """Whether a path is in a folder, and in none below it from which Python itself imports."""
    below = (entry for entry in sys_path() if len(entry) > len(root) and is_inside(path, entry))
    return is_inside(path, root) and not any(below)


def _admit_compiled(path: str, imports: AcceptedImports) -> None:
    if imports.is_free(path):
        return
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    imports.admit(path, digest, is_text=False)
