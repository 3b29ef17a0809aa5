"""The page on the ball and on bodies of one's own does as it says; its pictures are what the simulator shows."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ghostos.core.body_state import BodyState
from ghostos.drivers.models.rehearsal import check_rehearsal
from ghostos.ghosts.target import load_target
from ghostos.runtime.body_feed import LatestBodyFeed

from .test_docs import PAGES, blocks, folder, run_reply, skip_where_code_cannot_be_confined, write_files

__all__ = ["folder"]  # a fixture

PAGE = "sphero.md"
ASSETS = PAGES.parent / "assets"


def ask(target: str, said: str, *, workspace: Path) -> list[dict[str, Any]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    command = [sys.executable, "-m", "ghostos", "ask", target, said, "--json", "--workspace", str(workspace)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def load_pictures():
    spec = importlib.util.spec_from_file_location("make_pictures", ASSETS / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["square", "eight", "wall"])
def test_a_picture_is_what_the_simulator_shows(name):
    stored = ASSETS / f"bolt-{name}.svg"
    assert load_pictures().draw(name) == stored.read_text(encoding="utf-8")
    assert stored.stat().st_size < 20_000


def test_all_pictures_are_made_and_shown():
    shown = {path.name for path in ASSETS.glob("*.svg")}
    assert shown == {f"bolt-{name}.svg" for name in load_pictures().PICTURES}
    page = (PAGES / PAGE).read_text(encoding="utf-8")
    assert all(f"(../assets/{name})" in page for name in shown)


@pytest.mark.slow
@pytest.mark.parametrize("sandbox", ["process", "off"])
def test_its_replies_run_and_put_out_what_it_says(folder, sandbox):
    if sandbox == "process":
        skip_where_code_cannot_be_confined()
    write_files(PAGE, folder)
    shown, checked = "", 0
    for block in blocks(PAGE):
        text = block.text.strip()
        if text.startswith("<moss>"):
            shown = run_reply(text, target="rolling.py", workspace=folder / "workspace", sandbox=sandbox)
        elif text.startswith("<moss-output"):
            assert shown == text
            checked += 1
    assert checked == 4
    assert "joyful" in (folder / "workspace" / "learned" / "rolling.json").read_text(encoding="utf-8")
    (program,) = [block.text for block in blocks(PAGE) if "Skills(" in block.text]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "['happy']\n"


def test_its_files_are_targets_and_its_rehearsal_is_well(folder):
    assert write_files(PAGE, folder) == ["rolling.py", "lift.py", "lift.rehearsal.yaml"]
    assert load_target("rolling.py").source.text
    assert check_rehearsal(folder / "lift.rehearsal.yaml") == []


def test_the_lift_arrives_and_says_so(folder):
    write_files(PAGE, folder)
    messages = ask("lift.py", "Go up", workspace=folder / "workspace")
    assert messages[-1]["content"] == "lift stands at floor 3"
    states = [message["data"]["now"]["floor"] for message in messages if message["thread"].startswith("body:")]
    assert states == sorted(states)
    assert {0, 1, 2, 3} >= set(states) >= {0, 3}


def test_the_lift_is_drawn(folder):
    write_files(PAGE, folder)
    load_target("lift.py")
    sys.path.insert(0, str(folder))
    drawing = importlib.import_module("lift").LiftDrawing()
    state = BodyState(body="lift", kind="lift", text="lift stands at floor 3", data={"floor": 3}, is_busy=False)
    assert drawing.draw_svg(state).startswith("<svg ")
    lines = drawing.draw_lines(state, rows=10, has_color=True)
    assert ["".join(span.text for span in line) for line in lines][:2] == ["4 │ │  lift stands at floor 3", "3 │▣│"]
    assert drawing.draw_lines(state, rows=4, has_color=True) == []


def test_the_cabin_of_the_lift_is_dragged_where_it_is_drawn(folder):
    write_files(PAGE, folder)
    load_target("lift.py")
    sys.path.insert(0, str(folder))
    module = importlib.import_module("lift")
    feed = LatestBodyFeed()
    lift = module.SimulatedLift(feed)
    (state,) = feed.look().states
    (cabin,) = feed.list_handles("lift")
    drawing = feed.find_drawing("lift")
    assert drawing is not None
    corner = f'x="{cabin.x - cabin.width / 2:g}" y="{cabin.y - cabin.height / 2:g}" width="32" height="20"'
    assert corner in drawing.draw_svg(state)
    feed.move_handle("lift", "cabin", x=cabin.x, y=cabin.y - 24)
    assert feed.look().states[0].data["target"] == 1
    feed.move_handle("lift", "cabin", x=cabin.x, y=-500)
    assert feed.look().states[0].data["target"] == 4
    lift.stop()


@pytest.mark.slow
def test_the_demo_plays_what_the_page_offers(folder):
    messages = ask("ghostos.demo.sphero.bolt_gpt", "Roll a square", workspace=folder / "workspace")
    states = [message["data"]["now"] for message in messages if message["thread"].startswith("body:")]
    assert max(state["y"] for state in states) == pytest.approx(50, abs=2)
    assert (states[-1]["x"], states[-1]["y"]) == (pytest.approx(0, abs=1), pytest.approx(0, abs=1))
