"""`ghostos init` and `ghostos clear-runtime`."""

import asyncio
import shutil
import sys
from pathlib import Path

import typer

from ghostos.cli.application import get_settings, make_container
from ghostos.cli.options import Common
from ghostos.cli.streams import write_out
from ghostos.config import Workspace
from ghostos.contracts.store import Store
from ghostos.errors import UsageError
from ghostos.libraries.workspaces import DEFAULT_FOLDER, init_workspace, unwritable

_NEXT_STEPS = """\
Next:
  put your key into {env_file}, or: export OPENAI_API_KEY=...
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
    write_out(head + lines + _NEXT_STEPS.format(env_file=workspace.env_file, option=option))


def clear_runtime(*, common: Common, is_confirmed: bool) -> None:
    """Empty the runtime folder of the workspace.

    The database file stays, without a row in it: another process may have it open.

    Raises:
        UsageError: Nobody can be asked, and --yes was not given.
        WorkspaceError: A living process works in the workspace, or files cannot be deleted.
    """
    container = make_container(common)
    try:
        workspace = get_settings(container).workspace
        if not workspace.runtime.is_dir():
            write_out(f"Nothing to delete: {workspace.runtime} does not exist.\n")
            return
        if not is_confirmed:
            _confirm(workspace)
        if workspace.database.is_file():
            asyncio.run(container.force_fetch(Store).clear())
        _delete_files(workspace)
        write_out(f"Deleted every thread, log and asset in {workspace.runtime}\n")
    finally:
        container.shutdown()


def _confirm(workspace: Workspace) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            f"Deleting everything in {workspace.runtime} must be confirmed, and nobody can be asked here.",
            advice="Say: ghostos clear-runtime --yes",
        )
    typer.confirm(f"Delete every thread, log and asset in {workspace.runtime}?", abort=True, err=True)


def _delete_files(workspace: Workspace) -> None:
    try:
        for entry in workspace.runtime.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif not entry.name.startswith(workspace.database.name):
                entry.unlink()
    except OSError as exc:
        raise unwritable(workspace.runtime, exc) from exc
