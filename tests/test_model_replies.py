"""What a language model answered that had nothing but the prompt of a set in `benchmarks/moss/sets`, word for word."""

import importlib
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from ghostos_moss import load_source, new_compiler, parse_reply

REPLIES = sorted(Path(__file__).with_name("model_replies").glob("*.txt"))
CONTRACTS = {"project": ("tracker", "Tracker"), "crm": ("crm", "Crm"), "robot": ("robot", "Robot")}


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


@pytest.mark.parametrize(
    "path", [path for path in REPLIES if path.stem.startswith("robot")], ids=lambda path: path.stem
)
def test_a_reply_for_the_robot_runs_on_its_simulator(path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    agent = importlib.import_module("benchmarks.moss.sets.robot_agent")
    with new_compiler().with_source(load_source(str(agent.__file__))).compile(None) as runtime:
        execution = runtime.run(parse_reply(path.read_text()).blocks[0].code)
        assert execution.error is None
        assert execution.std_output or execution.returns or runtime.moss().places
