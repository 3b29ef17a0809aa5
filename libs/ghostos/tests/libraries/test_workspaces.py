import threading
from pathlib import Path

import pytest

from ghostos.config import Workspace
from ghostos.errors import NotConfiguredError, WorkspaceError
from ghostos.libraries.workspaces import find_workspace, init_workspace, list_private_places, user_data_folder


@pytest.fixture(autouse=True)
def _a_user_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_a_chosen_workspace_goes_before_the_environment(tmp_path):
    found = find_workspace(tmp_path / "chosen", environment={"GHOSTOS_WORKSPACE": str(tmp_path / "named")})
    assert found.workspace.root == tmp_path / "chosen"


def test_the_environment_goes_before_a_local_one(tmp_path):
    init_workspace(Path("app"))
    found = find_workspace(None, environment={"GHOSTOS_WORKSPACE": str(tmp_path / "named")})
    assert found.workspace.root == tmp_path / "named"


def test_a_local_workspace_is_used_where_init_made_it():
    init_workspace(Path("app"))
    assert find_workspace(None, environment={}).workspace.root == Path("app").absolute()


def test_a_local_workspace_that_came_from_elsewhere_is_named_and_ignored():
    Path("app/configs").mkdir(parents=True)
    Path("app/configs/ghostos.toml").write_text("version = 1\n")
    found = find_workspace(None, environment={})
    assert found.workspace.root == user_data_folder()
    assert any("Ignored" in notice and "--workspace app" in notice for notice in found.notices)


def test_a_local_workspace_whose_settings_are_gone_is_named_and_ignored():
    init_workspace(Path("app"))
    Path("app/configs/ghostos.toml").unlink()
    found = find_workspace(None, environment={})
    assert found.workspace.root != Path("app").absolute()
    assert any("no configs/ghostos.toml" in notice and "ghostos init" in notice for notice in found.notices)
    init_workspace(Path("app"))
    assert find_workspace(None, environment={}).workspace.root == Path("app").absolute()


def test_a_folder_with_an_env_file_that_never_was_a_workspace_is_not_spoken_of():
    Path("app").mkdir()
    Path("app/.env").write_text("A=1\n")
    assert not any("Ignored" in notice for notice in find_workspace(None, environment={}).notices)


def test_finding_makes_nothing():
    find_workspace(None, environment={})
    assert not user_data_folder().exists()


def test_every_workspace_that_would_be_believed_is_private(tmp_path):
    init_workspace(Path("app"))
    places = list_private_places(Workspace(tmp_path / "chosen"))
    assert {tmp_path / "chosen", Path("app").resolve(), user_data_folder()} <= set(places)
    assert Path("app/configs").resolve() in places  # it may be a link, to where code may write
    assert not (tmp_path / "chosen").exists()


def test_init_never_overwrites():
    init_workspace(Path("app"))
    Path("app/configs/ghostos.toml").write_text("version = 1\n# mine\n")
    assert init_workspace(Path("app")) == []
    assert "# mine" in Path("app/configs/ghostos.toml").read_text()


def test_keys_are_readable_by_their_owner_alone():
    init_workspace(Path("app"))
    assert Path("app/.env").stat().st_mode & 0o077 == 0
    assert Path("app/runtime").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damaged", [b"[", b'{"a": 1}', b"\xff"])
def test_a_record_that_cannot_be_read_is_no_empty_one(damaged):
    init_workspace(Path("app"))
    record = user_data_folder() / "workspaces.json"
    record.write_bytes(damaged)
    for use in (
        lambda: list_private_places(Workspace(Path("other").absolute())),
        lambda: find_workspace(None, environment={}),
        lambda: init_workspace(Path("more")),
    ):
        with pytest.raises(WorkspaceError, match="which lists your workspaces") as caught:
            use()
        assert "ghostos init" in caught.value.advice
    assert record.read_bytes() == damaged
    assert find_workspace(Path("app"), environment={}).workspace.root == Path("app").absolute()


def test_workspaces_that_are_made_at_once_are_all_recorded(tmp_path):
    start = threading.Barrier(8)

    def make(number):
        start.wait()
        init_workspace(tmp_path / str(number))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    places = list_private_places(Workspace(tmp_path / "chosen"))
    assert {tmp_path / str(number) for number in range(8)} <= set(places)


def test_a_current_folder_that_is_gone_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for use in (
        lambda: find_workspace(None, environment={}),
        lambda: find_workspace(Path("chosen"), environment={}),
        lambda: init_workspace(Path("app")),
    ):
        with pytest.raises(WorkspaceError, match="current folder"):
            use()
    assert find_workspace(tmp_path, environment={}).workspace.root == tmp_path


def test_a_file_in_the_place_is_named():
    Path("app").write_text("a file")
    with pytest.raises(NotConfiguredError, match="not a folder"):
        init_workspace(Path("app"))
