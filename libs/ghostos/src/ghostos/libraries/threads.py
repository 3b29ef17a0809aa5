"""Threads by name."""

from ghostos.contracts.store import Store
from ghostos.core.task import Task
from ghostos.errors import ThreadNotFoundError

__all__ = ["get_thread"]


async def get_thread(store: Store, name_or_id: str) -> Task:
    """Return the task of a thread.

    Raises:
        ThreadNotFoundError: There is none with that name or id.
    """
    task = await store.find_task(name_or_id)
    if task is None:
        raise ThreadNotFoundError(name_or_id)
    return task
