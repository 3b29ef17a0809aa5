from pathlib import Path

from ghostos.cli.failures import show_failure
from ghostos.libraries.requirements import list_missing

CLONE = Path(__file__).parents[2]


def test_a_requirement_that_an_update_of_the_clone_brought_is_missing(tmp_path):
    given = 'name = "ghostos-core"\ndependencies = ["pydantic>=2", "no-such-part>=1", "o; sys_platform == \'x\'"]\n'
    (tmp_path / "pyproject.toml").write_text(f"[project]\n{given}")
    assert list_missing("ghostos-core", folder=tmp_path) == ["no-such-part"]


def test_what_the_tests_run_with_lacks_nothing(tmp_path):
    assert list_missing("ghostos-core", folder=CLONE) == []
    assert list_missing("ghostos-core", folder=tmp_path) == []
    assert list_missing("no-such-distribution") == []


def test_a_module_that_is_missing_is_answered_with_how_to_update(capsys):
    assert show_failure(ModuleNotFoundError("No module named 'tzlocal'"), with_traceback=False) == 1
    assert "install it again" in capsys.readouterr().err
