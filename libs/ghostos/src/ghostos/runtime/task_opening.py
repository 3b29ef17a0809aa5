"""Finding the task of a conversation, or making it."""

from dataclasses import replace

from pydantic import BaseModel

from ghostos.contracts.ghost import Ghost
from ghostos.contracts.store import Store
from ghostos.core.clock import utc_now
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.task import Task
from ghostos.core.thread_name import check_thread_name
from ghostos.errors import ThreadTargetError, UsageError

_NAME_LENGTH = 8


async def open_task(
    store: Store, ghost: Ghost, context: BaseModel | None, *, thread: str | None, target: str | None
) -> Task:
    """Return the task of a thread, with the ghost and the context that it has from now on.

    The ghost of a task that another one made stays what that made it.

    Args:
        store: Where tasks are.
        ghost: Who is talked with.
        context: What it should know of this conversation; None leaves what it knows.
        thread: Name or id of a thread, or a new one's name. None makes a new thread.
        target: What the ghost was made from; None is the ghost itself.

    Raises:
        ThreadTargetError: The thread belongs to another target.
        UsageError: A thread cannot have that name, or the ghost that context.
    """
    owner = target or ghost.origin
    if thread is not None:
        check_thread_name(thread)
    _check_context(ghost, context)
    stored_context = context.model_dump(mode="json") if context is not None else None
    task = await store.find_task(thread) if thread else None
    if task is None:
        task = await _create_task(store, ghost, context=stored_context, owner=owner, thread=thread)
    if task.target != owner:
        raise ThreadTargetError(task.name, owner=task.target, target=owner)
    definition = task.ghost if task.parent_id is not None else ghost.dump()
    if task.ghost != definition or (context is not None and task.context != stored_context):
        await store.update_ghost(task.id, ghost=definition, context=stored_context)
        task = replace(task, ghost=definition, context=stored_context or task.context)
    return task


def _check_context(ghost: Ghost, context: BaseModel | None) -> None:
    kind = ghost.ContextType
    if kind is None or context is None or isinstance(context, kind):
        return
    raise UsageError(
        f"The ghost '{ghost.name}' works with a {kind.__name__}, not with a {type(context).__name__}.",
        advice=f"Pass a {kind.__name__} as its context.",
    )


async def _create_task(
    store: Store, ghost: Ghost, *, context: JsonObject | None, owner: str, thread: str | None
) -> Task:
    """Store a new task; one that was created under the chosen name meanwhile is taken instead."""
    now = utc_now()
    task_id = new_id()
    fresh = Task(
        id=task_id,
        name=thread or f"t-{task_id[-_NAME_LENGTH:]}",
        target=owner,
        ghost=ghost.dump(),
        context=context,
        created_at=now,
        updated_at=now,
    )
    task = await store.create_task(fresh)
    if thread is None and task.id != task_id:  # somebody's thread has this name by chance: take the whole id
        return await store.create_task(replace(fresh, name=f"t-{task_id}"))
    return task
