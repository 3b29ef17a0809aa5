"""Commands on a target's module, without a model: `moss prompt`, `run`, `test`, `diff`, `accept`."""

from typing import Annotated

import typer

from ghostos.cli.options import (
    Common,
    DebugOption,
    Rights,
    TargetArgument,
    WorkspaceOption,
    examples,
    make_command_group,
    takes_rights,
)


def make_group() -> typer.Typer:
    """Return the group of commands."""
    group = make_command_group("Look into a file without a model.")
    group.command("prompt", epilog=examples("ghostos moss prompt my.py --tokens"))(takes_rights(prompt))
    group.command(
        "run",
        epilog=examples(
            "echo 'print(plus(2, 3))' | ghostos moss run my.py --code -",
            "ghostos moss run my.py --code try.py --timeout 5 --json",
        ),
    )(takes_rights(run))
    group.command("test", epilog=examples("ghostos moss test my.py"))(takes_rights(test))
    group.command("diff", epilog=examples("ghostos moss diff my.py", "ghostos moss diff my.py --thread t-3f9c1a2b"))(
        diff
    )
    group.command("accept", epilog=examples("ghostos moss accept my.py 4f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5"))(accept)
    return group


def prompt(
    target: TargetArgument,
    *,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Say on stderr how many tokens it has, about.", show_default=False)
    ] = False,
    workspace: WorkspaceOption = None,
    rights: Rights,
    debug: DebugOption = False,
) -> None:
    """Print what a model sees of a file."""
    from ghostos.cli.module import print_prompt

    print_prompt(target, common=Common(workspace=workspace, rights=rights, is_debug=debug), with_tokens=tokens)


def run(
    target: TargetArgument,
    *,
    code: Annotated[
        str, typer.Option("--code", metavar="FILE|-", help="File of Python; - reads stdin.", show_default=False)
    ],
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            min=0.001,
            metavar="S",
            help="Longest run, seconds. Otherwise the workspace's code.timeout_s.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with everything.", show_default=False)
    ] = False,
    workspace: WorkspaceOption = None,
    rights: Rights,
    debug: DebugOption = False,
) -> int:
    """Run code in a file as a model's code would run.

    No model is asked, nothing is stored. The exit status is 0 when the code ran, 1 when it failed, 2 when
    the file cannot be used.
    """
    from ghostos.cli.module import run_code

    common = Common(workspace=workspace, rights=rights, is_debug=debug)
    return run_code(target, common=common, code=code, timeout_s=timeout, is_json=json)


def test(
    target: TargetArgument,
    *,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            min=0.001,
            metavar="S",
            help="Longest run of one test, seconds. Otherwise the workspace's code.timeout_s.",
            show_default=False,
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    rights: Rights,
    debug: DebugOption = False,
) -> int:
    """Run the tests of a file: its functions test_*.

    Each is called with a module of its own, also those under `if __name__ == "__test__":`. A rehearsal beside the
    file is checked, too. The exit status is 1 when something failed.
    """
    from ghostos.cli.module_tests import run_tests

    return run_tests(target, common=Common(workspace=workspace, rights=rights, is_debug=debug), timeout_s=timeout)


def diff(
    target: TargetArgument,
    *,
    thread: Annotated[
        str | None, typer.Option("--thread", metavar="NAME", help="Only what this thread proposes.", show_default=False)
    ] = None,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Show what waits for you in a file: what code could write, and what agents propose.

    Where code may or could write (--allow-write), what is new in a file that runs with your rights waits until you
    accept it, and so does what it imports beside it. An agent may also edit its own module: that waits, too.
    """
    from ghostos.cli.accepting import print_open

    print_open(target, common=Common(workspace=workspace, thread=thread, is_debug=debug))


def accept(
    target: TargetArgument,
    version: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Which version, as `moss diff` names it.", show_default=False),
    ] = None,
    *,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Accept what waits in a file, or write a proposed version into it.

    Exactly what `moss diff` shows under that ID is accepted; where something has changed since then, nothing is. A
    proposed version is not written when the file has changed since the agent read it. ID may be left out where one
    version is proposed and nothing else waits.
    """
    from ghostos.cli.accepting import accept_open

    accept_open(target, version=version, common=Common(workspace=workspace, is_debug=debug))
