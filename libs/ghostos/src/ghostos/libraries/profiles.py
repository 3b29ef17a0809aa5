"""The profile of a target's code: where it runs, and what it may touch. Shown wherever code runs."""

from typing import Any, cast

from ghostos.core.json import JsonObject
from ghostos_container import Container
from ghostos_moss import Executor, Permissions, load_source
from ghostos_moss.errors import MossError

__all__ = ["describe_profile", "make_profile"]

_FREE = "code runs UNCONFINED, in a process of its own and with your rights"
_UNCONFINED = "code runs UNCONFINED, in this process and with your rights"


def make_profile(container: Container, *, module: str) -> JsonObject:
    """Return the profile as data: `executor` and `permissions`; the latter null where the module cannot be read."""
    executor = container.force_fetch(Executor)
    try:
        permissions = executor.permissions_for(load_source(module)).to_dict()
    except MossError:  # opening the module says so, in full
        permissions = None
    return {"executor": executor.name, "permissions": permissions}


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
    return "code runs confined" if allowed == "nothing" else f"code runs confined, allowed: {allowed}"
