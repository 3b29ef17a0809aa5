"""The port to what the user allows: what holds for a module, what may be offered, and what is kept for always."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ghostos.core.permission import Grant, Scope
from ghostos_moss import ModuleSource, Permission, Permissions


@dataclass(frozen=True, slots=True)
class HeldPermissions:
    """What code of a module may touch now.

    Attributes:
        permissions: All told; every kind is named.
        left_out: What the workspace's settings name and what cannot be granted, with the reason: for people to read.
    """

    permissions: Permissions
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """How long the user may allow something with one click.

    Attributes:
        scopes: From the shortest to the longest; empty where it cannot be.
        reason: Why one is missing, as a part of a sentence; empty where none is.
    """

    scopes: tuple[Scope, ...]
    reason: str = ""


class PermissionBook(Protocol):
    """What the command, the module, the workspace's settings and the user's clicks allow.

    Its methods read files, and block for that long. From any thread.
    """

    def get(self, source: ModuleSource, *, grants: Sequence[Grant] = ()) -> HeldPermissions:
        """Return what code of a module may touch, as things are now.

        Per kind the first level that names it decides alone: the command, the module, the workspace. What the user has
        allowed with a click is added, unless that level refuses the kind.

        Args:
            source: The module, as the user accepted it.
            grants: What the user has allowed, and holds.

        Raises:
            ConfigError: The workspace's settings cannot be read.
            TargetError: The module's own permissions cannot be read.
        """
        ...

    def find_offer(self, permission: Permission, *, source: ModuleSource) -> Offer:
        """Say how long something may be allowed to code of a module. Raises what `get` raises."""
        ...

    def save(self, permission: Permission) -> None:
        """Add something to the workspace's settings; nothing changes where it is there already.

        Raises:
            ConfigError: They cannot be read, or not be changed without losing something.
            WorkspaceError: They cannot be written.
        """
        ...
