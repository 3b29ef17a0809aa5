"""Files that take the place of others, and the lock that their writers take."""

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ghostos.libraries.atomic_files import folder_locked, write_atomically

_A_USER = 54_321
_WRITE_AS = """
import os, sys
from pathlib import Path
from ghostos.libraries.atomic_files import write_atomically
os.chdir(sys.argv[1])
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
write_atomically(Path("file"), b"new")
"""


@pytest.fixture
def shared():
    """A folder that every user may write; those of pytest are open to one."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # noqa: S103 - that is what is tested
        yield Path(folder)


def test_what_a_check_raises_leaves_the_file_alone(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def refuse():
        raise ValueError

    with pytest.raises(ValueError):
        write_atomically(path, b"new", check=refuse)
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["file"])


def test_a_folder_that_stays_locked_is_waited_for_so_long(tmp_path):
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(TimeoutError, match="locked for"), folder_locked(tmp_path, timeout_s=0.05):
            pass
    finally:
        os.close(held)
    with folder_locked(tmp_path, timeout_s=0.05):
        pass


@pytest.mark.skipif(os.getuid() != 0, reason="needs files of two users")
def test_the_owner_stays_where_the_system_lets_it(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    os.chown(path, _A_USER, _A_USER)
    write_atomically(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid, path.read_text()) == (_A_USER, _A_USER, "new")


@pytest.mark.skipif(os.getuid() != 0, reason="needs files of two users")
@pytest.mark.parametrize(("mode", "status"), [(0o666, 0), (0o644, 1)])
def test_who_may_write_a_file_of_another_user_may_replace_it(shared, mode, status):
    path = shared / "file"
    path.write_text("old")
    path.chmod(mode)
    command = [sys.executable, "-c", _WRITE_AS, str(shared), str(_A_USER)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    if status:
        assert "it belongs to the user 0" in done.stderr
    assert path.read_text() == ("old" if status else "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
