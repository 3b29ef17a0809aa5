"""The kinds of ghosts that a process knows: how a stored definition becomes a ghost again."""

import threading

from pydantic import ValidationError

from ghostos.contracts.ghost import Ghost
from ghostos.core.json import JsonObject
from ghostos.errors import GhostGoneError


class GhostKinds:
    """Ghost classes by their `kind`. Those of ghosts that are talked with are added by that; from any thread."""

    def __init__(self, *kinds: type[Ghost]) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, type[Ghost]] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: type[Ghost]) -> None:
        """Make a class known. A later one with the same `kind` takes its place, as that of an edited file does."""
        with self._lock:
            self._kinds[kind.kind] = kind

    def load(self, definition: JsonObject) -> Ghost:
        """Return the ghost that `Ghost.dump` wrote.

        Raises:
            GhostGoneError: Its kind is not known here, or has other fields by now.
        """
        name = definition.get("type")
        with self._lock:
            kind = self._kinds.get(name) if isinstance(name, str) else None
        if kind is None:
            raise GhostGoneError(
                f"There is no kind of ghost called {name!r} in this process.",
                advice="Import the class, and open the thread with a ghost of it: matrix.sync(ghost, thread=...).",
            )
        try:
            return kind.model_validate({key: value for key, value in definition.items() if key != "type"})
        except (ValidationError, TypeError) as exc:  # a kind may have a constructor of its own
            fields = _describe(exc)
            raise GhostGoneError(
                f"A stored ghost of the kind {name!r} does not fit its class any more: {fields}.",
                advice="Open the thread with a ghost of today's class: matrix.sync(ghost, thread=...).",
            ) from exc


def _describe(fault: ValidationError | TypeError) -> str:
    if isinstance(fault, TypeError):
        return str(fault)
    return ", ".join(".".join(str(part) for part in error["loc"]) or "the whole" for error in fault.errors())
