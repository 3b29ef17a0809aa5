"""What the user has set of a ghost for one thread, in the place of what its definition says."""

from collections.abc import Mapping
from typing import Final

from ghostos.core.json import Json, JsonObject

__all__ = ["EDITABLE_FIELDS", "apply_edits", "select_edits"]

EDITABLE_FIELDS: Final = ("name", "description", "persona", "instruction", "model", "approve", "max_rounds")
"""What may be set: who it is and how it goes on. Never its kind or its module: those decide what its code may touch."""

_APPROVE: Final = "approve"
_STRICTEST: Final = "code"


def apply_edits(ghost: JsonObject, edits: Mapping[str, Json] | None) -> JsonObject:
    """Return a definition as it works in a thread.

    What its kind does not have is left out, and so is what would let code run that the definition has a person look at:
    a thread's own `approve` can only be `code`.

    Args:
        ghost: The definition: `{"type": …, …fields}`. Not modified.
        edits: What the user has set.
    """
    held = {name: value for name, value in (edits or {}).items() if _holds(ghost, name, value)}
    return {**ghost, **held} if held else ghost


def select_edits(ghost: JsonObject, wanted: Mapping[str, Json]) -> JsonObject:
    """Return what is to be kept of the wanted fields: those that differ from the definition, and would hold."""
    return {name: value for name, value in wanted.items() if _holds(ghost, name, value) and ghost[name] != value}


def _holds(ghost: JsonObject, name: str, value: Json) -> bool:
    return name in EDITABLE_FIELDS and name in ghost and (name != _APPROVE or value == _STRICTEST)
