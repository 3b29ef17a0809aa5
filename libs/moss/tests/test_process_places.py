"""What a worker may read and write is what lay at its paths when its session began, not what code put there since."""

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from ghostos_container import Container
from ghostos_moss import ModuleSession, Permissions, ProcessExecutor, PyContext, load_source
from ghostos_moss._process._python_reach import PythonReach
from ghostos_moss._process._reach import Budget, find_reach
from ghostos_moss._process._session import ProcessSession
from ghostos_moss.errors import ConfinementError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "secret").write_text("the secret")
    return home


@pytest.fixture
def executor(process_executor: ProcessExecutor) -> Iterator[ProcessExecutor]:
    """One of its own: it follows where this test's temporary files are."""
    executor = ProcessExecutor(keep_s=0)
    yield executor
    executor.close()


def open_file(executor: ProcessExecutor, path: Path, *, permissions: Permissions | None = None) -> ModuleSession:
    return executor.open(
        load_source(str(path)), pycontext=PyContext(), container=Container(), injections={}, permissions=permissions
    )


def replace_by_link(path: Path, to: Path) -> None:
    """As code could that may write there."""
    path.rename(path.with_name(f"{path.name}.moved"))
    path.symlink_to(to)


def test_a_source_that_code_replaced_by_a_link_is_not_read_by_the_next_worker(
    executor: ProcessExecutor, tmp_path: Path, home: Path
) -> None:
    folder = tmp_path / "target"
    folder.mkdir()
    target, helper = folder / "agent_file.py", folder / "helper.py"
    target.write_text("x = 1\n")
    helper.write_text("y = 2\n")
    session = open_file(executor, target)
    assert session.run(f"print(open({str(helper)!r}).read())").std_output == "y = 2\n\n"
    replace_by_link(helper, home / "secret")
    assert session.run("1 / 0").status == "error"  # costs the worker
    result = session.run(f"print(open({str(helper)!r}).read())")
    assert (result.status, result.std_output) == ("error", "")
    assert "PermissionError" in (result.error or "")
    session.close()


def test_granted_folders_and_the_targets_own_that_code_replaced_by_links_are_not_followed(
    executor: ProcessExecutor, tmp_path: Path, home: Path
) -> None:
    folder, readable, writable = tmp_path / "target", tmp_path / "up" / "readable", tmp_path / "up" / "writable"
    for each in (folder, readable, writable):
        each.mkdir(parents=True)
    (folder / "agent_file.py").write_text("x = 1\n")
    permissions = Permissions(read=[str(readable)], write=[str(writable)])
    session = open_file(executor, folder / "agent_file.py", permissions=permissions)
    assert session.run(f"import os\nos.listdir({str(readable)!r})\nos.listdir({str(folder)!r})").status == "ok"
    assert session.run(f"open({str(writable / 'mine')!r}, 'w').close()").status == "ok"
    for place in (readable, writable, folder):
        replace_by_link(place, home)
    assert session.run("1 / 0").status == "error"
    for attempt in (
        f"open({str(readable / 'secret')!r})",
        f"open({str(writable / 'secret')!r})",
        f"open({str(writable / 'new')!r}, 'w')",
        f"import os\nos.listdir({str(folder)!r})",
        f"import os\nos.listdir({str(home)!r})",
    ):
        assert session.run(attempt).status == "error", attempt
    assert [*home.iterdir()] == [home / "secret"]
    session.close()


def test_a_link_above_a_place_is_not_followed_either(executor: ProcessExecutor, tmp_path: Path, home: Path) -> None:
    (tmp_path / "agent_file.py").write_text("x = 1\n")
    above = tmp_path / "above"
    (above / "data").mkdir(parents=True)
    (home / "data").mkdir()
    (home / "data" / "secret").write_text("the secret")
    session = open_file(executor, tmp_path / "agent_file.py", permissions=Permissions(read=[str(above / "data")]))
    replace_by_link(above, home)
    assert session.run("1 / 0").status == "error"
    assert session.run(f"open({str(above / 'data' / 'secret')!r})").status == "error"
    session.close()


