"""The entry point of the command `ghostos`. Importing it costs what Typer costs: commands import what they need."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ghostos.cli.commands import agents, config, help_pages, moss, threads, workspace
from ghostos.cli.failures import show_failure
from ghostos.cli.options import spell_out
from ghostos.cli.streams import prepare_streams, settle_streams

_HELP = """\
An agent is a Python file: GhostOS shows it to a language model, which answers by writing Python that runs in it.

\b
ghostos init                          make a workspace in ./app
ghostos config key openai             keep a key, tested first
ghostos web my.py                     talk with my.py in the browser
ghostos ask my.py "what can you do?"  one message, one answer
ghostos help ask                      what a command takes

TARGET is the path of a Python file or the name of a module, everywhere.
"""


def make_app() -> typer.Typer:
    """Return the command with all of its subcommands."""
    app = typer.Typer(
        name="ghostos", help=_HELP, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    app.callback(help=_HELP)(_take_options)
    workspace.add_setup_commands(app)
    agents.add_commands(app)
    app.add_typer(moss.make_group(), name="moss")
    app.add_typer(threads.make_group(), name="threads")
    app.add_typer(config.make_group(), name="config")
    workspace.add_upkeep_commands(app)
    help_pages.add_commands(app, make_app=make_app)
    return app


def _print_version(is_wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if is_wanted:
        from importlib.metadata import version

        typer.echo(f"ghostos-core {version('ghostos-core')}")
        raise typer.Exit


def _take_options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the command itself; its callback has done what they ask for."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: What follows the command's name; None: what this process was started with.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    try:
        status = _call(words or ["--help"])
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the outermost boundary: every fault gets its two lines
        return show_failure(exc, with_traceback=_asks_for_traceback(words))
    return status if isinstance(status, int) else 0


def _call(words: list[str]) -> object:
    """Run the command; what it printed has reached stdout afterwards, or cannot."""
    try:
        status: object = make_app()(args=spell_out(words), prog_name="ghostos", standalone_mode=False)
    except OSError:
        settle_streams()  # raises what a user can understand, where printing was the fault
        raise
    settle_streams()
    return status


def _asks_for_traceback(words: list[str]) -> bool:
    """Whether --debug was given. Looked up in the words, as a usage error comes before any option is known."""
    options = words[: words.index("--")] if "--" in words else words
    return "--debug" in options
