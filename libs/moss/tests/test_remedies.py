"""What would allow what was refused: the least that works, and nothing that one click should not give."""

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ghostos_container import Container
from ghostos_moss import OffExecutor, Permission, Permissions, ProcessExecutor, PyContext, load_source
from ghostos_moss._executor import Refusal
from ghostos_moss.errors import CompileError

PLAIN = "from ghostos_moss import Moss\n"
COUNTS = "print(db.execute('select count(*) from t').fetchone())"
ADDS = "with db: db.execute('insert into t values (1)')"
WRITES = "open({path!r}, 'w').write('tea')"


@pytest.fixture
def private(tmp_path):
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "keys").write_text("sk-1")
    return folder


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("milk")
    return folder


@pytest.fixture
def executor(process_executor, private):
    """Has a folder that is never granted."""
    executor = ProcessExecutor(never=[private])
    yield executor
    executor.close()


@pytest.fixture
def source(write_module):
    return load_source(write_module(PLAIN))


@pytest.fixture
def run(executor, source):
    """Run code once, with permissions, and return what came of it."""

    def run_it(code, *permissions, executor=executor):
        session = executor.open(
            source,
            pycontext=PyContext(),
            container=Container(),
            injections={},
            permissions=Permissions().plus(*permissions),
        )
        try:
            return session.run(code)
        finally:
            session.close()

    return run_it


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def code_for(what, data, port):
    database = f"import sqlite3\ndb = sqlite3.connect({str(data / 'books.db')!r})\n"
    return {
        "read a file": f"print(open({str(data / 'a.txt')!r}).read())",
        "list a folder": f"import os\nprint(os.listdir({str(data)!r}))",
        "write over a file": WRITES.format(path=str(data / "a.txt")),
        "make a file": WRITES.format(path=str(data / "new.txt")),
        "make a folder": f"import os\nos.mkdir({str(data / 'new')!r})",
        "delete a file": f"import os\nos.unlink({str(data / 'a.txt')!r})",
        "open a database": (
            f"import sqlite3\nwith sqlite3.connect({str(data / 'a.db')!r}) as db: db.execute('create table t (x)')"
        ),
        "count in a database": database + COUNTS,
        "add to a database that can be read": database + ADDS,
        "count by a URI": (
            f"import sqlite3\ndb = sqlite3.connect('file:{data / 'books.db'}?mode=ro', uri=True)\n" + COUNTS
        ),
        "connect": f"import socket\nsocket.create_connection(('127.0.0.1', {port})).close()",
        "start a program": "import subprocess\nsubprocess.run(['/bin/true'], check=True)",
        "see a variable": "import os\nprint(os.environ['SHOWN_TO_CODE'])",
    }[what]


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        ("read a file", ("read", "a.txt")),
        ("list a folder", ("read", "")),
        ("write over a file", ("write", "a.txt")),
        ("make a file", ("write", "")),
        ("make a folder", ("write", "")),
        ("delete a file", ("write", "")),
        ("open a database", ("write", "")),
        ("count in a database", ("read", "books.db")),
        ("add to a database that can be read", ("write", "")),
        ("count by a URI", ("read", "books.db")),
        ("connect", ("net", None)),
        ("start a program", ("run", None)),
        ("see a variable", ("env", None)),
    ],
)
def test_the_remedy_of_a_refusal_is_what_makes_the_same_code_work(
    what, remedy, run, executor, source, data, listener, monkeypatch
):
    monkeypatch.setenv("SHOWN_TO_CODE", "yes")
    code = code_for(what, data, listener)
    with closing(sqlite3.connect(data / "books.db")) as database:
        database.execute("create table t (x)")
    can_be_read = [Permission("read", str(data / "books.db"))] if what.endswith("that can be read") else []
    refused = run(code, *can_be_read)
    assert (refused.status, refused.refusal is not None) == ("error", True), refused.error
    found = executor.find_remedy(refused.refusal, source=source)
    kind, name = remedy
    assert found.kind == kind
    if name is not None:
        assert found.what == (str(data / name) if name else f"{data}/")
    assert executor.find_obstacle(found, source=source, is_click=True) == ""
    allowed = run(code, found)
    assert allowed.status == "ok", allowed.error


