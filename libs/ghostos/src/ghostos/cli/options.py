"""Arguments and options that several commands share."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer

Sandbox = Literal["process", "off"]
"""As `ghostos.config` has it, which `--help` need not import."""

Approve = Literal["never", "code"]
"""As `ghostos.ghosts.target` has it, likewise."""

_NET = "--allow-net"
_ALL_HOSTS = "\0"  # no shell can say it, so it is not what was meant to be a list of hosts

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
ApproveOption: TypeAlias = Annotated[
    Approve | None,
    typer.Option("--approve", help="code: what the agent writes waits for you before it runs.", show_default=False),
]
SandboxOption: TypeAlias = Annotated[
    Sandbox | None,
    typer.Option("--sandbox", help="Where code runs: confined, in a process of its own, or off.", show_default=False),
]


def spell_out(words: Sequence[str]) -> list[str]:
    """Return the words of a command line, those options with a value that stand alone: they take no next word."""
    end = words.index("--") if "--" in words else len(words)
    return [*(f"{_NET}={_ALL_HOSTS}" if word == _NET else word for word in words[:end]), *words[end:]]


def _read_net(given: Sequence[str]) -> bool | tuple[str, ...]:
    if _ALL_HOSTS in given:
        return True
    return tuple(host.strip() for entry in given for host in entry.split(","))


def _flag(name: str, description: str) -> Any:  # noqa: ANN401 - Typer's own
    return typer.Option(name, help=description, show_default=False)


def _many(name: str, metavar: str, description: str) -> Any:  # noqa: ANN401 - Typer's own
    return typer.Option(name, metavar=metavar, help=f"{description} Can be given several times.", show_default=False)


DebugOption: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks and the log on stderr.", show_default=False)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Where code that a model writes runs, and what it may touch; see the options' help."""

    sandbox: Sandbox | None = None
    net: bool | tuple[str, ...] = False
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    run: bool = False
    everything: bool = False


def takes_rights(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `Rights`; it gets them as one argument, `rights`."""

    def call(
        *,
        sandbox: SandboxOption = None,
        allow_net: Annotated[
            list[str] | None,
            _many(
                "--allow-net",
                "[=HOST,…]",
                "Confined code may open connections. With hosts: its web client may ask these.",
            ),
        ] = None,
        allow_read: Annotated[list[str] | None, _many("--allow-read", "PATH", "It may read this, too.")] = None,
        allow_write: Annotated[list[str] | None, _many("--allow-write", "PATH", "It may write this, too.")] = None,
        allow_env: Annotated[list[str] | None, _many("--allow-env", "NAME", "It may see this variable.")] = None,
        allow_run: Annotated[bool, _flag("--allow-run", "It may start programs; they are confined, too.")] = False,
        allow_all: Annotated[bool, _flag("-A", "It may do everything, in a process of its own.")] = False,
        **others: Any,  # noqa: ANN401 - what the command itself takes
    ) -> Any:  # noqa: ANN401 - what it returns
        rights = Rights(
            sandbox=sandbox,
            net=_read_net(allow_net or ()),
            read=tuple(allow_read or ()),
            write=tuple(allow_write or ()),
            env=tuple(allow_env or ()),
            run=allow_run,
            everything=allow_all,
        )
        return command(rights=rights, **others)

    own = [each for name, each in inspect.signature(command).parameters.items() if name != "rights"]
    added = [each for each in inspect.signature(call).parameters.values() if each.kind is each.KEYWORD_ONLY]
    parameters = [each.replace(kind=each.KEYWORD_ONLY) for each in (*own, *added)]
    call.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess] - Typer reads it
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    call.__doc__, call.__name__ = command.__doc__, command.__name__
    return call


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that most commands take; see their help."""

    workspace: Path | None = None
    model: str | None = None
    thread: str | None = None
    rights: Rights | None = None
    approve: Approve | None = None
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
