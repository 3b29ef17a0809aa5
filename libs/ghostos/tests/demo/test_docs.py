"""The usage pages do as they say: their files are written and used, their replies run, their outputs come."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Confinement, Sandbox
from ghostos.drivers.models.rehearsal import check_rehearsal, find_rehearsal
from ghostos.ghosts.target import load_target
from ghostos.ghosts.thread_prompt import render_output
from ghostos.testing import ModelServer, ScriptedModel
from ghostos.testing.models import use_model
from ghostos_moss import ProcessExecutor
from ghostos_moss.errors import ConfinementError
from ghostos_moss.testsuite import MossTestSuite

from .conftest import open_demo, talk

PAGES = Path(__file__).parents[4] / "docs" / "usages"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE_NAME = re.compile(r"# (\S+\.(?:py|yaml))\n")
REPLY = "Gravity is what brings the plate back to the table."


@dataclass(frozen=True)
class Block:
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name in its first line, where it is a file to write."""
        named = FILE_NAME.match(self.text)
        return named[1] if named else None


def blocks(page: str) -> list[Block]:
    text = (PAGES / page).read_text(encoding="utf-8")
    return [Block(language, body) for language, body in FENCE.findall(text)]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """The user's folder, where the files of a page are written; modules that come from there are forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def write_files(page: str, folder: Path) -> list[str]:
    names = [block.file for block in blocks(page) if block.file]
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    return names


def run_reply(reply: str, *, target: str, workspace: Path, sandbox: Sandbox = "off") -> str:
    """Let a model reply with code to an agent on a file, in a process of its own as far as the product can tell."""
    loaded = load_target(target)
    model = ScriptedModel([reply, "Seen.", "Seen."])
    container = make_app_container(workspace, confinement=Confinement(sandbox), providers=[use_model(model)])
    with get_ghostos(container).create_matrix("page", providers=loaded.providers) as matrix:
        conversation = matrix.sync(loaded.ghost, thread=target, target=loaded.name)
        (output,) = [message for message in talk(conversation, "go").messages if message.type == "output"]
    container.shutdown()
    return render_output(output)


def skip_where_code_cannot_be_confined() -> None:
    executor = ProcessExecutor()
    try:
        executor.check_system()
    except ConfinementError as exc:
        pytest.skip(str(exc))
    finally:
        executor.close()


PAGE_NAMES = ["chatbot.md", "moss_agent.md", "rehearsal.md"]


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_each_file_of_a_page_is_a_target(page, folder):
    names = write_files(page, folder)
    assert names
    for name in names:
        if name.endswith(".py"):
            assert load_target(name).source.text
        else:
            assert check_rehearsal(folder / name) == []


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_commands_of_a_page_name_targets_that_exist(page, folder):
    write_files(page, folder)
    commands = [block.text for block in blocks(page) if block.language == "bash"]
    targets = re.findall(r"^ghostos (?:web|console|ask|moss prompt|moss test) (\S+)", "".join(commands), re.MULTILINE)
    for target in targets:
        assert load_target(target)
    assert len(targets) == "".join(commands).count("ghostos ")


@pytest.mark.parametrize("sandbox", ["off", "process"])
def test_replies_of_the_moss_agent_page_run_and_put_out_what_it_says(folder, sandbox):
    if sandbox == "process":
        skip_where_code_cannot_be_confined()
    write_files("moss_agent.md", folder)
    target, shown, checked = "", "", 0
    for block in blocks("moss_agent.md"):
        if block.file:
            target = block.file
        elif block.text.startswith("<moss>"):
            shown = run_reply(block.text, target=target, workspace=folder / "workspace", sandbox=sandbox)
        elif block.text.startswith("<moss-output"):
            assert shown == block.text.strip()
            checked += 1
    assert checked == 6


def test_hidden_parts_of_the_moss_agent_page_are_not_in_the_prompt(folder):
    write_files("moss_agent.md", folder)
    load_target("butler.py")
    assert "visits: int = 0" in MossTestSuite().dump_prompt("greeter.py")
    assert "test_a_visit" not in MossTestSuite().dump_prompt("greeter.py")
    container = make_app_container(folder / "workspace", providers=load_target("butler.py").providers)
    butler = MossTestSuite(container).dump_prompt("butler.py")
    assert "def set_target(self, celsius: float) -> str:" in butler
    assert "SimulatedHeating" not in butler


def test_the_ghost_of_the_moss_agent_page_works_in_its_own_file(folder):
    write_files("moss_agent.md", folder)
    workspace = folder / "workspace"
    assert load_target("librarian.py").ghost.name == "Iris"
    run_reply('<moss>\nmoss.titles.append("Emma")\n</moss>', target="librarian.py", workspace=workspace)
    shown = run_reply("<moss>\nprint(moss.titles)\n</moss>", target="librarian.py", workspace=workspace)
    assert shown == "<moss-output status=\"ok\">\n['Emma']\n</moss-output>"


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_programs_of_a_page_run(page, folder):
    write_files(page, folder)
    programs = [block.text for block in blocks(page) if block.language == "python" and not block.file]
    assert programs
    for program in programs:
        uses_model = "talk(" in program
        with ModelServer([REPLY] if uses_model else []) as server:
            environment = {
                **os.environ,
                "OPENAI_API_KEY": "made-up",
                "OPENAI_BASE_URL": server.base_url,
                "GHOSTOS_WORKSPACE": str(folder / "workspace"),
            }
            ran = subprocess.run(
                [sys.executable, "-c", program],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        assert (ran.returncode, ran.stderr) == (0, "")
        for promised in re.findall(r"#\s(.+?)(?:\s\.\.\.)?$", program, re.MULTILINE):
            assert promised in ran.stdout
        if uses_model:
            assert ran.stdout == REPLY
        assert ran.stdout.strip()


def test_the_rehearsal_of_the_page_plays_as_the_page_says(folder, start):
    write_files("rehearsal.md", folder)
    assert find_rehearsal("tally.py")
    conversation = open_demo(start(folder / "workspace"), "tally.py")
    assert "This is a rehearsal" in talk(conversation, "That was no bird").said[0]
    assert talk(conversation, "I saw a bird!").outputs == [("ok", "birds: 1")]
    assert talk(conversation, "and then I saw one more bird").outputs == [("ok", "birds: 2")]
    assert talk(conversation, "that was no bird").outputs == [("ok", "birds: 1")]
    declined = talk(conversation, "I saw a fish").said[0]
    assert declined.startswith("I only count birds.")
    assert "- I saw a bird" in declined
