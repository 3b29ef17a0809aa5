"""The standard streams of a command: what is written reaches them at once, and a reader may leave."""

import io
import os
import sys


def prepare_streams() -> None:
    """Make stdout and stderr take every text: what their encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write_out(text: str) -> None:
    """Write to stdout at once. When its reader has left (`| head`), nothing happens."""
    _write(text.encode(sys.stdout.encoding or "utf-8", errors="backslashreplace"))


def write_out_line(line: bytes) -> None:
    """Write one line of bytes, such as JSON, to stdout at once. When its reader has left, nothing happens."""
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


def _silence(descriptor: int) -> None:
    """Let what is still to be written go nowhere: also what Python flushes when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
