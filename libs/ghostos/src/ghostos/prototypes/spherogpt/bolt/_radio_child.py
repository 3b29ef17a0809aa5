"""The process of a radio as its driver has it: told without waiting, heard until it ends, killed when it hangs."""

import logging
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from ghostos.prototypes.spherogpt.bolt._radio_words import Report, Wanted

__all__ = ["RadioChild"]

_SILENT_S: Final = 2.5
"""A report comes every 50 ms from a ball that is connected, and it says itself within 2 s that a ball is lost. What
says nothing for longer hangs: in a write, for one, which has no deadline in Bluetooth."""
_LOOK_S: Final = 0.25
_LEAVE_S: Final = 3.0

_logger = logging.getLogger(__name__)


class RadioChild:
    """One process. `tell` and `leave` are for any thread, `list_reports` and `close` for the one that started it.

    Args:
        command: What is started.
        connect_s: How long it may say nothing at first.

    Attributes:
        pid: Its id.
        silent_s: How long it had said nothing when it was killed for that; None: it was not.
    """

    def __init__(self, command: Sequence[str], *, connect_s: float) -> None:
        process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # what ends a terminal's processes is not to end it before the ball stands
        )
        assert process.stdin is not None  # noqa: S101 - as asked for above
        assert process.stdout is not None  # noqa: S101 - as asked for above
        os.set_blocking(process.stdin.fileno(), False)
        self._process, self._input, self._output = process, process.stdin, process.stdout
        self._lock = threading.Lock()
        self._may_be_silent_s = connect_s
        self._has_spoken = False
        self._has_ended = threading.Event()
        self.pid = process.pid
        self.silent_s: float | None = None
        self._watch = threading.Thread(target=self._kill_when_silent, name="bolt-radio-watch", daemon=True)
        self._watch.start()

    def tell(self, wanted: Wanted) -> bool:
        """Say what is wanted; whether there was room for it. What is told to one that ends is left out."""
        with self._lock:
            if self._input.closed:
                return True
            try:
                os.write(self._input.fileno(), wanted.to_line())  # one piece or none: it is short
            except BlockingIOError:
                return False
            except OSError as exc:
                _logger.debug("The radio of the ball does not take what is wanted: %s", exc)
        return True

    def list_reports(self) -> Iterator[Report]:
        """Give what it says, as it comes, until it ends."""
        for line in self._output:
            self._has_spoken, self._may_be_silent_s = True, _SILENT_S
            try:
                yield Report.model_validate_json(line)
            except ValidationError:
                _logger.warning("The radio of the ball said what is not known: %.200r", line)

    def leave(self) -> None:
        """Close its input, upon which it stops the ball and ends; kill it if it does not. Harmless twice."""
        with self._lock:
            self._input.close()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """See `leave`; and nothing more is heard."""
        self.leave()
        self._has_ended.set()
        self._watch.join()
        self._output.close()

    def _kill_when_silent(self) -> None:
        """Counts looks, not the time: a driver that was paused itself finds a radio that goes on."""
        silent_s = 0.0
        while not self._has_ended.wait(_LOOK_S):
            silent_s = 0.0 if self._has_spoken else silent_s + _LOOK_S
            self._has_spoken = False
            if silent_s >= self._may_be_silent_s:
                self.silent_s = self._may_be_silent_s
                self._process.kill()
                return
