"""What a user sees of a fault: two lines on stderr, and the exit status."""

import traceback

import typer

from ghostos.cli.escaping import escape, escape_line
from ghostos.cli.streams import write_note
from ghostos.errors import GhostOSError

INTERRUPTED_STATUS = 130


class StoppedError(GhostOSError):
    """Ctrl-C came while a turn or a server ran; threads keep their turns."""

    exit_status = INTERRUPTED_STATUS


def show_failure(error: BaseException, *, with_traceback: bool) -> int:
    """Write what happened and what to do to stderr, and return the exit status.

    Args:
        error: What ended a command.
        with_traceback: Show first where it was raised.
    """
    if with_traceback and not isinstance(error, typer.TyperException | typer.Abort):
        write_note(escape("".join(traceback.format_exception(error)).rstrip("\n")))
    happened, advice, status = _describe(error)
    word = "interrupted" if status == INTERRUPTED_STATUS else "error"
    write_note(f"{word}: {escape_line(happened)}")
    if advice:
        write_note(escape_line(advice))
    return status


def _describe(error: BaseException) -> tuple[str, str, int]:
    match error:
        case GhostOSError():
            return error.happened, error.advice, error.exit_status
        case typer.TyperException():
            return error.format_message(), _usage_advice(error), error.exit_code
        case typer.Abort():
            return "Nothing was done: the question was not answered.", "Run it again, and answer yes or no.", 1
        case KeyboardInterrupt():
            return "Stopped before anything was sent.", "Run it again.", INTERRUPTED_STATUS
        case _:
            happened = f"Unexpected {type(error).__name__}: {error}"
            return happened, "This should not happen. Run it again with --debug, and report what it shows.", 1


def _usage_advice(error: typer.TyperException) -> str:
    """Return which page explains the command that was meant."""
    path = str(getattr(getattr(error, "ctx", None), "command_path", ""))
    return f"See: ghostos help{path.removeprefix('ghostos')}"
