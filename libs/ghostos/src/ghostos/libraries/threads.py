"""Threads as things that a user keeps: what the store does for them, by name, and what is theirs beside the store."""

from contextlib import suppress

from ghostos.config import Workspace
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.journal import Journals
from ghostos.contracts.store import Store
from ghostos.contracts.thread_shelf import DeletedThreads
from ghostos.core.task import Task
from ghostos.errors import AssetLostError, ThreadNotFoundError
from ghostos.libraries.workspaces import unwritable
from ghostos_moss import remove_tree

__all__ = ["delete_thread", "get_thread"]


async def get_thread(store: Store, name_or_id: str) -> Task:
    """Return the task of a thread.

    Raises:
        ThreadNotFoundError: There is none with that name or id.
    """
    task = await store.find_task(name_or_id)
    if task is None:
        raise ThreadNotFoundError(name_or_id)
    return task


async def delete_thread(
    task_id: str, *, store: Store, journals: Journals, files: AssetFiles, workspace: Workspace
) -> DeletedThreads:
    """Delete a thread and those that its ghost has made: rows, journals, folders of their code, and saved files.

    A file that is saved once more at the very same moment may be lost with the old one; to save it again heals that.

    Raises:
        ThreadNotFoundError: There is none with that id.
        WorkspaceError: One of them is held, or files cannot be deleted: the threads themselves are gone then.
    """
    deleted = await store.delete(task_id)
    for round_id, owner_id in journals.list_left().items():
        if owner_id in deleted.task_ids:
            journals.remove(round_id)
    for each in deleted.task_ids:
        folder = workspace.scratch / each
        try:
            if folder.is_symlink():
                folder.unlink()  # what it leads to is the user's
            elif folder.exists():
                remove_tree(folder)  # code of models may have left more there than rmtree can take
        except OSError as exc:
            raise unwritable(folder, exc) from exc
    for sha256 in deleted.sha256s:
        _remove_content(files, sha256)
    return deleted


def _remove_content(files: AssetFiles, sha256: str) -> None:
    with suppress(AssetLostError):  # no SHA-256: then it is no file of ours
        path = files.path_of(sha256)
        try:
            path.unlink(missing_ok=True)
        except OSError as exc:
            raise unwritable(path, exc) from exc
