"""`ghostos init` and `ghostos clear-runtime`."""

import asyncio
import sys
from pathlib import Path

import typer

from ghostos.cli.application import get_settings, make_container
from ghostos.cli.options import Common
from ghostos.cli.streams import write_out
from ghostos.config import Workspace
from ghostos.contracts.store import Store
from ghostos.errors import UsageError, WorkspaceError
from ghostos.libraries.workspaces import DEFAULT_FOLDER, exists, init_workspace
from ghostos.runtime.removal import remove_folder

_NEXT_STEPS = """\
Next:
  ghostos config key openai{option}, or: export OPENAI_API_KEY=...
  ghostos web ghostos.demo.agents.shop{option}
"""


def make_workspace(folder: Path) -> None:
    """Make a workspace, say what was made, and what comes next.

    Raises:
        NotConfiguredError: It cannot be made there.
    """
    made = init_workspace(folder)
    workspace = Workspace(folder.absolute())
    head = f"The workspace is {workspace.root}\n"
    lines = "".join(f"  made {path}\n" for path in made) or "  nothing to make: all of it exists\n"
    is_found = workspace.root == Path(DEFAULT_FOLDER).absolute()
    option = "" if is_found else f" --workspace {folder}"
    write_out(head + lines + _NEXT_STEPS.format(option=option))


def clear_runtime(*, common: Common, is_confirmed: bool) -> None:
    """Delete what GhostOS keeps in the runtime folder of the workspace; other files there are left alone.

    The database file stays, without a row in it: another process may have it open.

    Raises:
        UsageError: Nobody can be asked, and --yes was not given.
        WorkspaceError: A living process works in the workspace, files cannot be deleted, or it is no workspace.
    """
    container = make_container(common)
    try:
        workspace = get_settings(container).workspace
        if not exists(workspace.runtime):
            write_out(f"Nothing to delete: {workspace.runtime} does not exist.\n")
            return
        has_database = exists(workspace.database)
        if not has_database and not exists(workspace.config_file):
            raise _no_workspace(workspace)
        if not is_confirmed and not _confirm(workspace):
            write_out("Nothing was deleted.\n")
            return
        if has_database:
            asyncio.run(container.force_fetch(Store).clear())
        _delete_files(workspace)
        write_out(f"Deleted every thread, log and asset in {workspace.runtime}\n")
    finally:
        container.shutdown()


def _confirm(workspace: Workspace) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            f"Deleting everything in {workspace.runtime} must be confirmed, and nobody can be asked here.",
            advice="Say: ghostos clear-runtime --yes",
        )
    return typer.confirm(f"Delete every thread, log and asset in {workspace.runtime}?", err=True)


def _no_workspace(workspace: Workspace) -> WorkspaceError:
    return WorkspaceError(
        f"{workspace.root} is not a workspace of GhostOS: it has no configs/ghostos.toml and no runtime/ghostos.db.",
        advice="Look at --workspace and GHOSTOS_WORKSPACE. Nothing was deleted.",
    )


def _delete_files(workspace: Workspace) -> None:
    for folder in (workspace.assets, workspace.scratch, workspace.rounds, workspace.nodes, workspace.logs):
        remove_folder(folder)
