"""Who decided what code of a module may touch, kind by kind: for people."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from ghostos.config import AppSettings
from ghostos.libraries.app_settings import read_settings
from ghostos_moss import ModuleSource, PermissionKind, Permissions, find_permissions

__all__ = ["KindDecision", "Level", "list_decisions"]

Level = Literal["command line", "module", "workspace", "nobody"]

_KINDS: Final[tuple[PermissionKind, ...]] = get_args(PermissionKind)


@dataclass(frozen=True, slots=True)
class KindDecision:
    """Who decides a kind of permission.

    Attributes:
        kind: What it is.
        level: The first that names it; `nobody` refuses it.
        said: What that says: True is all, names are these alone, False and nothing are nothing.
    """

    kind: PermissionKind
    level: Level
    said: bool | tuple[str, ...]


def list_decisions(app: AppSettings, source: ModuleSource) -> list[KindDecision]:
    """Return who decides each kind, as things are now, before any click of the user.

    Raises:
        ConfigError: The workspace's settings cannot be read.
        CompileError: The module's own permissions cannot be read.
    """
    command = app.confinement.permissions or Permissions()
    settings = read_settings(app.workspace.config_file).code.permissions
    levels: list[tuple[Level, Permissions]] = [
        ("command line", command),
        ("module", find_permissions(source) or Permissions()),
        ("workspace", Permissions(**settings.model_dump())),
    ]
    if command.everything:
        return [KindDecision(kind, "command line", True) for kind in _KINDS]
    return [_decide(kind, levels) for kind in _KINDS]


def _decide(kind: PermissionKind, levels: list[tuple[Level, Permissions]]) -> KindDecision:
    for level, permissions in levels:
        said: bool | tuple[str, ...] | None = getattr(permissions, kind)
        if said is not None:
            return KindDecision(kind, level, said)
    return KindDecision(kind, "nobody", False)
