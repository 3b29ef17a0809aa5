"""What would allow what code was refused, and why a person is not asked for it with one click."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ghostos_moss._executor import Refusal
from ghostos_moss._net_hosts import NetHost, is_public_address
from ghostos_moss._permissions import Permission, PermissionKind, Permissions
from ghostos_moss._process._grants import find_places, resolve_grants
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import PermissionsError

__all__ = ["find_beside", "find_click_obstacle", "find_excluded", "find_obstacle", "find_remedy", "list_own_folders"]

_MAX_SHOWN_CHARS: Final = 300


def find_remedy(refusal: Refusal, *, never: Sequence[Path], beside: Sequence[Path]) -> Permission | None:
    """Return what would allow it; None where nothing would, or it is not to be said.

    Args:
        refusal: Checked.
        never: Places of files and folders that no permission includes.
        beside: Folders in which the user may have meant a relative path to be.
    """
    match refusal.kind:
        case "net" | "run":
            return Permission(refusal.kind)
        case "env":
            return Permission("env", refusal.what)
        case "host":
            return Permission("net", refusal.what)
        case "processes":
            return None
        case "own folder":
            found = find_beside(refusal.what, beside)
            return None if found is None else _permit("read", found, never=never)
        case "database":
            return _permit("write", Path(refusal.what).parent, never=never)  # other files are made beside it
        case "read" | "write":
            path = Path(refusal.what)
            is_new = refusal.kind == "write" and not os.path.lexists(path)
            return _permit(refusal.kind, path.parent if is_new else path, never=never)


def find_excluded(refusal: Refusal, remedy: Permission, *, never: Sequence[Path]) -> Path | None:
    """Return what lies in a folder and is left out of every grant of it, where a new file was to be written there.

    Such a grant gives the folder's entries one by one, so that nothing new can be made beside them.
    """
    if refusal.kind not in ("write", "database") or Path(refusal.what).parent != Path(remedy.what):
        return None
    return next((place for place in never if place.is_relative_to(remedy.what) and place != Path(remedy.what)), None)


def find_beside(name: str, folders: Sequence[Path]) -> Path | None:
    """Return the user's file that was meant. Nothing is said of files elsewhere, or of hidden ones."""
    if any(part.startswith(".") for part in Path(name).parts):
        return None
    return next((folder / name for folder in folders if os.path.isfile(folder / name)), None)


def list_own_folders(source: ModuleSource) -> list[Path]:
    """Return the folders in which a user means a relative path to be: the current one, and that of the target."""
    return [Path.cwd(), *([Path(source.filename).parent] if os.path.isabs(source.filename) else [])]


def find_obstacle(
    permission: Permission,
    *,
    source: ModuleSource,
    never: Sequence[Path],
    environment: Mapping[str, str],
    is_own_recorded: bool = False,
) -> str:
    """Say why a permission cannot be granted, as a part of a sentence; "" where it can. Arguments: `resolve_grants`."""
    try:
        resolve_grants(
            Permissions().plus(permission),
            source=source,
            never=never,
            environment=environment,
            is_own_recorded=is_own_recorded,
        )
    except PermissionsError as exc:
        return exc.reason
    except ValueError as exc:
        return f"{exc}"
    return ""


def find_click_obstacle(
    permission: Permission,
    *,
    source: ModuleSource,
    never: Sequence[Path],
    environment: Mapping[str, str],
    is_own_recorded: bool = False,
) -> str:
    """`find_obstacle` for a click on what is shown: it must be no more and nothing else than that."""
    if not permission.what.isprintable() or len(permission.what) > _MAX_SHOWN_CHARS:
        return "its name cannot be shown as it is"
    if permission.kind in ("read", "write"):
        obstacle = _find_path_obstacle(permission, never=never)
    elif permission.kind == "env" and permission.what not in environment:
        obstacle = "it is not set"
    elif permission.kind == "net" and permission.what:
        obstacle = _find_host_obstacle(permission.what)
    else:
        obstacle = ""
    return obstacle or find_obstacle(
        permission, source=source, never=never, environment=environment, is_own_recorded=is_own_recorded
    )


def _find_path_obstacle(permission: Permission, *, never: Sequence[Path]) -> str:
    path = Path(permission.what)
    if not path.is_absolute() or not os.path.exists(path):
        return "there is no such file or folder"
    if os.path.realpath(path) != str(path) or os.path.isdir(path) != permission.what.endswith("/"):
        return "something else is in its place now"
    if path == Path("/"):
        return "it is everything that there is"
    if any(place.is_relative_to(path) for place in _home_places()):
        return "it is your home folder, or has it in it"
    for folder in never:
        if folder.is_relative_to(path) or path.is_relative_to(folder):
            return f"it is, is inside or has in it {folder}, which is never granted"
    if not os.access(path, os.R_OK if permission.kind == "read" else os.R_OK | os.W_OK):
        return "you may not do that yourself"
    return ""


def _find_host_obstacle(entry: str) -> str:
    try:
        named = NetHost.parse(entry)
    except ValueError as exc:
        return f"{exc}"
    if named.is_wildcard:
        return "it is more than one host"
    if named.host == "localhost" or (named.address is not None and not is_public_address(named.address)):
        return "it is this machine, or in its own network"
    return ""


def _home_places() -> list[Path]:
    home = os.path.expanduser("~")
    return find_places(Path(home)) if os.path.isabs(home) else []


def _permit(kind: PermissionKind, path: Path, *, never: Sequence[Path]) -> Permission | None:
    """A permission for where a path leads, with its end saying whether that is a folder; None where it is never."""
    places = find_places(path)
    if any(place.is_relative_to(folder) for place in places for folder in never):
        return None
    real = str(places[-1])
    return Permission(kind, f"{real.rstrip('/')}/" if os.path.isdir(real) else real)
