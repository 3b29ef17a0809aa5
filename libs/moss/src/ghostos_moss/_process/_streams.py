"""The output of a worker: one pipe behind stdout and stderr, so that what Python and C write keeps its order."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from ghostos_moss._process._system import flush_c_streams

__all__ = ["WorkerStreams"]

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_MAX_DESCRIPTOR = 2**31 - 1


class WorkerStreams:
    """Takes over descriptors 0 to 2 of this process and closes all others.

    Args:
        output: The pipe's end to write to.
        keep: Other descriptors that stay open.
    """

    def __init__(self, output: int, *, keep: Sequence[int]) -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, _STDIN)
        self._output = os.dup(output)
        _close_all_but({_STDIN, _STDOUT, _STDERR, self._output, *keep})
        self._streams = self._open()
        self.restore()

    def restore(self) -> None:
        """Put stdout and stderr back where they belong, whatever code did to them."""
        os.dup2(self._output, _STDOUT)
        os.dup2(self._output, _STDERR)
        if any(stream.closed for stream in self._streams):
            self._streams = self._open()
        sys.stdout, sys.stderr = self._streams
        sys.__stdout__, sys.__stderr__ = self._streams  # pyright: ignore[reportAttributeAccessIssue] - of this process

    def flush(self) -> None:
        """Send all that was written on its way."""
        for stream in (sys.stdout, sys.stderr, *self._streams):
            try:
                stream.flush()
            except Exception:  # noqa: BLE001, S112 - closed by the code, or of its own making
                continue
        flush_c_streams()

    def _open(self) -> tuple[TextIO, TextIO]:
        """Streams that send line by line, so that what C code writes between two prints comes between them."""
        stdout, stderr = (
            os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
            for descriptor in (_STDOUT, _STDERR)
        )
        return stdout, stderr


def _close_all_but(kept: set[int]) -> None:
    low = 0
    for descriptor in sorted(kept):
        if low < descriptor:  # an empty range that begins with 0 is all of them, to Python 3.11
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, _MAX_DESCRIPTOR)
