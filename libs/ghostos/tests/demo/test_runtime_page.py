"""docs/runtime.md does as it says: its ghosts talk, its program runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.target import load_target
from ghostos.testing import ModelServer, ScriptedModel

PAGE = Path(__file__).parents[4] / "docs" / "runtime.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [body for found, body in FENCE.findall(PAGE.read_text(encoding="utf-8")) if found == language]


def write_files(folder: Path) -> None:
    for body in blocks("python"):
        name = body.partition("\n")[0].removeprefix("# ")
        (folder / name).write_text(body, encoding="utf-8")


def test_two_ghosts_talk(start_matrix, tmp_path):
    write_files(tmp_path)
    make, answer, event, tell = blocks("text")
    model = ScriptedModel([make, answer, tell])
    target = load_target(str(tmp_path / "team.py"))
    conversation = start_matrix(model).sync(target.ghost, thread="team", target=target.name)
    _, receiver = conversation.talk("How far is the moon?")
    list(receiver.recv())
    is_told = False
    while not is_told:
        with conversation.attach() as following:  # before looking: nothing that is said from here on is missed
            is_told = any(message.content == tell for message in conversation.history())
            if not is_told:
                list(following.recv())
    told = next(message.content for message in model.prompts[2].messages if "<moss-event" in message.content)
    assert (
        re.sub(r"astronomer-\w{8}", "astronomer", told).split()
        == re.sub(r"astronomer-\w{8}", "astronomer", event).split()
    )
    model.assert_done()


def test_the_program_runs(tmp_path):
    write_files(tmp_path)
    replies = ['<moss>\nmoss.flow.finish({"hours": distance_km("Bern", "Rome") / 98})\n</moss>', "The Pantheon."]
    with ModelServer(replies) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "OPENAI_API_KEY": "sk-none",
            "OPENAI_BASE_URL": server.base_url,
        }
        done = subprocess.run(
            [sys.executable, "estimate.py"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "9.5\nThe Pantheon.\n"
    assert "start = 'Bern'" in server.requests[0].body["messages"][-1]["content"]


def test_what_the_page_names_is_there(start_matrix):
    text = PAGE.read_text(encoding="utf-8")
    matrix = start_matrix(ScriptedModel([]))
    conversation = matrix.sync(Chatbot("x"))
    for owner, name in re.findall(r"`(conversation|matrix)\.(\w+)\(", text):
        assert hasattr(conversation if owner == "conversation" else matrix, name), f"{owner}.{name}"
