"""The driver's end of the radio: starts its process, hears it, and starts another one when it has ended."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ghostos.prototypes.spherogpt.bolt._course import Feeling
from ghostos.prototypes.spherogpt.bolt._radio_child import RadioChild
from ghostos.prototypes.spherogpt.bolt._radio_words import Battery, Failure, Felt, Report, Wanted

__all__ = ["BLEAK", "ProcessLink", "RadioLink"]

BLEAK: Final = "spherov2.adapter.bleak_adapter:BleakAdapter"
"""The adapters of the machine's own Bluetooth."""

_MODULE: Final = "ghostos.prototypes.spherogpt.bolt._radio_process"
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 15.0
_FRESH_S: Final = 0.2
"""What the ball felt before that is no news."""
_MOST_FEELINGS: Final = 20
_LEAVE_S: Final = 3.0
_ENDED_EARLY: Final = Failure(
    happened="The process of the ball's radio has ended.", advice="Its last words are above; it is started again."
)
_LOOKING: Final = Failure(happened="The ball does not answer yet.", advice="Wait a moment, or bring it nearer.")

_logger = logging.getLogger(__name__)


class RadioLink(Protocol):
    """What reaches a ball. All methods are for any thread, and none but `close` waits."""

    def send(self, wanted: Wanted) -> None:
        """Have the ball do that from now on; what was wanted before and not done yet is forgotten."""
        ...

    def felt(self) -> Felt:
        """Return what it said last that it feels."""
        ...

    def take_feelings(self) -> Sequence[Feeling]:
        """Return what happened to it since this was asked last, or a moment ago."""
        ...

    def find_failure(self) -> Failure | None:
        """Return why it cannot be reached now; None: it can."""
        ...

    def watch(self, watcher: Callable[[], object]) -> None:
        """Have somebody told when it cannot be reached any more, and when it can again; while no lock is held."""
        ...

    def close(self) -> None:
        """Have it stand still, and let go of it. Harmless twice."""
        ...


@dataclass(slots=True)
class _Heard:
    """What is known of the ball, under the link's lock."""

    felt: Felt = field(default_factory=Felt)
    feelings: list[tuple[float, Feeling]] = field(default_factory=list[tuple[float, Feeling]])
    failure: Failure | None = _LOOKING
    was_connected: bool = False
    collisions_before: int = 0


