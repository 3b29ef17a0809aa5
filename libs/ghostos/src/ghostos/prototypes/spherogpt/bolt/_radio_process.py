"""The radio of a ball, in a process of its own, so that the ball stands still whatever happens to who drives it.

It reads what is wanted, a line each, from its input, and writes what is so to its output. When its input ends, or
nothing comes for `_SILENCE_S` while the ball drives, it sends a stop. When its input ends it ends too, whatever hangs.
A write that hangs while the input goes on is noticed by its driver, to whom it says nothing then.
"""

import argparse
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from ghostos.prototypes.spherogpt.bolt._radio import Radio
from ghostos.prototypes.spherogpt.bolt._radio_adapter import (
    NotThereError,
    RadioAdapter,
    connect,
    find_ball,
    load_adapters,
    write_packet,
)
from ghostos.prototypes.spherogpt.bolt._radio_codec import READS_FROM
from ghostos.prototypes.spherogpt.bolt._radio_words import Failure, Report, Wanted

__all__ = ["RadioProcess", "main"]

_SILENCE_S: Final = 0.12
"""A word comes every 20 ms. With the way of the packet it is a stop within 200 ms."""
_GIVES_UP_S: Final = 2.0
"""Of silence: who drove is gone, or has lost count of the time. Until then a word more and the ball goes on."""
_DEAF_S: Final = 1.5
"""Without a word from the ball: the radio is lost."""
_TICK_S: Final = 0.01
_REST_S: Final = 0.5
"""For the ball to answer a stop before it is disconnected."""
_END_S: Final = 1.5
"""For a disconnect, and for a write that does not come to an end: then the process ends as it is."""

_Inbox: TypeAlias = "queue.SimpleQueue[Wanted | bytes | None]"
"""What is wanted, what the ball says; None: nobody drives it any more."""


class _EndedError(Exception):
    """Nobody drives the ball any more."""


class RadioProcess:
    """Serves one connection, from its beginning to its end, on one thread; others only put into its queue.

    Args:
        adapter: The connection.
        name: Of the ball.
        inbox: What is wanted comes there, from any thread; and what the ball says.
        say: Takes reports.
        heading: See `Radio`.
        finds_north: See `Radio`.
    """

    def __init__(
        self,
        adapter: RadioAdapter,
        *,
        name: str,
        inbox: _Inbox,
        say: Callable[[Report], object],
        heading: int | None = None,
        finds_north: bool = False,
    ) -> None:
        self._adapter = adapter
        self._name = name
        self._say = say
        self._radio = Radio(lambda packet: write_packet(adapter, packet), heading=heading, finds_north=finds_north)
        self._inbox = inbox
        self._is_ready = False
        self._is_held = False
        self._is_last = False
        self._battery = self._radio.battery
        self._felt = self._radio.felt
        self._told_at = self._heard_at = time.monotonic()

    def serve(self) -> Failure | None:
        """Drive the ball until nobody drives it any more; or return why that ended before."""
        self._told_at = self._heard_at = time.monotonic()
        try:
            self._adapter.set_callback(READS_FROM, self._hear)
            try:
                while True:
                    self._take(time.monotonic() + _TICK_S)
                    self._guard(time.monotonic())
                    self._radio.send_due(time.monotonic())
                    self._report()
            except _EndedError:
                self._rest()
                return None
        except Exception as exc:  # noqa: BLE001 - whatever the adapter raises: the radio is lost
            return Failure(
                happened=f"The radio of the ball {self._name} was lost: {type(exc).__name__}: {exc}",
                advice="Bring it nearer; it is looked for again.",
            )

    def _hear(self, _: object, data: bytes) -> None:
        self._inbox.put(bytes(data))

    def _take(self, until: float) -> None:
        """Take what has come; wait a moment for it."""
        try:
            item = self._inbox.get(timeout=max(0.0, until - time.monotonic()))
            while True:
                self._take_one(item)
                item = self._inbox.get_nowait()
        except queue.Empty:
            pass

    def _take_one(self, item: Wanted | bytes | None) -> None:
        if isinstance(item, bytes):
            self._heard_at = time.monotonic()
            self._radio.hear(item)
            return
        self._is_last = self._is_last or (item is not None and item.is_end)
        if item is None or item.is_end:
            raise _EndedError
        self._told_at = time.monotonic()
        self._is_held = False
        self._radio.want(item)

    def _guard(self, now: float) -> None:
        """Stop the ball when who drives it says nothing; give up when the ball does not."""
        silent_s = now - self._told_at
        if self._radio.is_driving and silent_s > _SILENCE_S:
            self._radio.stop(now)
            self._is_held = True
        if self._is_held and silent_s > _GIVES_UP_S:
            raise _EndedError
        if now - self._heard_at > _DEAF_S:
            self._radio.stop(now)
            raise TimeoutError(f"it has said nothing for {_DEAF_S:g} s")

    def _report(self) -> None:
        radio = self._radio
        feelings, radio.feelings = tuple(radio.feelings), []
        news: dict[str, Any] = {}
        if radio.is_ready and not self._is_ready:
            self._is_ready = True
            news["connected"] = self._name
        if radio.battery != self._battery:
            self._battery = news["battery"] = radio.battery
        if self._is_ready and (feelings or news or radio.felt is not self._felt):
            self._felt = radio.felt
            self._say(Report(felt=radio.felt, feelings=feelings, **news))

    def _rest(self) -> None:
        """Have the ball stand still, and see that it does."""
        until = time.monotonic() + _REST_S
        self._radio.stop(time.monotonic())
        while not self._radio.is_obeyed and time.monotonic() < until:
            try:
                self._take(time.monotonic() + _TICK_S)
            except _EndedError:
                continue
            self._radio.send_due(time.monotonic())
        if self._is_last:
            self._radio.sleep()


