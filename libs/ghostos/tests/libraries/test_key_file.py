"""Keys are kept in the workspace's `.env`: for its owner alone, and nothing else in it changes."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ghostos.config import Workspace
from ghostos.errors import ConfigError, DiskFullError, WorkspaceError
from ghostos.libraries.env_text import remove_variable, set_variable
from ghostos.libraries.key_file import remove_key, store_key

KEY = SecretStr("sk-made-up-1234")
LINES = "# mine\nA=1\n\nexport OPENAI_API_KEY='old'  # of the firm\nB = \"two\"\n"


_AS_ANOTHER = """
import os, sys
from pathlib import Path
from pydantic import SecretStr
from ghostos.config import Workspace
from ghostos.libraries.key_file import store_key
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
store_key(Workspace(Path(sys.argv[1])), "MINE", key=SecretStr("sk-x"))
"""


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


def test_a_key_is_kept_for_its_owner_alone(workspace):
    store_key(workspace, "OPENAI_API_KEY", key=KEY)
    assert workspace.env_file.read_text() == "OPENAI_API_KEY=sk-made-up-1234\n"
    assert stat.S_IMODE(workspace.env_file.stat().st_mode) == 0o600
    assert [path.name for path in workspace.root.iterdir()] == [".env"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LINES, LINES.replace("'old'", "new")),
        ("A=1", "A=1\nOPENAI_API_KEY=new\n"),
        ("# OPENAI_API_KEY=\r\n", "# OPENAI_API_KEY=\r\nOPENAI_API_KEY=new\r\n"),
        ("OPENAI_API_KEY=\n", "OPENAI_API_KEY=new\n"),
        (
            "OPENAI_API_KEY=a # 1\nA=1\n\nOPENAI_API_KEY=b # 2\n",
            "OPENAI_API_KEY=a # 1\nA=1\n\nOPENAI_API_KEY=new # 2\n",
        ),
        ("OPENAI_API_KEY=\"a\nb\"\nA='x\ny'\n", "OPENAI_API_KEY=new\nA='x\ny'\n"),
    ],
)
def test_one_line_changes_and_all_others_stay_as_they_are(before, after):
    assert set_variable(before, "OPENAI_API_KEY", value="new") == after
    assert set_variable(after, "OPENAI_API_KEY", value="new") == after


def test_a_key_is_taken_out_with_every_line_that_sets_it(workspace):
    store_key(workspace, "OPENAI_API_KEY", key=KEY)
    store_key(workspace, "MINE", key=KEY)
    remove_key(workspace, "OPENAI_API_KEY")
    assert workspace.env_file.read_text() == "MINE=sk-made-up-1234\n"
    assert remove_variable("A=1\n\nX=a\n# x\nX=b\n", "X") == "A=1\n\n# x\n"


@given(
    value=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), before=st.sampled_from(["", LINES])
)
def test_any_key_is_read_back_as_it_was(value, before):
    after = set_variable(before, "OPENAI_API_KEY", value=value)
    with TemporaryDirectory() as folder:
        path = Path(folder) / ".env"
        path.write_text(after)
        assert dotenv_values(path, interpolate=False)["OPENAI_API_KEY"] == value


def test_a_file_that_others_could_read_is_closed_to_them(workspace):
    workspace.root.mkdir()
    workspace.env_file.write_text("OPENAI_API_KEY=sk-made-up-1234\n")
    workspace.env_file.chmod(0o644)
    store_key(workspace, "OPENAI_API_KEY", key=KEY)
    assert stat.S_IMODE(workspace.env_file.stat().st_mode) == 0o600


def test_nobody_can_read_it_while_it_is_written(workspace, monkeypatch):
    modes = []
    replace = os.replace
    monkeypatch.setattr(
        os, "replace", lambda *paths: (modes.append(os.stat(paths[0]).st_mode & 0o777), replace(*paths))
    )
    before = os.umask(0)
    try:
        store_key(workspace, "OPENAI_API_KEY", key=KEY)
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_a_link_stays_one_and_what_it_leads_to_is_changed(workspace, tmp_path):
    elsewhere = tmp_path / "keys"
    elsewhere.write_text("A=1\n")
    workspace.root.mkdir()
    workspace.env_file.symlink_to(elsewhere)
    store_key(workspace, "MINE", key=KEY)
    assert workspace.env_file.is_symlink()
    assert elsewhere.read_text() == "A=1\nMINE=sk-made-up-1234\n"
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_left_as_it_is(workspace, make):
    workspace.root.mkdir()
    make(workspace.env_file)
    before = workspace.env_file.stat()
    with pytest.raises(WorkspaceError, match="it is no file"):
        store_key(workspace, "MINE", key=KEY)
    assert os.path.samestat(workspace.env_file.stat(), before)


def test_a_line_that_is_none_is_named_without_its_text(workspace):
    workspace.root.mkdir()
    workspace.env_file.write_text("A=1\nsk-secret and more\n")
    with pytest.raises(ConfigError, match="line 2") as caught:
        store_key(workspace, "MINE", key=KEY)
    assert "secret" not in str(caught.value)
    assert workspace.env_file.read_text() == "A=1\nsk-secret and more\n"


def test_a_name_that_is_none_is_refused(workspace):
    with pytest.raises(ConfigError, match="no name of a variable"):
        store_key(workspace, "MY KEY", key=KEY)


def test_two_writers_lose_nothing(workspace):
    names = [f"KEY_{number}" for number in range(20)]
    threads = [threading.Thread(target=store_key, args=(workspace, name), kwargs={"key": KEY}) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(dotenv_values(workspace.env_file)) == sorted(names)


def test_what_somebody_wrote_meanwhile_is_read_again(workspace, monkeypatch):
    store_key(workspace, "MINE", key=KEY)
    fsync, is_first = os.fsync, [True]

    def edit_meanwhile(descriptor):
        if is_first.pop() if is_first else False:
            workspace.env_file.write_text("BY_HAND=1\n")  # an editor takes no lock
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", edit_meanwhile)
    store_key(workspace, "OTHER", key=KEY)
    assert workspace.env_file.read_text() == "BY_HAND=1\nOTHER=sk-made-up-1234\n"


def test_a_full_disk_leaves_the_file_as_it_was(workspace, monkeypatch):
    store_key(workspace, "MINE", key=KEY)

    def refuse(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(DiskFullError):
        store_key(workspace, "OTHER", key=KEY)
    assert workspace.env_file.read_text() == "MINE=sk-made-up-1234\n"
    assert os.listdir(workspace.root) == [".env"]


@pytest.mark.skipif(os.getuid() != 0, reason="needs files of two users")
def test_a_file_of_another_user_is_left_to_them():
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # noqa: S103 - the other user may write there
        path = Path(folder) / ".env"
        path.write_text("A=1\n")
        path.chmod(0o666)
        done = subprocess.run([sys.executable, "-c", _AS_ANOTHER, folder], capture_output=True, text=True, check=False)
        assert "it belongs to another user (0)" in done.stderr
        assert path.read_text() == "A=1\n"
