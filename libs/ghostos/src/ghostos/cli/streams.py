"""The standard streams of a command: what is written reaches them at once, and a reader may leave."""

import io
import os
import sys

from ghostos.errors import GhostOSError


class OutputError(GhostOSError):
    """What was to be printed cannot be written."""


def prepare_streams() -> None:
    """Make stdout and stderr take every text: what their encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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
    except BrokenPipeError:
        _silence(2)


def _write(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _silence(1)
    except OSError as exc:
        _silence(1)
        raise OutputError(
            f"The output cannot be written: {exc.strerror or exc}.", advice="Look at where it is sent to (> or |)."
        ) from exc


def _silence(descriptor: int) -> None:
    """Let what is still to be written go nowhere: also what Python flushes when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
