"""The standard streams of a command: what is written reaches them at once, and a reader may leave."""

import io
import os
import sys
from typing import TextIO

from ghostos.errors import GhostOSError, UsageError


class OutputError(GhostOSError):
    """What was to be printed cannot be written."""


def prepare_streams() -> None:
    """Make the streams take every text: what their encoding lacks is shown as an escape. Closed ones go nowhere."""
    _open_closed_streams()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        _set_errors(stream, to="backslashreplace")


def settle_streams() -> None:
    """Write what is still to be written to stdout.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(1)
    except OSError as exc:
        raise _unwritable(exc) from exc


def read_stdin(what: str) -> str:
    """Return all that comes from stdin.

    Args:
        what: What it is taken for, at the beginning of a sentence.

    Raises:
        UsageError: Nothing comes, or no text.
    """
    _set_errors(sys.stdin, to="strict")
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError as exc:
        encoding = sys.stdin.encoding.upper()
        raise UsageError(
            f"{what} on stdin is not {encoding}: byte {exc.object[exc.start]:#04x} cannot be read.",
            advice=f"Convert it first, with: iconv -f ENCODING -t {encoding}",
        ) from exc
    except OSError as exc:
        raise UsageError(
            f"{what} cannot be read from stdin: {exc.strerror or exc}.", advice="Look at where it comes from (< or |)."
        ) from exc
    if not text.strip():
        raise UsageError(f"{what} is empty: nothing came from stdin.", advice="Pipe it in (|), or do not say -.")
    return text


def write_out(text: str) -> None:
    """Write to stdout at once. When its reader has left (`| head`), nothing happens.

    Raises:
        OutputError: It cannot be written: a full disk.
    """
    _write(text.encode(sys.stdout.encoding or "utf-8", errors="backslashreplace"))


def write_out_line(line: bytes) -> None:
    """Write one line of bytes, such as JSON, to stdout; otherwise like `write_out`."""
    _write(line + b"\n")


def write_note(line: str) -> None:
    """Write one line to stderr: what is no part of the answer."""
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:  # there is nowhere left to say so
        _silence(2)


def _write(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _silence(1)
    except OSError as exc:
        raise _unwritable(exc) from exc


def _unwritable(cause: OSError) -> OutputError:
    _silence(1)
    return OutputError(
        f"The output cannot be written: {cause.strerror or cause}.", advice="Look at where it is sent to (> or |)."
    )


def _set_errors(stream: TextIO, *, to: str) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=to)


def _open_closed_streams() -> None:
    """Put /dev/null in the place of streams that were closed: the next file to be opened would else be one of them."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _silence(descriptor)
            setattr(sys, name, os.fdopen(descriptor, "r" if descriptor == 0 else "w", encoding="utf-8"))


def _silence(descriptor: int) -> None:
    """Let what is still to be written go nowhere: also what Python flushes when it exits."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == descriptor:  # it was closed
        os.set_inheritable(descriptor, True)
        return
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