def test_a_file_of_the_users_that_code_named_without_its_folder_is_found(
    run, executor, source, data, monkeypatch, private
):
    monkeypatch.chdir(data)
    refused = run("print(open('a.txt').read())")
    found = executor.find_remedy(refused.refusal, source=source)
    assert found == Permission("read", str(data / "a.txt"))
    assert run(f"print(open({str(data / 'a.txt')!r}).read())", found).std_output == "milk\n"
    (data / "link.txt").symlink_to(private / "keys")
    assert executor.find_remedy(Refusal("own folder", "link.txt", ""), source=source) is None
    assert executor.find_remedy(Refusal("own folder", ".hidden", ""), source=source) is None


@pytest.mark.parametrize(
    "code",
    [
        "sqlite3.connect('books.db').execute('select * from t')",
        "sqlite3.connect('sub/books.db')",
        "sqlite3.connect('file:sub/books.db?mode=ro', uri=True)",
    ],
)
def test_a_database_of_the_users_that_code_named_without_its_folder_is_found(
    code, run, executor, source, data, monkeypatch
):
    monkeypatch.chdir(data)
    name = "sub/books.db" if "sub" in code else "books.db"
    (data / name).parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(data / name)) as database:
        database.execute("create table t (x)")
    refused = run(f"import sqlite3\n{code}")
    assert f"yours is {data / name}" in refused.error
    assert executor.find_remedy(refused.refusal, source=source) == Permission("read", str(data / name))


