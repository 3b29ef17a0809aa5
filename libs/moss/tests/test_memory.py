"""What compiles and runs leave behind: nothing. The script in compile_repeatedly.py does everything that may."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("compile_repeatedly.py")


@pytest.mark.slow
def test_closed_runtimes_leave_no_module_no_class_no_container_and_no_thread():
    run = subprocess.run([sys.executable, str(SCRIPT), "30"], capture_output=True, text=True, check=True)
    modules, classes, containers, threads = map(int, run.stdout.splitlines()[-1].split()[2:])
    assert (modules, classes) == (0, 0)
    assert (containers, threads) == (1, 1)  # the parent's, the main one
