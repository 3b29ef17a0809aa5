"""Live values from stored ones, when a module is compiled."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from ghostos_common.codec import Namespace
from ghostos_moss._pycontext import Json
from ghostos_moss._values import decode_value
from ghostos_moss.errors import ContextValueError

__all__ = ["Restored", "restore"]


@dataclass(slots=True)
class Restored:
    """Stored values, as far as they could be brought back."""

    live: dict[str, object] = field(default_factory=dict[str, object])
    migrated: set[str] = field(default_factory=set[str])
    """Those of them that `__moss_migrate__` gave."""
    raw: dict[str, Json] = field(default_factory=dict[str, Json])
    """What could not."""
    notes: list[str] = field(default_factory=list[str])


def restore(
    values: Mapping[str, Json],
    *,
    namespace: Namespace,
    without: Container[str],
    migrate: Callable[[str, Json], object],
) -> Restored:
    """Decode each value; what fails is offered to the module's `__moss_migrate__`.

    Args:
        values: By attribute.
        namespace: The classes of the module as it is now.
        without: Names to leave out: what is injected is never restored.
        migrate: Gives a live value, or None.
    """
    restored = Restored()
    for name, raw in values.items():
        if name in without:
            continue
        try:
            restored.live[name] = decode_value(name, raw, namespace=namespace)
        except ContextValueError as exc:
            migrated = migrate(name, raw)
            if migrated is not None:
                restored.live[name] = migrated
                restored.migrated.add(name)
                continue
            restored.raw[name] = raw
            restored.notes.append(f"{exc}. It is kept as it was stored, unseen, until moss.{name} is changed.")
    return restored
