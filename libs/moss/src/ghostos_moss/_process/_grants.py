"""What permissions come to on this machine: resolved paths, the values of variables."""

import os
import site
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ghostos_moss._acceptance._imports import find_imports
from ghostos_moss._permissions import Permissions
from ghostos_moss._places import find_places, import_root
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import PermissionsError

__all__ = ["OF_THE_SYSTEM", "Grants", "find_places", "leave_out", "resolve_grants"]

OF_THE_SYSTEM: Final = (Path("/proc"), Path("/sys"), Path("/dev"))
"""What lies there is other processes and devices, and means something else on each side."""

_MAX_ENTRIES = 5000
_CODE = frozenset({".py", ".pyc", ".so", ".pth"})
_BYTECODE = "__pycache__"


class Grants(msgspec.Struct, frozen=True):
    """What one worker may touch beside its own folder.

    Attributes:
        read: Real paths of files and folders.
        write: Likewise; may be read, too.
        env: Values by name.
        net: Any host. Named ones are the business of a client on the host.
        run: Other programs.
        everything: Nothing is kept from it.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    env: dict[str, str] = {}
    net: bool = False
    run: bool = False
    everything: bool = False


def resolve_grants(
    permissions: Permissions,
    *,
    source: ModuleSource,
    never: Sequence[Path],
    environment: Mapping[str, str],
    is_own_recorded: bool = False,
) -> Grants:
    """Return what permissions grant here.

    Args:
        permissions: Paths are relative to the current folder.
        source: The target.
        never: Places of files and folders that no grant includes, there or not: a grant of one above them is one of
            all else in it.
        environment: Where variables come from.
        is_own_recorded: Where the target imports from its own folder may be written: what is new there waits for the
            user. It may not where Python itself imports from there.

    Raises:
        PermissionsError: A path is not there, is inside a folder that is never granted, or may not be written.
    """
    if permissions.everything:
        return Grants(env=dict(environment), net=True, run=True, everything=True)
    guarded = _code_places(source, is_own_recorded=is_own_recorded) if permissions.write else []
    write: list[str] = []
    for name in permissions.write or ():
        path = _real("write", name, never=never)
        for place in guarded:
            if place.is_relative_to(path) or (path.is_relative_to(place) and _has_code(path)):
                reason = f"it reaches code that is imported from {place}: name a folder that has no Python files"
                raise PermissionsError("write", name, reason)
        write += leave_out(path, never)
    read = [each for name in permissions.read or () for each in leave_out(_real("read", name, never=never), never)]
    env = {name: environment[name] for name in permissions.env or () if name in environment}
    return Grants(read=tuple(read), write=tuple(write), env=env, net=permissions.net is True, run=bool(permissions.run))


def _real(kind: str, name: str, *, never: Sequence[Path]) -> Path:
    try:
        path = Path(name).expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as exc:
        raise PermissionsError(kind, name, "there is no such file or folder") from exc
    for folder in never:
        if path.is_relative_to(folder):
            raise PermissionsError(kind, name, f"it is inside {folder}, which is never granted")
    return path


def leave_out(path: Path, never: Sequence[Path]) -> Iterator[str]:
    """A path, or, if it contains a folder that is never granted, all else in it."""
    inside = [folder for folder in never if folder.is_relative_to(path)]
    if not inside:
        yield str(path)
        return
    try:
        entries = sorted(path.iterdir())[:_MAX_ENTRIES]
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink():  # it may lead there; what it leads to can be named itself
            continue
        yield from leave_out(entry, inside) if entry not in inside else ()


def _has_code(path: Path) -> bool:
    """Whether there is something to import in a folder, or in one of the first few thousand entries below it."""
    if not path.is_dir():
        return path.suffix in _CODE
    if path.name == _BYTECODE:
        return True
    seen = 0
    for _, folders, files in os.walk(path):
        seen += len(folders) + len(files)
        if seen > _MAX_ENTRIES or _BYTECODE in folders or any(Path(name).suffix in _CODE for name in files):
            return True
    return False


def _code_places(source: ModuleSource, *, is_own_recorded: bool) -> list[Path]:
    """From where this process, the next one like it and workers import, there or not yet; and what starts Python."""
    entries = [*(entry or "." for entry in sys.path), os.path.join(sys.prefix, "pyvenv.cfg"), sys.executable]
    if site.ENABLE_USER_SITE:
        entries.append(site.getusersitepackages())
    own = import_root(source.filename, package=source.package) if os.path.isabs(source.filename) else ""
    entries += [folder for folder in find_imports().list_folders() if folder != own]
    if not is_own_recorded:
        entries += [own, os.path.dirname(source.filename)] if own else []
    return [place for entry in entries if entry for place in find_places(Path(entry))]
