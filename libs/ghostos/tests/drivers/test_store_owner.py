"""Who holds a task, and whether it lives."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ghostos.core.task import Owner
from ghostos.drivers.store.owner import current_owner, find_owner, is_alive, parse_owner

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="without /proc only pids are known")


def test_this_process_lives_and_is_the_same_each_time():
    assert current_owner() == current_owner()
    assert current_owner().pid == os.getpid()
    assert is_alive(current_owner())


def test_a_key_is_read_back():
    owner = replace(current_owner(), boot_id="a:b/4026531836")
    assert parse_owner(owner.key) == owner
    with pytest.raises(ValueError, match="not enough values"):
        parse_owner("nonsense")


def test_a_process_with_the_pid_of_a_dead_one_is_not_it():
    assert not is_alive(replace(current_owner(), started=current_owner().started - 1))


def test_a_process_of_an_earlier_boot_is_dead():
    namespace = current_owner().boot_id.partition("/")[2]
    assert not is_alive(replace(current_owner(), boot_id=f"00000000/{namespace}"))


def test_a_process_of_another_container_may_live():
    machine = current_owner().boot_id.partition("/")[0]
    assert is_alive(Owner(pid=2**22 + 1, boot_id=f"{machine}/1", started=5))


def test_a_process_whose_boot_is_unknown_lives_while_its_pid_is_in_use():
    assert is_alive(Owner(pid=os.getpid(), boot_id="", started=0))
    assert not is_alive(Owner(pid=2**22 + 1, boot_id="", started=0))


def test_a_zombie_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = find_owner(process.pid)
    assert owner is not None
    assert is_alive(owner)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(owner)
    assert find_owner(process.pid) is None
    process.communicate()


def test_a_name_with_brackets_does_not_confuse(tmp_path):
    odd = tmp_path / "a) R (b"
    os.symlink(sys.executable, odd)
    process = subprocess.Popen([odd, "-c", "input()"], stdin=subprocess.PIPE)
    owner = find_owner(process.pid)
    assert owner is not None
    assert owner.started >= current_owner().started
    assert is_alive(owner)
    process.communicate(b"\n")
