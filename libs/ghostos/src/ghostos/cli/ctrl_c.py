"""Ctrl-C while code of a module runs."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def counting_ctrl_c() -> Generator[list[int]]:
    """Note each Ctrl-C: to the code it is a KeyboardInterrupt, of which its result says only that it failed."""
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
