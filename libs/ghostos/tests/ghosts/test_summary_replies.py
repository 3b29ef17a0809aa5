"""What a language model made of a long thread that had only the prompt that asks for a summary, word for word."""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ghostos.core.prompt import PromptMessage
from ghostos.ghosts.summary_prompt import render_summary_prompt
from ghostos.ghosts.thread_entries import ThreadEntry
from ghostos_moss import count_tokens

FILES = sorted(Path(__file__).with_name("summaries").glob("*.yaml"))


def make_entry(who, text, *, turn, day):
    if who == "o":
        status, _, output = text.partition("\n")
        text = f'<moss-output status="{status.removeprefix("status=")}">\n{output}\n</moss-output>'
    said_at = datetime.combine(day, time(12, turn), UTC)
    role = "assistant" if who == "a" else "user"
    return ThreadEntry(PromptMessage(role, text), turn=turn, seq=turn, is_input=who == "u", said_at=said_at)


def read_entries(content):
    return [
        make_entry(*next(iter(part.items())), turn=turn, day=max(d for n, d in content["days"].items() if n <= turn))
        for turn, parts in enumerate(content["turns"], start=1)
        for part in parts
    ]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def content(request) -> Any:
    return yaml.safe_load(request.param.read_text(encoding="utf-8"))


def test_a_summary_keeps_what_is_needed_to_go_on_and_not_what_no_longer_holds(content):
    summary = " ".join(content["summary"].split())
    assert [fact for fact in content["needed"] if fact not in summary] == []
    assert [fact for fact in content["gone"] if fact in summary] == []


def test_a_summary_is_much_shorter_than_its_thread_and_about_as_long_as_was_asked_for(content):
    entries = read_entries(content)
    tokens = count_tokens(content["summary"])
    assert tokens < sum(entry.tokens for entry in entries) / 3
    assert tokens < content["max_tokens"] * 1.2, "nothing of it would be cut"


def test_the_prompt_holds_the_whole_thread_with_the_days_on_which_it_was_said(content):
    prompt = render_summary_prompt(
        read_entries(content), earlier=content["earlier"], max_tokens=content["max_tokens"], readable=20_000
    )
    shown = prompt.messages[1].content
    for turn, parts in enumerate(content["turns"], start=1):
        assert f"[turn {turn}, user, " in shown
        for part in parts:
            ((who, text),) = part.items()
            assert who == "o" or text.strip() in shown
    assert all(f"{day:%Y-%m-%d}" in shown for day in content["days"].values())
