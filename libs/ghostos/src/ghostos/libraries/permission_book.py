"""What code may touch: the command's word, the module's, that of the workspace's settings, and the user's clicks."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ghostos.contracts.permission_book import HeldPermissions, Offer
from ghostos.core.permission import SCOPES, Grant, Scope
from ghostos.errors import ConfigError, TargetError, WorkspaceReadOnlyError
from ghostos.libraries.accepted import describe_refusal
from ghostos.libraries.app_settings import list_key_names
from ghostos.libraries.atomic_files import folder_locked, write_atomically
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.settings_edit import add_permission
from ghostos_moss import Executor, ModuleSource, Permission, PermissionKind, Permissions
from ghostos_moss.errors import AcceptanceRecordError, MossError, NotAcceptedError

__all__ = ["SettingsPermissionBook"]

_NOTHING: Final = Permissions(net=False, read=(), write=(), env=(), run=False)
_PATHS: Final[tuple[PermissionKind, ...]] = ("read", "write")
_NOT_ALWAYS: Final[tuple[Scope, ...]] = ("once", "thread")
_NEW_FILE: Final = "version = 1\n"


class SettingsPermissionBook:
    """`PermissionBook` over the workspace's `configs/ghostos.toml`, which counts as it is now: read when it changed.

    Args:
        live: The workspace, its settings and its keys.
        executor: Knows what the command and a module say, and what can be granted.
    """

    def __init__(self, live: LiveSettings, *, executor: Executor) -> None:
        self._live = live
        self._executor = executor
        self._file = live.workspace.config_file
        self._lock = threading.Lock()

    def get(self, source: ModuleSource, *, grants: Sequence[Grant] = ()) -> HeldPermissions:
        """See `PermissionBook`."""
        upper = self._find_upper(source)
        if upper.everything:
            return HeldPermissions(upper)
        settings, left_out = self._check(self._read(), upper=upper, source=source)
        base = upper.over(settings)
        held = [grant.permission for grant in grants if self._holds(grant.permission, base=base, source=source)]
        return HeldPermissions(base.plus(*held).over(_NOTHING), left_out)

    def find_offer(self, permission: Permission, *, source: ModuleSource) -> Offer:
        """See `PermissionBook`."""
        upper = self._find_upper(source)
        if reason := self._find_obstacle(permission, upper=upper, source=source):
            return Offer((), reason)
        if getattr(upper, permission.kind) is not None:
            reason = f"always would not be heard: the command or the module itself decides {permission.kind}"
            return Offer(_NOT_ALWAYS, reason)
        if reason := self._find_unchangeable(permission):
            return Offer(_NOT_ALWAYS, reason)
        return Offer(SCOPES)

    def save(self, permission: Permission) -> None:
        """See `PermissionBook`."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._lock, folder_locked(self._file.parent):
                before = self._read_text()
                after = self._add(before, permission)
                if after is None:
                    raise self._unchangeable()
                if after != before:
                    write_atomically(Path(os.path.realpath(self._file)), after.encode())
        except OSError as exc:
            raise WorkspaceReadOnlyError.at(self._file, exc) from exc

    def _find_upper(self, source: ModuleSource) -> Permissions:
        """What the command and the module say."""
        try:
            return self._executor.permissions_for(source)
        except (NotAcceptedError, AcceptanceRecordError) as exc:
            raise describe_refusal(exc) from exc
        except MossError as exc:
            raise TargetError(str(exc).rstrip("."), advice="Mend that line and run it again.") from exc

    def _read(self) -> Permissions:
        """What the workspace's settings say now."""
        return Permissions(**self._live.read().settings.code.permissions.model_dump())

    def _check(
        self, settings: Permissions, *, upper: Permissions, source: ModuleSource
    ) -> tuple[Permissions, tuple[str, ...]]:
        """Leave out what they name and what cannot be granted: a file that is gone must not stop every agent."""
        kept: dict[PermissionKind, list[str]] = {}
        left_out: list[str] = []
        for kind in _PATHS:
            named: tuple[str, ...] | None = getattr(settings, kind)
            if named is None or getattr(upper, kind) is not None:
                continue
            kept[kind] = []
            for name in named:
                if obstacle := self._executor.find_obstacle(Permission(kind, name), source=source):
                    left_out.append(f"{kind} {name} ({obstacle})")
                else:
                    kept[kind].append(name)
        checked = Permissions(read=kept.get("read"), write=kept.get("write"))
        return checked.over(settings), tuple(left_out)

    def _holds(self, permission: Permission, *, base: Permissions, source: ModuleSource) -> bool:
        """Whether what the user allowed is still what they were shown, and nobody refuses it."""
        if base.refuses(permission.kind):
            return False
        return not self._executor.find_obstacle(permission, source=source, is_click=True)

    def _find_obstacle(self, permission: Permission, *, upper: Permissions, source: ModuleSource) -> str:
        if upper.refuses(permission.kind):
            return f"the module (__moss_permissions__) or the command refuses {permission.kind}"
        if upper.over(self._read()).refuses(permission.kind):
            return f"the workspace's settings ({self._file}) refuse {permission.kind}"
        if permission.kind == "env" and permission.what in list_key_names(self._live.read()):
            return "GhostOS takes a key from it, or it is in the workspace's .env"
        return self._executor.find_obstacle(permission, source=source, is_click=True)

    def _find_unchangeable(self, permission: Permission) -> str:
        """Why it cannot be kept for always; "" where it can."""
        try:
            if self._add(self._read_text(), permission) is None:
                return f"always is not offered: {self._unchangeable().happened}"
        except OSError as exc:
            return f"always is not offered: {WorkspaceReadOnlyError.at(self._file, exc).happened}"
        return ""

    def _read_text(self) -> str:
        try:
            return self._file.read_bytes().decode()
        except FileNotFoundError:
            return _NEW_FILE
        except UnicodeDecodeError as exc:
            raise ConfigError(f"{self._file} is not UTF-8: {exc}.", advice="Save it as UTF-8, or empty it.") from exc

    def _add(self, text: str, permission: Permission) -> str | None:
        try:
            return add_permission(text, permission)
        except ValueError as exc:
            raise ConfigError(f"{self._file} cannot be read: {exc}.", advice="Mend the file, or empty it.") from exc

    def _unchangeable(self) -> ConfigError:
        return ConfigError(
            f"{self._file} writes its [code.permissions] in a way that is not changed for you.",
            advice="Write it there yourself, below a line [code.permissions].",
        )
