"""What the user sets of a ghost for one thread, checked before it is kept."""

from collections.abc import Mapping

from ghostos.contracts.store import Store
from ghostos.core.ghost_edits import EDITABLE_FIELDS, select_edits
from ghostos.core.json import Json
from ghostos.core.task import Task
from ghostos.errors import GhostGoneError, UsageError
from ghostos.runtime.ghost_kinds import GhostKinds

__all__ = ["edit_ghost", "reset_ghost"]

_MAX_CHARS = 100_000
_MAX_ROUNDS = 1_000
"""Of a turn. Who writes a ghost may give it more; in a field of a form it is a slip of the keyboard."""


async def edit_ghost(store: Store, task: Task, *, kinds: GhostKinds, wanted: Mapping[str, Json]) -> None:
    """Keep what differs from a ghost's definition for its thread, in the place of all that was set before.

    It holds from the task's next claim on: its next turn, and the next round of one that is under way.

    Args:
        store: Where the task is.
        task: The task as it stands.
        kinds: Check the fields.
        wanted: The fields as they are to be. Those that are as the definition has them are not kept, and follow it.

    Raises:
        UsageError: A field cannot be set, cannot have that value, or would let code run unseen.
        ThreadNotFoundError: The task is gone.
    """
    for name, value in wanted.items():
        _check(task, name=name, value=value)
    try:
        kinds.load({**task.ghost, **wanted})
    except GhostGoneError as exc:
        raise UsageError(
            f"The ghost cannot be set so: {exc.happened}", advice="Nothing was changed: mend the field that it names."
        ) from exc
    await store.edit_ghost(task.id, edits=select_edits(task.ghost, wanted) or None)


async def reset_ghost(store: Store, task: Task) -> None:
    """Have a thread's ghost be as it is defined again.

    Raises:
        ThreadNotFoundError: The task is gone.
    """
    await store.edit_ghost(task.id, edits=None)


def _check(task: Task, *, name: str, value: Json) -> None:
    if name not in EDITABLE_FIELDS or name not in task.ghost:
        raise UsageError(
            f"'{name}' cannot be set for a thread.",
            advice=f"What can be: {', '.join(each for each in EDITABLE_FIELDS if each in task.ghost)}.",
        )
    if name == "approve" and task.ghost[name] == "code" and value != "code":
        raise UsageError(
            "approve stays at 'code': that is what the file, or the command line, demands.",
            advice="Start GhostOS without --approve code, or change __ghost__ in the file.",
        )
    if isinstance(value, str) and len(value) > _MAX_CHARS:
        raise UsageError(
            f"{name} has {len(value):,} characters; at most {_MAX_CHARS:,} are kept.",
            advice="Write it shorter, or into the module, which the model reads anyway.",
        )
    if name == "max_rounds" and isinstance(value, int) and value > _MAX_ROUNDS and value != task.ghost[name]:
        raise UsageError(
            f"max_rounds cannot be {value!s:.40}: a turn has at most {_MAX_ROUNDS:,} rounds.",
            advice="Choose fewer: the turn can go on after them, with a message of yours.",
        )
