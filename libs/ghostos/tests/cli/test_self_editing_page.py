"""docs/self_editing.md does as it says: its file is written, its replies run in one thread, its commands follow."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ghostos.cli.main import run
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.thread_prompt import render_output
from ghostos.testing import ScriptedModel
from ghostos_moss import SelfUpdater

PAGE = (Path(__file__).parents[4] / "docs" / "self_editing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def ledger(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (source,) = [text for language, text in BLOCKS if language == "python" and text.startswith("# ledger.py\n")]
    path = tmp_path / "ledger.py"
    path.write_text(source, encoding="utf-8")
    return path


def test_replies_put_out_what_the_page_says_and_the_commands_take_the_edit_over(
    ledger, start_matrix, workspace, capsys
):
    said = [text for language, text in BLOCKS if language == "text"]
    pairs = list(zip(said[::2], said[1::2], strict=True))
    assert len(pairs) == 4
    matrix = start_matrix(ScriptedModel([reply for code, _ in pairs for reply in (code, "Seen.")]))
    conversation = matrix.sync(MossAgent(str(ledger)), thread="page")
    for _ in pairs:
        _, receiver = conversation.talk("go")
        with receiver:
            list(receiver.recv())
    outputs = [render_output(message) for message in conversation.history() if message.type == "output"]
    assert outputs == [shown.rstrip("\n") for _, shown in pairs]
    matrix.close()

    (commands,) = [text for language, text in BLOCKS if language == "bash"]
    assert len(commands.splitlines()) == 3
    for command in commands.splitlines():
        assert run([*command.split()[1:], "--workspace", str(workspace)]) == 0, capsys.readouterr().err
    shown = capsys.readouterr().out
    assert "note: find the dearest" in shown
    assert shown.endswith("ok      test_total\n1 test\n")
    assert "def dearest(spent: dict[str, float]) -> str:" in ledger.read_text(encoding="utf-8")


def test_the_program_of_the_page_runs(ledger):
    (program,) = [text for language, text in BLOCKS if language == "python" and not text.startswith("# ledger.py\n")]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ledger.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("1.5\n\n", "")


def test_every_method_is_on_the_page():
    methods = [name for name in vars(SelfUpdater) if not name.startswith("_")]
    assert [name for name in methods if f"`{name}(" not in PAGE] == []