def test_code_that_replaces_its_own_scratch_folder_by_a_link_gets_no_other_worker(
    executor: ProcessExecutor, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    (tmp_path / "agent_file.py").write_text("x = 1\n")
    session = open_file(executor, tmp_path / "agent_file.py", permissions=Permissions(write=[str(temporary)]))
    code = f"import os\nhere = os.getcwd()\nos.rename(here, here + '.moved')\nos.symlink({str(home)!r}, here)\n"
    assert session.run(f"{code}1 / 0").status == "error"
    assert isinstance(session, ProcessSession)
    assert Path(session._scratch.name).is_symlink()
    with pytest.raises(ConfinementError, match="link"):
        session.run("print(open('secret').read())")
    session.close()
    assert [*home.iterdir()] == [home / "secret"]


def test_links_of_the_user_lead_to_the_target_and_its_scratch_folder(
    executor: ProcessExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real"
    (real / "tmp").mkdir(parents=True)
    (tmp_path / "way").symlink_to(real)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "way" / "tmp"))
    (real / "agent_file.py").write_bytes(b"\xef\xbb\xbfimport helper\r\n")
    (real / "helper.py").write_text("y = 2\n")
    (tmp_path / "way" / "agent_link.py").symlink_to("agent_file.py")
    for name in ("agent_file.py", "agent_link.py"):
        session = open_file(executor, tmp_path / "way" / name)
        result = session.run("print(helper.y, len(open(__file__, 'rb').read()))\nopen('mine', 'w').close()")
        assert (result.error, result.std_output) == (None, "2 18\n")
        session.close()
    assert [*(real / "tmp").glob("ghostos-scratch-*")] == []


def test_a_kept_scratch_folder_with_a_link_in_its_place_is_not_entered(
    executor: ProcessExecutor, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "agent_file.py").write_text("x = 1\n")
    (tmp_path / "scratch").symlink_to(home)
    with pytest.raises(ConfinementError, match="link"):
        executor.open(
            load_source(str(tmp_path / "agent_file.py")),
            pycontext=PyContext(),
            container=Container(),
            injections={},
            scratch=tmp_path / "scratch",
        )


def test_a_target_with_other_content_in_its_place_by_now_is_not_read(tmp_path: Path, home: Path) -> None:
    target = tmp_path / "agent_file.py"
    target.write_text("x = 1\n")
    source = load_source(str(target))
    assert str(target) in find_reach(source)[0]
    replace_by_link(target, home / "secret")
    assert not any("secret" in path or path == str(target) for path in find_reach(source)[0])
    target.unlink()
    os.mkfifo(target)
    assert str(target) not in find_reach(source)[0]


