"""Looking at what the threads of a process are at."""

import gc
import subprocess
import sys
import threading

import pytest

from ghostos_moss._thread_frames import get_thread_frames

LOOKS = """
import gc, sys, threading, time
from ghostos_moss._thread_frames import get_thread_frames


def let_others_run(phase, info):
    time.sleep(0)


def breed():
    while True:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()


gc.callbacks.append(let_others_run)
gc.set_threshold(1)
for _ in range(4):
    threading.Thread(target=breed, daemon=True).start()
end = time.monotonic() + 5
while time.monotonic() < end:
    get_thread_frames()
sys.stdout.write("looked\\n")
sys.stdout.flush()
gc.callbacks.clear()
"""


def test_the_innermost_frame_of_each_thread_is_found():
    has_begun, may_end = threading.Event(), threading.Event()

    def wait() -> None:
        has_begun.set()
        may_end.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    has_begun.wait()
    frames = get_thread_frames()
    may_end.set()
    thread.join()
    assert thread.ident is not None
    frame = frames[thread.ident]
    while frame is not None and frame.f_code is not wait.__code__:
        frame = frame.f_back
    assert frame is not None


@pytest.mark.slow
def test_a_process_whose_threads_come_and_go_does_not_stand_still_when_it_is_looked_at():
    with subprocess.Popen([sys.executable, "-c", LOOKS], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.communicate(timeout=60)[0] == "looked\n"
        finally:
            process.kill()


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(is_enabled):
    was_enabled = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        get_thread_frames()
        assert gc.isenabled() == is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
