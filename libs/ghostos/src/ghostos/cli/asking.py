"""`ghostos ask`: one message, one answer."""

import shlex

from ghostos.cli.application import Client, open_client
from ghostos.cli.approval_commands import describe_waiting
from ghostos.cli.bodies import attending_to
from ghostos.cli.failures import show_failure
from ghostos.cli.options import Common
from ghostos.cli.streams import read_stdin, write_note
from ghostos.cli.text_view import open_text_view
from ghostos.cli.turns import JsonView, TurnView, follow_turn
from ghostos.core.escaping import escape_line
from ghostos.errors import GhostOSError, UsageError
from ghostos_moss import Permissions


def ask(target: str, message: str, *, common: Common, is_json: bool, with_deltas: bool) -> None:
    """Say something to a target and show the turn that comes of it.

    Args:
        target: What the user pointed at.
        message: What to say; `-` reads it from stdin.
        common: The shared options.
        is_json: Print messages as JSON lines.
        with_deltas: Print their text as it comes, too.

    Raises:
        GhostOSError: The turn failed, or could not begin.
    """
    if with_deltas and not is_json:
        raise UsageError("--deltas is for --json alone.", advice="Say --json --deltas, or leave it out.")
    _check_not_hosts(message, common)
    text = _read_message(message)
    with open_client(target, common=common) as client:
        view = JsonView(with_deltas=with_deltas) if is_json else open_text_view(client.files)
        try:
            with attending_to(client.conversation.bodies, as_messages=is_json):
                _talk(client, text, view=view)
        except KeyboardInterrupt:
            raise client.describe_interruption() from None
        finally:
            pending = client.conversation.pending_code()
            if pending is not None:
                write_note(describe_waiting(pending, thread=client.conversation.thread))
            if common.thread is None:
                name = escape_line(client.conversation.thread)
                write_note(f"thread: {name}, go on with --thread {shlex.quote(name)}")


def _check_not_hosts(message: str, common: Common) -> None:
    """A message that only names hosts was most likely meant to be the value of `--allow-net`, which opens all alone."""
    if common.rights is None or common.rights.net is not True:
        return
    hosts = message.split(",")
    try:
        Permissions(net=hosts)
    except (ValueError, TypeError):
        return
    if all("." in host.strip(".") for host in hosts):
        raise UsageError(
            f"--allow-net alone allows every host, and '{message}' would be the message.",
            advice=f"For these hosts alone write --allow-net={message}; to say it, pipe it in: ghostos ask TARGET -",
        )


def _read_message(message: str) -> str:
    if message == "-":
        return read_stdin("The message")
    if not message.strip():
        raise UsageError("The message is empty.", advice='Say something: ghostos ask TARGET "what can you do?"')
    try:
        message.encode()
    except UnicodeEncodeError as exc:  # Python keeps bytes of the command line that are no text as half characters
        raise UsageError(
            "The message is not text in the encoding of your terminal.", advice="Pipe it in: ghostos ask TARGET -"
        ) from exc
    return message


def _talk(client: Client, text: str, *, view: TurnView) -> None:
    unfinished = client.find_unfinished_turn()
    if unfinished is not None:
        try:
            follow_turn(unfinished, view=view)
        except GhostOSError as exc:
            show_failure(exc, with_traceback=False)  # of an earlier message; this one still gets its answer
    _, receiver = client.conversation.talk(text)
    follow_turn(receiver, view=view)
