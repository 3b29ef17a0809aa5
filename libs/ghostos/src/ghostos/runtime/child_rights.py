"""What a task may do that another one made: at most what that one may."""

from collections.abc import Sequence
from typing import Any, cast

from ghostos.contracts.permission_book import HeldPermissions, Offer, PermissionBook
from ghostos.core.json import JsonObject
from ghostos.core.permission import Grant
from ghostos.errors import PermissionRequestError
from ghostos_moss import ModuleSource, Permission, Permissions

_REASON = "a subtask may do what the task that made it may: allow it there, and start it again"


class BoundPermissionBook:
    """`PermissionBook` for the rounds of such a task.

    Args:
        book: The user's.
        rights: The task's, as they are stored.
    """

    def __init__(self, book: PermissionBook, rights: JsonObject) -> None:
        self._book = book
        stored = cast("dict[str, Any] | None", rights.get("permissions"))
        self._bound = Permissions(**stored) if stored is not None else Permissions()

    def get(self, source: ModuleSource, *, grants: Sequence[Grant] = ()) -> HeldPermissions:
        """See `PermissionBook`: what the module is granted, and the parent was."""
        held = self._book.get(source, grants=grants)
        return HeldPermissions(held.permissions.within(self._bound), held.left_out)

    def find_offer(self, permission: Permission, *, source: ModuleSource) -> Offer:
        """See `PermissionBook`: nothing is offered."""
        return Offer((), _REASON)

    def save(self, permission: Permission) -> None:
        """See `PermissionBook`.

        Raises:
            PermissionRequestError: Always.
        """
        raise PermissionRequestError("Nothing was allowed: it was asked by a subtask.", advice=f"{_REASON}.")
