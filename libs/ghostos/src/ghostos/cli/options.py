"""Arguments and options that several commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

Sandbox = Literal["process", "off"]
"""As `ghostos.config` has it, which `--help` need not import."""

TargetArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="TARGET", help="A Python file, or a module's name.", show_default=False)
]
ThreadArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="THREAD", help="Name or id of a thread.", show_default=False)
]
WorkspaceOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Folder of settings, keys and threads. Otherwise $GHOSTOS_WORKSPACE, ./app, or your own.",
        show_default=False,
    ),
]
ModelOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--model", metavar="P:M", help="Provider and model, like openai:gpt-4o.", show_default=False),
]
ThreadOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--thread", metavar="NAME", help="Go on with this thread, or begin it. Otherwise a new one.", show_default=False
    ),
]
SandboxOption: TypeAlias = Annotated[
    Sandbox | None,
    typer.Option("--sandbox", help="Where code runs: confined, in a process of its own, or off.", show_default=False),
]
DebugOption: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks and the log on stderr.", show_default=False)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that most commands take; see their help."""

    workspace: Path | None = None
    model: str | None = None
    thread: str | None = None
    sandbox: Sandbox | None = None
    is_debug: bool = False


def make_command_group(description: str) -> typer.Typer:
    """Return a group of commands that shows its help when none of them is named."""
    group = typer.Typer(help=description, invoke_without_command=True)

    @group.callback()
    def show_help(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())

    return group


def examples(*lines: str) -> str:
    """Return the end of a command's help: lines to copy, not wrapped."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
