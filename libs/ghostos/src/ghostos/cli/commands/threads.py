"""Commands on what was said: `threads list`, `show`, `export`, `fork`, `rewind`, `rename`, `delete`."""

from typing import Annotated, Literal

import typer

from ghostos.cli.options import Common, DebugOption, ThreadArgument, WorkspaceOption, examples, make_command_group
from ghostos.errors import UsageError


def make_group() -> typer.Typer:
    """Return the group of commands."""
    group = make_command_group("Look at what was said and run; copy, rewind, rename and delete threads.")
    group.command("list", epilog=examples("ghostos threads list", "ghostos threads list --target my.py --limit 5"))(
        list_all
    )
    group.command(
        "show",
        epilog=examples(
            "ghostos threads show t-3f9c1a2b",
            "ghostos threads show t-3f9c1a2b --trace | less",
            "ghostos threads show t-3f9c1a2b --trace --json | jq 'select(.type == \"round\").duration_s'",
        ),
    )(show)
    group.command(
        "export",
        epilog=examples(
            "ghostos threads export t-3f9c1a2b > thread.jsonl",
            "ghostos threads export t-3f9c1a2b --format md > thread.md",
        ),
    )(export)
    group.command(
        "fork", epilog=examples("ghostos threads fork mine", "ghostos threads fork mine --turn 3 --name other")
    )(fork)
    group.command("rewind", epilog=examples("ghostos threads rewind mine --turn 3"))(rewind)
    group.command("rename", epilog=examples("ghostos threads rename t-3f9c1a2b prices"))(rename)
    group.command("delete", epilog=examples("ghostos threads delete t-3f9c1a2b --yes"))(delete)
    return group


def list_all(
    *,
    target: Annotated[
        str | None, typer.Option("--target", metavar="TARGET", help="Those of this file or module.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="The last N alone.", show_default=False)
    ] = None,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """List the threads of the workspace, the one last used first, with what was said first in them."""
    from ghostos.cli.threads import list_threads

    list_threads(common=Common(workspace=workspace, is_debug=debug), target=target, limit=limit)


def show(
    thread: ThreadArgument,
    *,
    trace: Annotated[
        bool,
        typer.Option(
            "--trace", help="Its rounds, model calls, runs of code and calls of objects, with times and tokens."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --trace: JSON, a round on each line.")] = False,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Print every message of a thread, or what it did.

    A trace has what was committed: a round that goes on now is not in it.
    """
    from ghostos.cli.threads import show_thread, show_trace

    common = Common(workspace=workspace, is_debug=debug)
    if trace:
        show_trace(thread, common=common, as_json=as_json)
    elif as_json:
        raise UsageError("--json is for --trace.", advice=f"For messages, say: ghostos threads export {thread}")
    else:
        show_thread(thread, common=common)


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


def fork(
    thread: ThreadArgument,
    *,
    turn: Annotated[
        int | None,
        typer.Option(
            "--turn", metavar="N", help="The last turn that it takes over. Otherwise all.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Its name. Otherwise THREAD~1 and so on.", show_default=False),
    ] = None,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Copy a thread, or its turns up to one, into a new one.

    The new one's name is printed. It has the values of moss as they were then. Files in the folder of the agent's code
    stay with the old one.
    """
    from ghostos.cli.threads import fork_thread

    fork_thread(thread, common=Common(workspace=workspace, is_debug=debug), turn=turn, fork_name=name)


def rewind(
    thread: ThreadArgument,
    *,
    turn: Annotated[
        int, typer.Option("--turn", metavar="N", help="The last turn that stays; 0 for none.", show_default=False)
    ],
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Let a thread go on from an earlier turn.

    All that it was is kept in a fork of it, whose name is printed. Values are as for fork. What code did outside is not
    undone, and what was spent stays counted.
    """
    from ghostos.cli.threads import rewind_thread

    rewind_thread(thread, common=Common(workspace=workspace, is_debug=debug), turn=turn)


def rename(
    thread: ThreadArgument,
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.", show_default=False)],
    *,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Give a thread another name. Its id stays."""
    from ghostos.cli.threads import rename_thread

    rename_thread(thread, new_name, common=Common(workspace=workspace, is_debug=debug))


def delete(
    thread: ThreadArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", show_default=False)] = False,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Delete a thread, and those that its agent made.

    Messages, values, saved files and the folders of their code go; there is no way back. What they gave to other
    threads, and forks, stay.
    """
    from ghostos.cli.threads import delete_thread

    delete_thread(thread, common=Common(workspace=workspace, is_debug=debug), is_confirmed=yes)
