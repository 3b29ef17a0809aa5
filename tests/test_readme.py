"""What the readme shows works as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.ghosts.target import load_target
from ghostos.testing import ModelServer, ScriptedModel
from ghostos.testing.models import use_model

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_five_lines_are_an_agent_that_remembers(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (notes,) = [block for block in fences("python") if block.startswith("# notes.py")]
    (reply,) = [block for block in fences("text") if block.startswith("<moss>")]
    (tmp_path / "notes.py").write_text(notes)
    target = load_target(str(tmp_path / "notes.py"))
    model = ScriptedModel([reply, "Noted.", "Milk and eggs."])
    container = make_app_container(tmp_path / "workspace", providers=[use_model(model)])
    with get_ghostos(container).create_matrix("readme") as matrix:
        conversation = matrix.sync(target.ghost, target=target.name)
        for text in ("remember milk and eggs, please", "what is on my list?"):
            _, receiver = conversation.talk(text)
            list(receiver.recv())
        outputs = [message.content for message in conversation.history() if message.type == "output"]
    container.shutdown()
    assert outputs == ["2 notes"]
    assert "moss.notes = ['milk', 'eggs']" in model.prompts[-1].messages[-1].content


def test_use_in_python_runs(tmp_path):
    (code,) = [block for block in fences("python") if "create_matrix" in block]
    with ModelServer(["Hello to you."]) as server:
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "GHOSTOS_WORKSPACE": str(tmp_path / "workspace"),
                "OPENAI_API_KEY": "a-key",
                "OPENAI_BASE_URL": server.base_url,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert "Hello to you." in ended.stdout


@pytest.mark.parametrize(
    "line", [line for block in fences("bash") for line in block.splitlines() if "ghostos " in line]
)
def test_every_command_exists(line):
    words = line.split("#")[0].split()
    command = words[words.index("ghostos") + 1 :]
    known = [word for word in command if not word.endswith(".py") and not word.startswith(('"', "-"))]
    path = known[:2] if known[0] in {"moss", "threads"} else known[:1]
    ended = subprocess.run(
        [sys.executable, "-m", "ghostos", "help", *(() if path == ["help"] else path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
