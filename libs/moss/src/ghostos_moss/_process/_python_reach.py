"""Which files a worker may read for Python's own sake: the system's libraries, what is installed, what imports need.

A folder that a `.pth` file puts on the import path (an editable install's) may hold anything: of it only code is read.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ghostos_moss._process._grants import leave_out
from ghostos_moss._process._reach import Budget, is_package_folder

__all__ = ["PythonReach"]

_SYSTEM: Final = (
    *("/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/share", "/usr/local/lib", "/lib", "/lib64"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/localtime", "/etc/ld.so.cache", "/etc/mime.types"),
    "/dev/urandom",
)
_OF_A_PREFIX: Final = ("bin", "include", "lib", "lib32", "lib64", "libexec", "share", "pyvenv.cfg")
"""Beside them may lie a project, if its virtual environment was made in its own folder, or a user's home."""
_OF_CONDA: Final = ("etc", "ssl")
_LIBRARIES: Final = ("site-packages", "dist-packages")
_CODE: Final = (".py", ".pyi", ".pyc", ".so", "py.typed")
_BYTECODE: Final = "__pycache__"
_MAX_DEPTH: Final = 12


class PythonReach:
    """Paths that are the same for every worker.

    Args:
        never: Folders in which nothing is read, unless Python itself lies there.
        entries: The import path; None: this process's.
    """

    def __init__(self, *, never: Sequence[Path], entries: Sequence[str] | None = None) -> None:
        places = [Path(entry) for entry in (sys.path if entries is None else entries) if entry]
        whole = [*map(Path, _SYSTEM), *_list_of_prefixes(), *(each for each in places if _is_library(each))]
        self._never = tuple(never)
        self.whole: tuple[Path, ...] = _join(Path(path) for each in whole for path in leave_out(_real(each), never))
        """Files and folders to read with all that is in them."""
        self.roots: tuple[Path, ...] = tuple(root for root in map(_real, places) if not self._has(root))
        """Folders to import from, of which the names may be listed."""
        self._scanned: dict[Path, _Scan] = {}

    def find_code(self) -> list[Path]:
        """Return what may be imported from the roots, as it is now: files one by one, folders where all is code."""
        return [path for root in self.roots for path in self._scan(root).code]

    def _has(self, path: Path) -> bool:
        return any(path.is_relative_to(each) for each in self.whole)

    def _scan(self, root: Path) -> "_Scan":
        scan = self._scanned.get(root)
        if scan is None or scan.has_changed():
            scan = self._scanned[root] = _Scan.make(root, never=self._never)
        return scan


@dataclass(slots=True)
class _Scan:
    """What was found in a root, for as long as none of its folders with code changes."""

    never: Sequence[Path]
    may_join: bool
    budget: Budget = field(default_factory=Budget)
    code: list[Path] = field(default_factory=list[Path])
    folders: dict[Path, int] = field(default_factory=dict[Path, int])

    @classmethod
    def make(cls, root: Path, *, never: Sequence[Path]) -> "_Scan":
        scan = cls(never, may_join=not any(root.is_relative_to(each) for each in never))
        if root.is_file():  # an archive
            scan.code.append(root)
        else:
            scan.code, _ = scan._look_into(root, depth=0)
        return scan

    def has_changed(self) -> bool:
        return any(_changed_at(folder) != at for folder, at in self.folders.items())

    def _look_into(self, folder: Path, *, depth: int) -> tuple[list[Path], bool]:
        """Return what is code in a folder, and whether that is all that there is in it.

        Links count as nothing: nothing is allowed behind them.
        """
        at = _changed_at(folder)
        code, is_all = list[Path](), self.may_join and depth > 0
        for entry in self.budget.list(folder, first=("__init__.py",)):
            path = Path(entry.path)
            if entry.is_symlink():
                continue
            if not entry.is_dir():
                if is_code := entry.name.endswith(_CODE) and not entry.name.startswith("."):
                    code.append(path)
            elif entry.name == _BYTECODE:
                code.append(path)
                is_code = True
            elif is_code := depth < _MAX_DEPTH and is_package_folder(path) and path not in self.never:
                inside, is_code = self._look_into(path, depth=depth + 1)
                code += [path] if is_code else inside
            is_all = is_all and is_code
        if code or depth == 0:
            self.folders[folder] = at
        return code, is_all and bool(code) and not self.budget.is_spent


def _list_of_prefixes() -> list[Path]:
    """Where Python and what is installed lies."""
    found: list[Path] = []
    for prefix in map(Path, sorted({sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix})):
        is_conda = (prefix / "conda-meta").is_dir()
        found += [prefix / name for name in (*_OF_A_PREFIX, *(_OF_CONDA if is_conda else ()))]
    libraries = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return [*found, *map(Path, libraries), *map(Path, site.getsitepackages())]


def _is_library(path: Path) -> bool:
    return path.name in _LIBRARIES


def _join(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Leave out what is not there, and what is inside of another."""
    joined: list[Path] = []
    for path in sorted({path for path in paths if os.path.exists(path)}):  # a folder comes before what is in it
        if not (joined and path.is_relative_to(joined[-1])):
            joined.append(path)
    return tuple(joined)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _changed_at(folder: Path) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return -1
