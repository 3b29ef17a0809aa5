"""Commands on the workspace and the installation: `init`, `clear-runtime`, `doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from ghostos.cli.options import Common, DebugOption, ModelOption, WorkspaceOption, examples


def add_setup_commands(app: typer.Typer) -> None:
    """Add what one begins with."""
    app.command("init", epilog=examples("ghostos init", "ghostos init ~/agents"))(init)


def add_upkeep_commands(app: typer.Typer) -> None:
    """Add what looks after things."""
    app.command(
        "clear-runtime", epilog=examples("ghostos clear-runtime", "ghostos clear-runtime --workspace app --yes")
    )(clear_runtime)
    app.command("doctor", epilog=examples("ghostos doctor"))(doctor)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where it is made.")] = Path("app"),
    *,
    debug: DebugOption = False,
) -> None:
    """Make a workspace.

    It is a folder of settings, keys and threads. What exists is left as it is.
    """
    from ghostos.cli.workspace import make_workspace

    make_workspace(folder)


def clear_runtime(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", show_default=False)] = False,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Delete all threads of the workspace.

    Its logs and assets, too. Settings and keys stay.
    """
    from ghostos.cli.workspace import clear_runtime

    clear_runtime(common=Common(workspace=workspace, is_debug=debug), is_confirmed=yes)


def doctor(*, workspace: WorkspaceOption = None, model: ModelOption = None, debug: DebugOption = False) -> int:
    """Say what is there, and what is missing.

    Changes nothing.

    The exit status is 3 when something is broken.
    """
    from ghostos.cli.doctor import examine

    return examine(common=Common(workspace=workspace, model=model, is_debug=debug))
