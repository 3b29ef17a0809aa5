"""Real processes of the command, each test with a home, a workspace and a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

KEY = "sk-made-up-key-of-the-tests"

SETTINGS = """\
version = 1

[services.openai]
api_key_env = "OPENAI_API_KEY"
base_url_env = "OPENAI_BASE_URL"
max_retries = 0

[turn]
model_retries = 0
"""

TWO_LINES = "def plus(a: int, b: int) -> int:\n    return a + b\n"


@dataclass(frozen=True)
class Finished:
    status: int
    out: str
    err: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was printed, read as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """Starts commands the way a user does."""

    folder: Path
    workspace: Path
    variables: dict[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ghostos", *words]

    def start(
        self, *words: str, env: dict[str, str] | None = None, prefix: Sequence[str] = (), stdin: int | None = None
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*prefix, *self.command(*words)],
            cwd=self.folder,
            env={**self.variables, **(env or {})},
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(
        self, *words: str, env: dict[str, str] | None = None, prefix: Sequence[str] = (), typed: str | None = None
    ) -> Finished:
        process = self.start(*words, env=env, prefix=prefix, stdin=subprocess.PIPE if typed is not None else None)
        out, err = process.communicate(typed, timeout=60)
        return Finished(process.returncode, out, err)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in a folder with `foo.py`; the workspace has settings that switch retries off."""
    folder = tmp_path / "work"
    folder.mkdir()
    workspace = tmp_path / "workspace"
    settings = workspace / "configs" / "ghostos.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "XDG_DATA_HOME": str(tmp_path / "home" / "data"),
        "GHOSTOS_WORKSPACE": str(workspace),
        "OPENAI_API_KEY": KEY,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    shell = Shell(folder, workspace, variables)
    shell.write("foo.py", TWO_LINES)
    return shell


@pytest.fixture
def served(shell: Shell) -> Callable[[str], Shell]:
    """Point the shell at a model server."""

    def point(base_url: str) -> Shell:
        shell.variables["OPENAI_BASE_URL"] = base_url
        return shell

    return point
