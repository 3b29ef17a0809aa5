"""Deleting a thread: what the store has of it, and what is its own beside the store."""

import asyncio
from contextlib import suppress
from pathlib import Path

from ghostos.config import Workspace
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.journal import Journals
from ghostos.contracts.sent_prompts import SentPrompts
from ghostos.contracts.store import Store
from ghostos.contracts.thread_shelf import DeletedThreads
from ghostos.errors import AssetLostError, WorkspaceReadOnlyError
from ghostos_moss import remove_tree

__all__ = ["delete_thread", "remove_folder"]


async def delete_thread(
    task_id: str, *, store: Store, journals: Journals, files: AssetFiles, prompts: SentPrompts, workspace: Workspace
) -> DeletedThreads:
    """Delete a thread and those that its ghost has made: rows, journals, folders of their code, and saved files.

    Prompts that are kept of them in the memory of this process go, too.

    A file that is saved once more at the very same moment may be lost with the old one; to save it again heals that.

    Raises:
        ThreadNotFoundError: There is none with that id.
        WorkspaceError: One of them is held, or files cannot be deleted: the threads themselves are gone then.
    """
    deleted = await store.delete(task_id)
    prompts.forget(deleted.task_ids)
    await asyncio.to_thread(_delete_files, deleted, journals=journals, files=files, workspace=workspace)
    return deleted


def remove_folder(folder: Path) -> None:
    """Delete a folder of a workspace with all that is in it, if it is there.

    Raises:
        WorkspaceReadOnlyError: It cannot be deleted.
    """
    try:
        if folder.is_symlink():
            folder.unlink()  # what it leads to is the user's
        elif folder.exists():
            remove_tree(folder)  # code of models may have left more there than rmtree can take
    except OSError as exc:
        raise WorkspaceReadOnlyError.at(folder, exc) from exc


def _delete_files(deleted: DeletedThreads, *, journals: Journals, files: AssetFiles, workspace: Workspace) -> None:
    for round_id, owner_id in journals.list_left().items():
        if owner_id in deleted.task_ids:
            journals.remove(round_id)
    for task_id in deleted.task_ids:
        remove_folder(workspace.scratch / task_id)
    for sha256 in deleted.sha256s:
        _remove_content(files, sha256)


def _remove_content(files: AssetFiles, sha256: str) -> None:
    with suppress(AssetLostError):  # no SHA-256: then it is no file of ours
        path = files.path_of(sha256)
        try:
            path.unlink(missing_ok=True)
        except OSError as exc:
            raise WorkspaceReadOnlyError.at(path, exc) from exc
