"""Commands that explain: `docs`, `help`."""

from collections.abc import Callable
from typing import Annotated

import typer

from ghostos.cli.options import examples


def add_commands(app: typer.Typer, *, make_app: Callable[[], typer.Typer]) -> None:
    """Add the commands to the application.

    Args:
        app: The application.
        make_app: Makes another one, whose pages `help` shows.
    """

    def show_help(
        command: Annotated[
            list[str] | None, typer.Argument(metavar="[COMMAND]", help="As in: help moss run", show_default=False)
        ] = None,
    ) -> None:
        """Show what a command takes."""
        make_app()(args=[*(command or []), "--help"], prog_name="ghostos", standalone_mode=False)

    app.command("docs", epilog=examples("ghostos docs"))(docs)
    app.command("help", epilog=examples("ghostos help", "ghostos help moss run"))(show_help)


def docs() -> None:
    """Say where the documentation is.

    Without it on this machine, the readme is printed.
    """
    from ghostos.cli.documents import print_documents

    print_documents()
