"""What a task has made: as data, and as the type that its ghost promises."""

from typing import Any

from pydantic import BaseModel, ValidationError

from ghostos.contracts.ghost import Ghost
from ghostos.contracts.store import Store
from ghostos.core.json import Json
from ghostos.core.task import Task
from ghostos.errors import TaskFailedError


async def get_result(store: Store, task: Task) -> Json:
    """Return what a task that is at rest has made, or else said last; None where it said nothing.

    Raises:
        TaskFailedError: It failed, was cancelled, or was parked.
    """
    if task.state in ("failed", "cancelled", "parked"):
        raise TaskFailedError(
            f"The task '{task.name}' was waited for, and is {task.state}.",
            advice=f"Its thread says why: ghostos threads show {task.name}",
        )
    if task.state == "finished" and task.artifact is not None:
        return task.artifact
    for message in reversed(await store.list_messages(task.id)):
        if message.role == "assistant" and message.type == "text" and message.status == "complete":
            return message.content
    return None


def load_artifact(ghost: Ghost, task: Task, value: Json) -> Any:  # noqa: ANN401 - the ghost's own type, or any JSON
    """Return what a task has made as its ghost's `ArtifactType`; as it is where the ghost promises none.

    Raises:
        TaskFailedError: It does not fit.
    """
    kind: type[BaseModel] | None = ghost.ArtifactType
    if kind is None:
        return value
    try:
        return kind.model_validate(value)
    except ValidationError as exc:
        places = [(".".join(map(str, each["loc"])), each["msg"]) for each in exc.errors()[:3]]
        where = "; ".join(f"{place}: {said}" if place else said for place, said in places)
        raise TaskFailedError(
            f"The task '{task.name}' ended without {kind.__name__}: {where}",
            advice=f"See what it said: ghostos threads show {task.name}",
        ) from exc