def make_project(root: Path) -> None:
    for name in (
        *("pure/__init__.py", "pure/part.py", "pure/py.typed", "pure/__pycache__/part.pyc"),
        *("mixed/__init__.py", "mixed/.env", "mixed/table.csv", "mixed/pure/part.py", "mixed/native.so"),
        *("app/__init__.py", "app/ghostos.db", "spread/inner/part.py", "spread/inner/secret.txt"),
        *("venv/pyvenv.cfg", "venv/lib.py", ".git/config.py", "with-dash/part.py", "data/image.png"),
        *("module.py", ".hidden.py", "notes.txt", ".env"),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("X = 1\n")
    (root / "link.py").symlink_to(root / ".env")


def test_of_a_folder_that_python_imports_from_code_is_read_one_by_one_or_where_all_is_code(tmp_path: Path) -> None:
    root = tmp_path / "project"
    make_project(root)
    reach = PythonReach(never=[root / "app"], entries=[str(root), str(tmp_path / "nowhere")])
    assert root in reach.roots

    def code() -> list[str]:
        return sorted(str(path.relative_to(root)) for path in reach.find_code())

    mixed = ["mixed/__init__.py", "mixed/native.so", "mixed/pure"]
    assert code() == [*mixed, "module.py", "pure", "spread/inner/part.py"]
    (root / "pure" / ".env").write_text("KEY=1")
    assert code() == [*mixed, "module.py", *PURE, "spread/inner/part.py"]
    (root / "spread" / "inner" / "new.py").write_text("X = 1\n")
    assert code() == [*mixed, "module.py", *PURE, "spread/inner/new.py", "spread/inner/part.py"]
    inside = PythonReach(never=[root], entries=[str(root / "mixed")]).find_code()
    assert sorted(str(path.relative_to(root)) for path in inside) == [*mixed[:2], "mixed/pure/part.py"]


PURE = ["pure/__init__.py", "pure/__pycache__", "pure/part.py", "pure/py.typed"]


def test_python_itself_is_read_also_where_a_project_lies_beside_it(tmp_path: Path) -> None:
    reach = PythonReach(never=[])
    for path in (os.__file__, pytest.__file__, sys.executable):
        assert any(Path(os.path.realpath(path)).is_relative_to(each) for each in reach.whole), path
    for prefix in (sys.prefix, sys.base_prefix):
        assert Path(os.path.realpath(prefix)) not in reach.whole


IN_ITS_OWN = """
import sys
from pathlib import Path
from ghostos_container import Container
from ghostos_moss import ProcessExecutor, PyContext, load_source

root, target = Path(sys.argv[1]), sys.argv[2]
executor = ProcessExecutor(never=[root / "app"])
session = executor.open(load_source(target), pycontext=PyContext(), container=Container(), injections={})
result = session.run("import module, mixed.pure.part, pure.part, spread.inner.part\\nprint(module.X)")
assert (result.error, result.std_output) == (None, "1\\n"), result.error
for name in (
    ".env", "notes.txt", "mixed/.env", "mixed/table.csv", "app/ghostos.db", "app/__init__.py", "data/image.png"
):
    result = session.run(f"print(open({str(root / name)!r}).read())")
    assert result.status == "error" and "PermissionError" in result.error, name
session.close()
executor.close()
"""


def test_a_worker_reads_code_of_an_editable_install_and_nothing_else_of_its_project(
    executor: ProcessExecutor, tmp_path: Path
) -> None:
    root, target = tmp_path / "project", tmp_path / "target" / "agent_file.py"
    make_project(root)
    target.parent.mkdir()
    target.write_text("x = 1\n")
    venv.create(root / ".venv", symlinks=True)
    (library,) = (root / ".venv").glob("lib/python*/site-packages")
    (library / "editable.pth").write_text("\n".join([*filter(os.path.isdir, sys.path), str(root)]))
    python = str(root / ".venv" / "bin" / "python")
    done = subprocess.run(
        [python, "-c", IN_ITS_OWN, str(root), str(target)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of two users")
def test_a_neighbour_that_may_not_be_looked_at_is_skipped() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - another user looks into it
        for name in ("agent_file.py", "helper.py", "pgdata/inner.py"):
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text("x = 1\n")
        os.chmod(Path(folder, "pgdata"), 0o700)
        source = load_source(str(Path(folder, "agent_file.py")))
        os.seteuid(65_534)
        try:
            reach, _ = find_reach(source)
        finally:
            os.seteuid(0)
        assert {os.path.basename(path) for path in reach} == {"agent_file.py", "helper.py"}


def test_any_number_of_other_files_beside_a_source_is_looked_at_only_so_far(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"image_{number}.png").touch()
    budget = Budget(20)
    assert len(budget.list(tmp_path)) == 20
    assert budget.is_spent
    assert budget.list(tmp_path) == []


def test_a_worker_reads_no_data_beside_the_sources_of_an_editable_install(
    executor: ProcessExecutor, tmp_path: Path
) -> None:
    import ghostos_moss

    root = Path(ghostos_moss.__file__).parents[1]
    if root.name == "site-packages":
        pytest.skip("it is installed as a library here")
    (tmp_path / "agent_file.py").write_text("import ghostos_moss\n")
    session = open_file(executor, tmp_path / "agent_file.py")
    beside = root / "beside.txt"
    beside.write_text("data")
    try:
        assert session.run(f"open({str(root / 'ghostos_moss' / '__init__.py')!r}).read()").status == "ok"
        result = session.run(f"open({str(beside)!r}).read()")
        assert result.status == "error"
        assert "PermissionError" in (result.error or "")
    finally:
        beside.unlink()
    session.close()
