import stat

import pytest

pytestmark = pytest.mark.slow


def test_init_makes_a_workspace_that_later_commands_find(shell):
    del shell.variables["GHOSTOS_WORKSPACE"]
    done = shell.run("init")
    assert done.status == 0, done.err
    app = shell.folder / "app"
    assert stat.S_IMODE((app / ".env").stat().st_mode) == 0o600
    assert str(app) in shell.run("doctor").out


def test_init_twice_overwrites_nothing(shell):
    shell.run("init", "mine")
    settings = shell.folder / "mine" / "configs" / "ghostos.toml"
    settings.write_text("version = 1\n")
    again = shell.run("init", "mine")
    assert (again.status, settings.read_text()) == (0, "version = 1\n")
    assert "nothing to make" in again.out


def test_a_workspace_that_this_machine_did_not_make_is_named_and_ignored(shell):
    del shell.variables["GHOSTOS_WORKSPACE"]
    foreign = shell.folder / "app" / "configs"
    foreign.mkdir(parents=True)
    (foreign / "ghostos.toml").write_text("version = 1\n")
    done = shell.run("threads", "list")
    assert done.status == 0
    assert f"note: Ignored {shell.folder / 'app'}" in done.err


def test_init_where_a_file_is_is_status_3(shell):
    shell.write("taken", "")
    done = shell.run("init", "taken")
    assert (done.status, done.out) == (3, "")
    assert "is not a folder" in done.err


def test_doctor_names_keys_without_showing_them_and_says_what_to_do_next(shell):
    done = shell.run("doctor")
    assert done.status == 0, done.out
    assert "OPENAI_API_KEY" in done.out
    assert shell.variables["OPENAI_API_KEY"] not in done.out + done.err
    assert "confinement" in done.out
    assert done.out.splitlines()[-1].startswith("Next: ghostos ")
    assert not (shell.workspace / "runtime").exists()


def test_docs_names_documents_that_exist(shell):
    from pathlib import Path

    paths = [line for line in shell.run("docs").out.splitlines() if not line.startswith(" ")]
    assert any(path.endswith("README.md") for path in paths)
    assert all(Path(path).is_file() for path in paths)