class ProcessLink:
    """A radio in a process of its own. See `RadioLink`.

    Args:
        name: Of the ball; None: the first that is found.
        adapters: What carries its packets, as `load_adapters` reads it.
        scan_s: How long it is looked for, each time.
        connect_s: How long it may take after that until the ball answers.
        finds_north: Whether it is to turn about and look for north.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        adapters: str = BLEAK,
        scan_s: float = 5.0,
        connect_s: float = 15.0,
        finds_north: bool = False,
    ) -> None:
        self._name = name
        self._connect_s = scan_s + connect_s
        self._command = [sys.executable, "-I", "-m", _MODULE, "--adapters", adapters, "--scan-s", str(scan_s)]
        self._first_command = ["--finds-north"] if finds_north else []
        self._changed = threading.Condition()
        self._heard = _Heard()
        self._wanted = Wanted()
        self._is_told = True
        self._child: RadioChild | None = None
        self._is_closed = False
        self._watcher: Callable[[], object] = _nobody
        self._thread = threading.Thread(target=self._keep_connected, name="bolt-radio", daemon=True)
        self._thread.start()

    def wait_connected(self, timeout_s: float) -> Failure | None:
        """Wait for the first connection, or for the first failure, which is returned."""
        with self._changed:
            self._changed.wait_for(lambda: self._heard.failure is not _LOOKING, timeout_s)
            return self._heard.failure

    @property
    def process_id(self) -> int | None:
        """Of the radio, while there is one."""
        with self._changed:
            return self._child.pid if self._child is not None else None

    def send(self, wanted: Wanted) -> None:
        """See `RadioLink`."""
        with self._changed:
            self._wanted = wanted
            self._is_told = self._child is None or self._child.tell(wanted)

    def felt(self) -> Felt:
        """See `RadioLink`."""
        with self._changed:
            heard = self._heard
            collisions = heard.collisions_before + heard.felt.collisions
            still = {"vx": 0.0, "vy": 0.0} if heard.failure is not None else {}
            return heard.felt.model_copy(update={"collisions": collisions, **still})

    def take_feelings(self) -> Sequence[Feeling]:
        """See `RadioLink`."""
        with self._changed:
            fresh: list[Feeling] = [feeling for at, feeling in self._heard.feelings if time.monotonic() - at < _FRESH_S]
            self._heard.feelings.clear()
            return fresh

    def find_failure(self) -> Failure | None:
        """See `RadioLink`."""
        with self._changed:
            return self._heard.failure

    def watch(self, watcher: Callable[[], object]) -> None:
        """See `RadioLink`."""
        self._watcher = watcher

    def close(self) -> None:
        """See `RadioLink`."""
        self.send(Wanted(is_end=True))
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            child = self._child
        if child is not None:
            child.leave()
        self._thread.join(_LEAVE_S)

    def _keep_connected(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._is_closed:
            if self._serve_once():
                wait_s = _FIRST_WAIT_S
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed, wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _serve_once(self) -> bool:
        """Start a radio and hear it until it ends; whether it had the ball."""
        child = self._start()
        if child is None:
            return False
        had_ball = False
        failure = None
        try:
            for report in child.list_reports():
                failure = report.failure
                had_ball = had_ball or report.connected is not None
                self._hear(report)
        finally:
            with self._changed:
                self._child = None
                self._fail(failure or _explain_end(child))
                self._heard.collisions_before += self._heard.felt.collisions
                self._heard.felt = self._heard.felt.model_copy(update={"collisions": 0})
            child.close()
            self._watcher()
        return had_ball

    def _start(self) -> RadioChild | None:
        with self._changed:
            heading = str(round(self._wanted.heading) % 360)
            more = ["--heading", heading] if self._heard.was_connected else self._first_command
            name = [] if self._name is None else ["--name", self._name]
        child = RadioChild([*self._command, *more, *name], connect_s=self._connect_s)
        with self._changed:
            if not self._is_closed:
                self._child = child
                return child
        child.close()
        return None

    def _fail(self, failure: Failure) -> None:
        if failure != self._heard.failure and not self._is_closed:
            _logger.warning("%s %s", failure.happened, failure.advice)
        self._heard.failure = failure
        self._changed.notify_all()

    def _hear(self, report: Report) -> None:
        now = time.monotonic()
        with self._changed:
            heard = self._heard
            if report.felt is not None:
                heard.felt = report.felt
            for feeling in report.feelings[-_MOST_FEELINGS:]:
                heard.feelings.append((now, feeling))
            del heard.feelings[:-_MOST_FEELINGS]
            if report.failure is not None:
                self._fail(report.failure)
            if report.connected is not None:
                self._name = report.connected
                heard.failure, heard.was_connected = None, True
                _logger.info("The ball %s is connected.", report.connected)
                self.send(self._wanted.model_copy(update={"speed": 0.0}))  # its face is as it was
                self._changed.notify_all()
            elif not self._is_told:
                self.send(self._wanted)  # its pipe was full, which it is no more: it speaks, so it reads
        if report.failure is not None or report.connected is not None:
            self._watcher()
        if report.battery is not None:
            _tell_battery(report.battery)


def _nobody() -> None:
    """Watches until somebody does."""


def _explain_end(child: RadioChild) -> Failure:
    if child.silent_s is None:
        return _ENDED_EARLY
    return Failure(
        happened=f"Its radio has said nothing for {child.silent_s:g} s.",
        advice="It is started again; if that does not help, switch Bluetooth off and on, and bring the ball nearer.",
    )


def _tell_battery(battery: Battery) -> None:
    if battery == "critical":
        _logger.error("The ball's battery is nearly empty: put it on its charger now.")
    elif battery == "low":
        _logger.warning("The ball's battery is low: put it on its charger soon.")
