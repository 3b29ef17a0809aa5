"""The profile of a target's code: where it runs, and what it may touch. Shown wherever code runs."""

from collections.abc import Sequence
from typing import Any, cast

from ghostos.contracts.permission_book import PermissionBook
from ghostos.core.json import JsonObject
from ghostos.core.permission import Grant
from ghostos.errors import GhostOSError
from ghostos_container import Container
from ghostos_moss import Executor, Permissions, load_source
from ghostos_moss.errors import MossError

__all__ = ["describe_profile", "make_profile", "profile_in"]

_FREE = "code runs UNCONFINED, in a process of its own and with your rights: what it writes may run as yours"
_UNCONFINED = "code runs UNCONFINED, in this process and with your rights"


def make_profile(container: Container, *, module: str, grants: Sequence[Grant] = ()) -> JsonObject:
    """Return the profile as data.

    Args:
        container: The application's, or a child of it.
        module: Whose code it is.
        grants: What the user has allowed with a click, and holds.

    Returns:
        `executor` and `permissions`; the latter null where the module or the settings cannot be read. `left_out`, where
        the workspace's settings name what cannot be granted.
    """
    book = container.force_fetch(PermissionBook)
    return profile_in(book, executor=container.force_fetch(Executor).name, module=module, grants=grants)


def profile_in(book: PermissionBook, *, executor: str, module: str, grants: Sequence[Grant]) -> JsonObject:
    """`make_profile` for those who keep the book."""
    profile: JsonObject = {"executor": executor, "permissions": None}
    try:
        held = book.get(load_source(module), grants=grants)
    except (MossError, GhostOSError):  # opening the module says so, in full
        return profile
    profile["permissions"] = held.permissions.to_dict()
    if held.left_out:
        profile["left_out"] = [*held.left_out]
    return profile


def describe_profile(profile: object) -> str:
    """Return in a few words how code runs; empty where none runs."""
    data = cast("dict[str, Any]", profile) if isinstance(profile, dict) else {}
    executor = data.get("executor")
    if executor == "off":
        return _UNCONFINED
    if not isinstance(executor, str):
        return ""
    granted = cast("dict[str, Any] | None", data.get("permissions"))
    allowed = Permissions(**granted).describe() if granted else "nothing"
    if allowed == "everything":
        return _FREE
    parts = ["code runs confined"] if allowed == "nothing" else [f"code runs confined, allowed: {allowed}"]
    if left_out := cast("list[str]", data.get("left_out") or []):
        parts.append(f"not granted from ghostos.toml: {', '.join(left_out)}")
    return "; ".join(parts)
