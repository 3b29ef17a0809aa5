"""A stored context can be read for good: a file of every format is kept here."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ghostos_moss import PyContext, new_compiler
from ghostos_moss.errors import ContextFormatError

FILES = Path(__file__).parent / "fixtures_pycontext"


def read(name: str) -> tuple[dict[str, Any], PyContext]:
    text = (FILES / name).read_text(encoding="utf-8")
    return json.loads(text), PyContext.model_validate_json(text)


def test_format_1_is_read_and_is_format_2_without_versions():
    stored, context = read("format-1.json")
    assert stored["format"] == 1
    assert json.loads(context.model_dump_json()) == {**stored, "format": 2, "versions": [], "proposal": None}
    with new_compiler().join_context(context).compile(None) as runtime:
        assert runtime.run("moss.count += plus(1, 1)\nprint(moss.count, moss.due.year)").std_output == "5 2026\n"
        assert runtime.dump_pycontext().format == 2


def test_format_2_is_read_with_its_versions_and_its_proposal():
    stored, context = read("format-2.json")
    assert stored["format"] == 2
    assert json.loads(context.model_dump_json()) == stored
    assert [version.id for version in context.versions] == [version["id"] for version in stored["versions"]]
    assert context.proposal is not None
    assert context.read_version(context.proposal.version) == context.code
    assert context.read_version(context.versions[0].id) == context.versions[0].text
    with new_compiler().join_context(context).compile(None) as runtime:
        assert runtime.run("print(minus(moss.count, 1))\nmoss.updater.append('A = 1')").std_output == "2\n"
        assert len(runtime.dump_pycontext().versions) == 3


def test_a_context_without_anything_is_one():
    assert PyContext.model_validate_json("{}") == PyContext(format=1) == PyContext(format=2)


def test_a_newer_format_is_kept_as_it_is_and_refused_by_name_where_it_is_compiled():
    newer = PyContext.model_validate_json('{"format": 3, "branches": {}}')
    assert json.loads(newer.model_dump_json())["format"] == 3
    with pytest.raises(ContextFormatError, match="format 3, and this version knows formats up to 2"):
        new_compiler().join_context(newer)


@pytest.mark.parametrize("found", [0, -1, "two", None, 1.5])
def test_what_is_no_format_is_refused(found):
    with pytest.raises(ValidationError):
        PyContext.model_validate({"format": found})
