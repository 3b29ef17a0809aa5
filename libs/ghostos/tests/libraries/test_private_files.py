"""A secret of our own making: made once, whoever makes it, and open to its owner alone."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ghostos.libraries.private_files import load_or_make_secret

_MAKE = """
import sys, time
from pathlib import Path
from ghostos.libraries.private_files import load_or_make_secret
print("ready", flush=True)
sys.stdin.readline()
print(load_or_make_secret(Path(sys.argv[1])))
"""
_AS_ANOTHER = """
import os, sys
from pathlib import Path
from ghostos.libraries.private_files import load_or_make_secret
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
load_or_make_secret(Path(sys.argv[1]))
"""
is_root = os.name != "nt" and os.getuid() == 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runtime" / "web.key"


def test_it_is_the_same_each_time_and_another_one_in_each_place(path: Path, tmp_path: Path) -> None:
    made = load_or_make_secret(path)
    assert len(made) == 43
    assert load_or_make_secret(path) == made
    assert load_or_make_secret(tmp_path / "other.key") != made


def test_it_is_open_to_its_owner_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        load_or_make_secret(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["web.key"]


@pytest.mark.parametrize("left", [None, b"", b"abc", bytes(43), b"x" * 42])
def test_of_processes_that_make_it_at_once_all_have_the_same(path: Path, left: bytes | None) -> None:
    if left is not None:
        path.parent.mkdir()
        path.write_bytes(left)
        path.chmod(0o600)
    command = [sys.executable, "-c", _MAKE, str(path)]
    makers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    with ThreadPoolExecutor() as pool:
        made = {answer[0].strip() for answer in pool.map(lambda maker: maker.communicate("go\n", timeout=30), makers)}
    assert made == {load_or_make_secret(path)}


@pytest.mark.parametrize("left", [None, b"abc"])
def test_of_threads_that_make_it_at_once_all_have_the_same(path: Path, left: bytes | None) -> None:
    for number in range(30):
        place = path.parent / str(number) / path.name
        if left is not None:
            place.parent.mkdir(parents=True)
            place.write_bytes(left)
            place.chmod(0o600)
        with ThreadPoolExecutor(8) as pool:
            assert len({*pool.map(load_or_make_secret, [place] * 8)}) == 1


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o666])
def test_one_that_others_can_use_is_refused_and_left_as_it_is(path: Path, mode: int) -> None:
    made = load_or_make_secret(path)
    path.chmod(mode)
    with pytest.raises(PermissionError, match="other users can use it"):
        load_or_make_secret(path)
    assert path.read_text() == f"{made}\n"


@pytest.mark.parametrize("content", [b"my own password, which is quite long, and has blanks", b"\xff" * 60, b"x" * 44])
def test_a_file_with_something_else_in_it_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(OSError, match="it holds something else") as caught:
        load_or_make_secret(path)
    assert "password" not in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["there", "not-there"])
def test_a_link_is_not_followed(path: Path, tmp_path: Path, name: str) -> None:
    load_or_make_secret(tmp_path / "there")
    elsewhere = tmp_path / name
    path.parent.mkdir()
    path.symlink_to(elsewhere)
    with pytest.raises(OSError, match="it is a link"):
        load_or_make_secret(path)
    assert elsewhere.exists() == (name == "there")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused_at_once(path: Path, make) -> None:
    path.parent.mkdir()
    make(path)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="it is no file"):
        load_or_make_secret(path)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(not is_root, reason="needs files of two users")
def test_one_of_another_user_and_a_folder_that_cannot_be_written_are_refused() -> None:
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - the other user may look
        path = Path(folder) / "web.key"
        command = [sys.executable, "-c", _AS_ANOTHER, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Permission denied" in done.stderr
        load_or_make_secret(path)
        path.chmod(0o604)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "it belongs to another user (0)" in done.stderr
        assert sorted(os.listdir(folder)) == ["web.key"]
