"""What a language model answered that had nothing but the prompt of a set in `benchmarks/moss/sets`, word for word."""

import importlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

from ghostos_moss import load_source, new_compiler, parse_reply

REPLIES_FOLDER = Path(__file__).with_name("model_replies")
REPLIES = sorted(REPLIES_FOLDER.glob("*.txt"))
CONTRACTS = {"project": ("tracker", "Tracker"), "crm": ("crm", "Crm"), "robot": ("robot", "Robot")}
# What a reply shows, and how it leaves the simulator: where to look, and what is there.
RESULTS: dict[str, tuple[str, Callable[[Any], object], object]] = {
    "crm_1": (
        "in stock: 25",
        lambda moss: [
            *((deal.title, str(deal.value.amount)) for deal in moss.crm.find_deals("c1")),
            *(each.summary for each in moss.crm.list_activities("c1", since=moss.crm.now())),
        ],
        [
            ("Chairs for the new office", "3960.00"),
            ("40 desk lamps", "1764.00"),
            "Phoned Ms Berg: she wants 40 desk lamps with 10 percent off.",
        ],
    ),
    "crm_2": (
        "may not be mailed, left out: ['Jonas Thiel']",
        lambda moss: [
            *((each.title, each.starts_at.hour) for each in moss.crm.list_appointments(tomorrow(moss.crm.now()))),
            *((contact, subject) for contact, subject, _ in moss.crm.sent),
        ],
        [
            ("Team meeting", 9),
            ("Meeting with Nordwind GmbH", 10),
            ("p1", "Our appointment on 15.01.2026 at 10:00 (CET)"),
        ],
    ),
    "crm_3": (
        "deals found: 2 total of those moved: 11175.00 USD",
        lambda moss: [(each, moss.crm.get_deal(each).stage.value, moss.crm.reasons.get(each)) for each in ("d2", "d3")],
        [("d2", "lost", "no answer"), ("d3", "lost", "no answer")],
    ),
    "project_1": (
        "blocks: T7 Release version 2",
        lambda moss: [
            (task.title, task.assignee, task.priority.name, str(task.due_on))
            for task in moss.tracker.list_blockers("T7")
            if task.id == "T14"
        ],
        [("Mend the login page", "M1", "URGENT", "2026-01-16")],
    ),
    "project_2": (
        "overdue and nobody's, left alone: [('T6', 'Renew the certificate'",
        lambda moss: {each: moss.tracker.get_task(each).assignee for each in ("T5", "T6", "T8", "T9")},
        {"T5": "M3", "T6": None, "T8": "M1", "T9": None},
    ),
    "project_3": (
        "watched: ['T3']",
        lambda moss: (moss.watched, moss.tracker.get_task("T3").labels, moss.tracker.get_task("T9").state.value),
        (["T3"], {"bug", "search", "merged"}, "dropped"),
    ),
    "robot_1": ("distance=2.236", lambda moss: place_of(moss.robot), (2.0, 1.0)),
    "robot_2": ("drove to the charger with the cup", lambda moss: list(moss.robot.held.values()), ["s1"]),
    "robot_3": ("battery: percent=80", lambda moss: list(moss.places), ["kitchen"]),
    "robot_4": ("heading 315: 4.0 m\nheading 0: 4.0 m", lambda moss: moss.robot.get_pose().heading, 0),
}


def tomorrow(now):
    return now + timedelta(days=1)


def place_of(robot):
    position = robot.get_pose().position
    return position.x, position.y


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_a_reply_keeps_the_format_and_uses_what_is_there(path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    name = path.stem.partition("_")[0]
    reply = parse_reply(path.read_text())
    assert [block.is_closed for block in reply.blocks] == [True]
    assert not reply.unclosed
    attribute, contract = CONTRACTS[name]
    library = importlib.import_module(f"benchmarks.moss.sets.{name}")
    agent = importlib.import_module(f"benchmarks.moss.sets.{name}_agent")
    stand_in = create_autospec(getattr(library, contract), instance=True)
    compiler = new_compiler().with_source(load_source(str(agent.__file__))).injects(**{attribute: stand_in})
    with compiler.compile(None) as runtime:
        assert runtime.check(reply.blocks[0].code) == ()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_a_reply_does_on_its_simulator_what_was_asked(path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    agent = importlib.import_module(f"benchmarks.moss.sets.{path.stem.partition('_')[0]}_agent")
    shown, find_effect, effect = RESULTS[path.stem]
    with new_compiler().with_source(load_source(str(agent.__file__))).compile(None) as runtime:
        execution = runtime.run(parse_reply(path.read_text()).blocks[0].code)
        assert execution.error is None
        assert shown in f"{execution.std_output}\n{execution.returns}"
        assert find_effect(runtime.moss()) == effect


@pytest.mark.parametrize("name", ["project", "crm"])
def test_the_format_is_kept_from_round_to_round(name, monkeypatch):
    """Three requests to one ghost, with what its code printed in between: each reply speaks, or runs code."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    folder = REPLIES_FOLDER / f"{name}_rounds"
    replies = [parse_reply(path.read_text()) for path in sorted(folder.iterdir(), key=lambda path: int(path.stem))]
    assert len(replies) > 5
    agent = importlib.import_module(f"benchmarks.moss.sets.{name}_agent")
    with new_compiler().with_source(load_source(str(agent.__file__))).compile(None) as runtime:
        for reply in replies:
            assert not reply.unclosed
            assert all(block.is_closed for block in reply.blocks)
            if reply.blocks:
                assert runtime.run(*(block.code for block in reply.blocks)).std_output
    assert 0 < sum(bool(reply.blocks) for reply in replies) < len(replies)
