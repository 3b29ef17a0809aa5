"""The prompts of the sets in `benchmarks/moss/sets` say all that their JSON schemas say, and what is returned."""

import importlib
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("name", "contract", "least"), [("robot", "Robot", 80), ("project", "Tracker", 80), ("crm", "Crm", 120)]
)
def test_every_fact_of_the_schemas_is_in_the_prompt(name, contract, least, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    facts, schema, tokens = (
        importlib.import_module(f"benchmarks.moss.{each}") for each in ("facts", "schema", "tokens")
    )
    kind = getattr(importlib.import_module(f"benchmarks.moss.sets.{name}"), contract)
    tools = schema.make_tools(kind)
    assert facts.missing_facts(tools, kind, tokens.render_set(name)) == []
    found = facts.find_facts(tools, kind)
    assert len(found) > least
    assert facts.missing_facts(tools, kind, "") == found  # a text without facts has none of them
