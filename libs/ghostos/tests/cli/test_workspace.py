import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from ghostos.drivers.store.schema.revisions import HEAD_REVISION
from ghostos.testing import ModelServer

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


def test_where_the_record_of_workspaces_cannot_be_read_no_code_runs_and_the_doctor_says_so(shell):
    shell.run("init", "mine")
    keys = shell.folder / "mine" / ".env"
    keys.write_text("OPENAI_API_KEY=of-mine\n")
    record = shell.folder.parent / "home" / "data" / "ghostos" / "workspaces.json"
    record.write_text(record.read_text()[:-4])
    code = shell.write("code.py", f"print(open({str(keys)!r}).read())")
    ran = shell.run("moss", "run", "foo.py", f"--allow-read={keys}", "--code", str(code))
    assert (ran.status, ran.out) == (3, "")
    assert str(record) in ran.err
    examined = shell.run("doctor")
    assert examined.status == 3
    assert str(record) in examined.out


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


def test_clear_runtime_deletes_what_ghostos_keeps_and_nothing_else(served):
    with ModelServer(["Hello."]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi", "--thread", "t1")
    runtime = shell.workspace / "runtime"
    (runtime / "assets").mkdir(exist_ok=True)
    (runtime / "mine").mkdir()
    (runtime / "mine" / "thesis.txt").write_text("years of work")
    (runtime / "notes.txt").write_text("mine")
    (runtime / "scratch" / "t1").mkdir(parents=True, exist_ok=True)
    deep = "import os\nos.chdir(%r)\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\n"
    subprocess.run([sys.executable, "-c", deep % str(runtime / "scratch" / "t1")], check=True)  # as code can leave it

    done = shell.run("clear-runtime", "--yes")

    assert done.status == 0, done.err
    assert not (runtime / "assets").exists()
    assert not (runtime / "logs").exists()
    assert not (runtime / "scratch").exists()
    assert (runtime / "mine" / "thesis.txt").read_text() == "years of work"
    assert (runtime / "notes.txt").is_file()
    assert shell.run("threads", "list").out.startswith("No threads yet.")


def test_clear_runtime_refuses_a_folder_that_is_no_workspace(shell, tmp_path):
    foreign = tmp_path / "foreign"
    logs = foreign / "runtime" / "logs"
    logs.mkdir(parents=True)
    done = shell.run("clear-runtime", "--yes", "--workspace", str(foreign))
    assert (done.status, done.out) == (3, "")
    assert "is not a workspace" in done.err
    assert logs.is_dir()


def test_doctor_sees_the_key_of_a_service_that_settings_change(shell):
    (shell.workspace / "configs" / "ghostos.toml").write_text("version = 1\n[services.openai]\nmax_retries = 5\n")
    lines = shell.run("doctor").out.splitlines()
    assert [line.split() for line in lines if " keys " in line] == [["ok", "keys", "OPENAI_API_KEY"]]


def test_doctor_leaves_the_database_as_it_was(served):
    with ModelServer(["Hello."]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi")
    runtime = shell.workspace / "runtime"
    before = sorted(path.name for path in runtime.iterdir())
    assert f"format {HEAD_REVISION}" in shell.run("doctor").out
    assert sorted(path.name for path in runtime.iterdir()) == before


def test_doctor_reads_a_database_that_is_in_use(served):
    with ModelServer(["Hello."]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi")
    with closing(sqlite3.connect(shell.workspace / "runtime" / "ghostos.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")  # in the write-ahead log alone
        assert "format 9999" in shell.run("doctor").out


def test_doctor_names_keys_that_others_can_read(shell):
    env_file = shell.workspace / ".env"
    env_file.write_text("OPENAI_API_KEY=x\n")
    env_file.chmod(0o644)
    assert f"chmod 600 {env_file}" in shell.run("doctor").out
    env_file.chmod(0o600)
    assert "chmod" not in shell.run("doctor").out