def test_nothing_in_the_own_folder_of_code_is_to_be_allowed(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data/a.db", "file:data/a.db?mode=rw"):
        refused = run(f"import sqlite3\nsqlite3.connect({name!r}, uri=True)")
        assert (refused.status, refused.error is not None and "allow" in refused.error) == ("error", False)


def test_a_database_takes_its_folder_to_be_written(run, data):
    with closing(sqlite3.connect(data / "books.db")) as database:
        database.execute("create table t (x)")
    code = code_for("add to a database that can be read", data, 0)
    refused = run(code, Permission("write", str(data / "books.db")))
    assert refused.error.endswith(
        f"The code tried to write the database {data}/books.db, beside which its journal is made: "
        f"allow it with --allow-write={data}."
    )


def test_what_is_never_granted_has_no_remedy(run, executor, source, private):
    refused = run(f"open({str(private / 'keys')!r})")
    assert refused.refusal.kind == "read"
    assert executor.find_remedy(refused.refusal, source=source) is None


@pytest.fixture
def obstacle(executor, source):
    def find(kind, what, *, is_click=True):
        return executor.find_obstacle(Permission(kind, str(what)), source=source, is_click=is_click)

    return find


def test_a_new_file_beside_what_is_never_granted_has_no_remedy_and_it_is_said_why(run, source, private):
    shelf = private / "shelf"
    (shelf / "app").mkdir(parents=True)
    within = ProcessExecutor(never=[shelf / "app"])
    with closing(within):
        path = shelf / "tea"
        result = run(WRITES.format(path=str(path)), Permission("write", f"{shelf}/"), executor=within)
        assert f"a new file there cannot be allowed while the workspace {shelf / 'app'} lies in" in result.error
        assert "--allow-write" not in result.error
        assert within.find_remedy(result.refusal, source=source) is None
        path.write_text("milk")
        assert run(WRITES.format(path=str(path)), Permission("write", f"{shelf}/"), executor=within).status == "ok"


def test_one_click_gives_no_folder_that_is_too_much(obstacle, private, tmp_path, monkeypatch, data):
    home = tmp_path / "people" / "me"
    (home / "notes").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for kind in ("read", "write"):
        assert "everything" in obstacle(kind, "/")
        assert "home folder" in obstacle(kind, f"{home}/")
        assert "home folder" in obstacle(kind, f"{home.parent}/")
        assert "never granted" in obstacle(kind, f"{private}/")
        assert "never granted" in obstacle(kind, private / "keys")
        assert "home folder" in obstacle(kind, f"{tmp_path}/")
        assert obstacle(kind, f"{home}/notes/") == ""
        assert obstacle(kind, data / "a.txt") == ""
    monkeypatch.setenv("HOME", "/nonexistent")
    assert "never granted" in obstacle("read", f"{tmp_path}/"), "it has in it what is never granted"
    assert obstacle("read", f"{tmp_path}/", is_click=False) == "", "an option grants all else in it"


def test_a_home_behind_a_link_is_the_home(obstacle, tmp_path, monkeypatch):
    (tmp_path / "disk" / "me").mkdir(parents=True)
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    assert "home folder" in obstacle("read", f"{tmp_path}/disk/me/")


def test_nothing_from_which_python_imports_can_be_written(obstacle, source, tmp_path, monkeypatch):
    folder = Path(source.filename).parent
    assert "code that is imported" in obstacle("write", f"{folder}/")
    assert "code that is imported" in obstacle("write", source.filename)
    assert obstacle("read", f"{folder}/") == ""
    (tmp_path / "library").mkdir()
    assert obstacle("write", f"{tmp_path}/library/") == ""
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    assert "code that is imported" in obstacle("write", f"{tmp_path}/library/")


def test_what_was_shown_must_still_be_there_and_be_the_same(obstacle, data, tmp_path):
    shown = data / "a.txt"
    assert obstacle("read", shown) == ""
    shown.unlink()
    assert "no such file" in obstacle("read", shown)
    shown.mkdir()
    assert "something else" in obstacle("read", shown)
    assert obstacle("read", f"{shown}/") == ""
    shown.rmdir()
    (tmp_path / "other").write_text("")
    shown.symlink_to(tmp_path / "other")
    assert "something else" in obstacle("read", shown)
    assert "no such file" in obstacle("read", "a.txt"), "a path without its folder is nobody's"


@pytest.mark.parametrize("name", ["a\u202eb", "a\nb", "a\x1b[2Jb", "a\u200bb", os.fsdecode(b"a\xff"), "a" * 250])
def test_a_name_that_cannot_be_shown_as_it_is_has_no_button(obstacle, data, name):
    path = data / ("x" * 100) / name if len(name) > 200 else data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    assert "cannot be shown" in obstacle("read", path)


def test_a_variable_that_is_not_set_cannot_be_shown(obstacle, monkeypatch):
    monkeypatch.setenv("SET", "1")
    monkeypatch.delenv("UNSET", raising=False)
    assert obstacle("env", "SET") == ""
    assert obstacle("env", "UNSET") == "it is not set"


def test_single_permissions_are_added_to_what_a_kind_says():
    some = Permissions(read=["/a"], net=False).plus(
        Permission("read", "/b"), Permission("read", "/b"), Permission("net"), Permission("env", "X")
    )
    assert some == Permissions(read=["/a", "/b"], net=True, env=["X"])
    assert Permissions().plus() == Permissions()
    assert [each.describe() for each in (Permission("net"), Permission("read", "/a/"))] == ["net", "read /a/"]


def test_a_kind_is_refused_where_it_is_named_and_has_nothing():
    permissions = Permissions(net=False, read=[], env=["X"])
    assert [permissions.refuses(kind) for kind in ("net", "read", "env", "write", "run")] == [
        True, True, False, False, False
    ]  # fmt: skip
    assert not Permissions(net=False, everything=True).refuses("net")


def test_a_worker_whose_rights_end_with_its_session_does_not_wait_for_the_next(executor, source, tmp_path):
    def pids(**arguments):
        for _ in range(2):
            session = executor.open(
                source,
                pycontext=PyContext(),
                container=Container(),
                injections={},
                scratch=tmp_path / "scratch",
                **arguments,
            )
            yield session.run("import os\nprint(os.getpid())").std_output
            session.close()

    first, second = pids()
    assert first == second
    assert len(executor._kept._kept) == 1
    first, second = pids(keeps_worker=False)
    assert first != second
    assert not executor._kept._kept


def test_without_confinement_nothing_stands_in_the_way(source):
    executor = OffExecutor()
    assert executor.find_remedy(Refusal("net", "", ""), source=source) is None
    assert executor.find_obstacle(Permission("read", "/"), source=source, is_click=True) == ""


OWN = "A file named without its folder is written to a folder that confined code has for itself"


def test_a_file_written_without_its_folder_is_noted_and_the_users_is_named(run, data, monkeypatch):
    monkeypatch.chdir(data)
    (done,) = run("open('a.txt', 'a').write('tea')").notes
    assert done == (
        "a.txt was opened for writing in the folder that confined code has for itself; the user's is "
        f"{data}/a.txt: use the whole path and allow it with --allow-write={data}/a.txt."
    )
    assert (data / "a.txt").read_text() == "milk"
    with closing(sqlite3.connect(data / "books.db")) as database:
        database.execute("create table t (x)")
    (note,) = run("import sqlite3\nsqlite3.connect('books.db').execute('create table t (x)')").notes
    assert note.endswith(f"the user's is {data}/books.db: use the whole path and allow it with --allow-write={data}.")


def test_a_new_file_without_its_folder_is_noted_once_in_a_session(executor, source):
    session = executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    (note,) = session.run("open('out.txt', 'w').write('tea')").notes
    assert note.startswith(f"{OWN}, which is removed at the end, not beside the user's files")
    assert session.run("open('other.txt', 'w').write('tea')").notes == ()
    session.close()


@pytest.mark.parametrize(
    "code",
    [
        "print('nothing')",
        "import os\nopen('out.txt', 'w').close()\nos.remove('out.txt')",
        "import tempfile\nwith tempfile.NamedTemporaryFile() as file: file.write(b'x')",
        "import os\nopen(os.path.join(os.getcwd(), 'out.txt'), 'w').close()",
        "import sqlite3\nsqlite3.connect(':memory:').execute('create table t (x)')",
        "import os\nos.mkdir('sub')\nopen('sub/../../../out.txt', 'w')",
    ],
)
def test_of_no_other_file_something_is_noted(code, run):
    assert run(code).notes == ()


def test_where_the_users_file_is_never_granted_it_is_not_named(run, private, monkeypatch):
    monkeypatch.chdir(private)
    (note,) = run("open('keys', 'w').write('x')").notes
    assert note.startswith(OWN)


def test_a_variable_that_is_not_set_is_said_not_to_be(run, monkeypatch):
    monkeypatch.delenv("UNSET", raising=False)
    code = "import os\nos.environ['UNSET']"
    asked = "The code asked for the environment variable UNSET, which is not set: set it where GhostOS is started"
    assert run(code).error.endswith(f"{asked}, and allow it with --allow-env=UNSET.")
    assert run(code, Permission("env", "UNSET")).error.endswith(f"{asked}.")


@pytest.mark.parametrize("pool", ["multiprocessing.Pool(1)", "concurrent.futures.ProcessPoolExecutor(1)"])
def test_a_pool_of_processes_has_no_remedy_but_threads(pool, run, executor, source):
    for permissions in ((), (Permission("run"),)):
        refused = run(f"import concurrent.futures, multiprocessing\nwith {pool} as p: p.submit", *permissions)
        assert refused.error.endswith(
            "The code tried to share work among processes, which confined code cannot: use threads."
        )
        assert executor.find_remedy(refused.refusal, source=source) is None


def test_a_process_takes_the_permission_to_run(run):
    refused = run("import os\nos.fork()")
    assert refused.error.endswith("The code tried to start a process: allow it with --allow-run.")


def test_a_program_that_is_not_started_without_a_word_is_noted(run):
    (note,) = run("import os\nos.system('true')").notes
    assert note.endswith("--allow-run allows it.")
    assert run("import os\nassert os.system('true') == 0", Permission("run")).notes == ()


def test_what_code_caught_and_showed_is_explained_in_a_note(run, data):
    code = f"import sys\ntry:\n    open({str(data / 'a.txt')!r})\nexcept OSError as error:\n    "
    assert run(f"{code}pass").notes == ()
    done = run(f"{code}sys.last_value = error")
    assert (done.status, done.refusal, done.notes) == (
        "ok",
        None,
        (f"The code tried to read {data}/a.txt: allow it with --allow-read={data}/a.txt.",),
    )


@pytest.mark.parametrize(
    ("body", "option"),
    [
        ("import socket\nsocket.create_connection(('127.0.0.1', 80))", "--allow-net"),
        ("import subprocess\nsubprocess.run(['ls'])", "--allow-run"),
        ("open('/etc/passwd')", "--allow-read=/etc/passwd"),
    ],
)
def test_what_the_body_of_a_module_was_refused_is_explained(body, option, executor, write_module):
    source = load_source(write_module(PLAIN + body))
    with pytest.raises(CompileError) as caught:
        executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    assert f"allow it with {option}" in caught.value.hint


def test_that_new_files_beside_the_target_will_wait_is_said_with_the_option_to_write_them(run, source, data):
    warning = "(new files there that run on the host then wait for ghostos moss accept)"
    folder = Path(source.filename).parent
    assert run(WRITES.format(path=str(folder / "new.txt"))).error.endswith(f"--allow-write={folder} {warning}.")
    assert warning not in run(WRITES.format(path=str(data / "new.txt"))).error
