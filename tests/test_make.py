"""The Makefile's targets and the setup behind them, as far as they can be seen without installing anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def planned(target: str, *variables: str) -> str:
    """Return the commands that make would run."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PORT", "HEADLESS", "MAKEFLAGS"}}
    command = ["make", "--dry-run", "--no-print-directory", target, *variables]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what setup reads, and no environment."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def set_up(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the setup of `make demo` there."""
    command = [checkout / ".ci" / "setup", "run"]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["setup", "demo", "test", "test-memory", "check", "format", "constraints"])
def test_a_target_begins_by_setting_up(target: str) -> None:
    assert planned(target).startswith("./.ci/setup")


def test_the_demo_opens_the_robot_ball() -> None:
    assert ".venv/bin/ghostos web ghostos.demo.sphero.bolt_gpt" in planned("demo")


def test_port_and_headless_reach_the_demo() -> None:
    assert "ghostos.demo.sphero.bolt_gpt --port 9001 --headless" in planned("demo", "PORT=9001", "HEADLESS=1")


def test_headless_zero_opens_the_browser() -> None:
    assert "--headless" not in planned("demo", "HEADLESS=0")


def test_check_looks_at_format_lint_types_layers_and_tests() -> None:
    words = ["ruff format --check", "ruff check", "basedpyright", "lint-imports", "pytest"]
    plan = planned("check")
    assert [word for word in words if word in plan] == words


def test_an_interpreter_that_does_not_serve_is_refused_by_name(checkout: Path) -> None:
    refused = set_up(checkout, PYTHON="/nowhere/python2")
    assert refused.returncode == 1
    assert refused.stderr == (
        "PYTHON=/nowhere/python2 is not a Python >= 3.11 with venv and ensurepip: name one that is.\n"
    )
    assert not (checkout / ".venv").exists()


def test_a_machine_without_python_is_told_what_to_install(checkout: Path) -> None:
    tools = checkout / "bin"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    refused = set_up(checkout, PATH=str(tools), PYTHON="")
    assert refused.returncode == 1
    assert "No Python >= 3.11" in refused.stderr
    assert "python3-venv" in refused.stderr


def test_a_folder_that_is_no_environment_is_not_taken_for_one(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / ".done-run").write_text("finished, it says", encoding="utf-8")
    assert set_up(checkout, PYTHON="/nowhere/python3").returncode == 1
