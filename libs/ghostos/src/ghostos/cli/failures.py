"""What a user sees of a fault: two lines on stderr, and the exit status."""

import re
import shlex
import traceback

import typer

from ghostos.cli.streams import write_note
from ghostos.core.escaping import escape, escape_line
from ghostos.errors import GhostOSError

INTERRUPTED_STATUS = 130
_NO_COMMAND = re.compile(r"No such command '(.+)'")


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
        case ModuleNotFoundError():
            return (
                f"{error}.",
                "If GhostOS was updated, install it again (in a clone: make setup); see ghostos doctor.",
                1,
            )
        case _:
            happened = f"Unexpected {type(error).__name__}: {error}"
            return happened, "This should not happen. Run it again with --debug, and report what it shows.", 1


def _usage_advice(error: typer.TyperException) -> str:
    """Return what was most likely meant, else which page explains the command."""
    said = error.format_message()
    if (found := _NO_COMMAND.search(said)) and (found[1].endswith(".py") or "/" in found[1]):
        return f"To talk with it say: {shlex.join(['ghostos', 'web', found[1]])}"
    path = str(getattr(getattr(error, "ctx", None), "command_path", ""))
    page = f"ghostos help{path.removeprefix('ghostos')}"
    if path == "ghostos ask" and said.startswith("Got unexpected extra argument"):
        return f'Put the message into quotes: ghostos ask TARGET "what can you do?" (see: {page})'
    if path == "ghostos ask" and said.startswith("No such option"):
        return f'A message that begins with - goes behind --: ghostos ask TARGET -- "-5 plus 3?" (see: {page})'
    return f"See: {page}"
