"""Commands on what was said: `threads list`, `threads show`, `threads export`."""

from typing import Annotated, Literal

import typer

from ghostos.cli.options import Common, DebugOption, ThreadArgument, WorkspaceOption, examples, make_command_group


def make_group() -> typer.Typer:
    """Return the group of commands."""
    group = make_command_group("Look at what was said and run.")
    group.command("list", epilog=examples("ghostos threads list"))(list_all)
    group.command("show", epilog=examples("ghostos threads show t-3f9c1a2b"))(show)
    group.command(
        "export",
        epilog=examples(
            "ghostos threads export t-3f9c1a2b > thread.jsonl",
            "ghostos threads export t-3f9c1a2b --format md > thread.md",
        ),
    )(export)
    return group


def list_all(*, workspace: WorkspaceOption = None, debug: DebugOption = False) -> None:
    """List the threads of the workspace, the one last used first."""
    from ghostos.cli.threads import list_threads

    list_threads(common=Common(workspace=workspace, is_debug=debug))


def show(thread: ThreadArgument, *, workspace: WorkspaceOption = None, debug: DebugOption = False) -> None:
    """Print every message of a thread."""
    from ghostos.cli.threads import show_thread

    show_thread(thread, common=Common(workspace=workspace, is_debug=debug))


def export(
    thread: ThreadArgument,
    *,
    form: Annotated[Literal["jsonl", "md"], typer.Option("--format", help="JSON lines, or Markdown.")] = "jsonl",
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Print a thread for another program, or as a document."""
    from ghostos.cli.threads import export_thread

    export_thread(thread, common=Common(workspace=workspace, is_debug=debug), form=form)