def main(arguments: Sequence[str] | None = None) -> int:
    """Find a ball, connect it, and drive it as the input says. Returns the status of the process."""
    parser = argparse.ArgumentParser(prog="ghostos-bolt-radio")
    parser.add_argument("--adapters", required=True)
    parser.add_argument("--name")
    parser.add_argument("--scan-s", type=float, required=True)
    parser.add_argument("--heading", type=int)
    parser.add_argument("--finds-north", action="store_true")
    given = parser.parse_args(arguments)
    for number in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
        signal.signal(number, signal.SIG_IGN)  # these reach all processes of a terminal: its driver decides
    inbox: _Inbox = queue.SimpleQueue()
    is_found = threading.Event()
    threading.Thread(target=_read_input, args=(inbox, is_found), name="radio-input", daemon=True).start()
    try:
        adapters = load_adapters(given.adapters)
        found = find_ball(adapters, name=given.name, scan_s=given.scan_s)
        is_found.set()
        adapter = connect(adapters, found)
    except NotThereError as exc:
        _say(Report(failure=exc.failure))
        return 1
    process = RadioProcess(
        adapter, name=found.name, inbox=inbox, say=_say, heading=given.heading, finds_north=given.finds_north
    )

    def end(*_: object) -> None:
        inbox.put(None)

    signal.signal(signal.SIGTERM, end)
    failure = process.serve()
    if failure is not None:
        _say(Report(failure=failure))
    _disconnect(adapter)
    return 0 if failure is None else 1


def _say(report: Report) -> None:
    try:
        sys.stdout.buffer.write(report.to_line())
        sys.stdout.buffer.flush()
    except (BrokenPipeError, ValueError):
        return  # who drove is gone: the input has ended too, which is what counts


def _read_input(inbox: _Inbox, is_found: threading.Event) -> None:
    """Pass on what is wanted; at the end of the input end the process, which may hang."""
    for line in sys.stdin.buffer:
        try:
            inbox.put(Wanted.model_validate_json(line))
        except ValidationError as exc:
            sys.stderr.write(f"The radio of the ball was told what it does not know: {exc}\n")
    inbox.put(None)
    if is_found.is_set():
        time.sleep(_REST_S + 2 * _END_S)  # a ball is stopped, and let go of
    os._exit(1)


def _disconnect(adapter: RadioAdapter) -> None:
    closing = threading.Thread(target=adapter.close, name="radio-disconnect", daemon=True)
    closing.start()
    closing.join(_END_S)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the adapter's threads may wait for a ball that is gone
