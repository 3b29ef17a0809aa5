"""Commands on a target's module, without a model: `moss prompt`, `moss run`."""

from typing import Annotated

import typer

from ghostos.cli.options import (
    Common,
    DebugOption,
    SandboxOption,
    TargetArgument,
    WorkspaceOption,
    examples,
    make_command_group,
)


def make_group() -> typer.Typer:
    """Return the group of commands."""
    group = make_command_group("Look into a file without a model.")
    group.command("prompt", epilog=examples("ghostos moss prompt my.py --tokens"))(prompt)
    group.command(
        "run",
        epilog=examples(
            "echo 'print(plus(2, 3))' | ghostos moss run my.py --code -",
            "ghostos moss run my.py --code try.py --timeout 5 --json",
        ),
    )(run)
    return group


def prompt(
    target: TargetArgument,
    *,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Say on stderr how many tokens it has, about.", show_default=False)
    ] = False,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Print what a model sees of a file."""
    from ghostos.cli.module import print_prompt

    print_prompt(target, common=Common(workspace=workspace, is_debug=debug), with_tokens=tokens)


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
    sandbox: SandboxOption = None,
    debug: DebugOption = False,
) -> int:
    """Run code in a file as a model's code would run.

    No model is asked, nothing is stored. The exit status is 0 when the code ran, 1 when it failed, 2 when
    the file cannot be used.
    """
    from ghostos.cli.module import run_code

    common = Common(workspace=workspace, sandbox=sandbox, is_debug=debug)
    return run_code(target, common=common, code=code, timeout_s=timeout, is_json=json)
