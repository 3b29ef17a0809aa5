"""Replies are read by FORMATS' rules, however they are cut, and never raise."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ghostos_moss._reply import CodeFormat, ReplyParser, parse_reply
from ghostos_moss._reply_events import (
    CodeBlock,
    CodeDelta,
    CodeEnd,
    CodeStart,
    CodeWithdrawn,
    ParsedReply,
    ReplyEvent,
    TextDelta,
)
from ghostos_moss.errors import ClosedError

REPLIES = Path(__file__).parent / "replies"


@dataclass(frozen=True, slots=True)
class Case:
    """One reply of the corpus."""

    reply: str
    code_format: CodeFormat
    expected: dict[str, Any]


def load_corpus() -> dict[str, dict[str, Case]]:
    corpus: dict[str, dict[str, Case]] = {}
    for path in sorted(REPLIES.glob("*.yaml")):
        cases = yaml.safe_load(path.read_text(encoding="utf-8"))
        corpus[path.stem] = {
            case.pop("id"): Case(case.pop("reply"), case.pop("format", "tags"), case) for case in cases
        }
    return corpus


CORPUS = load_corpus()
ALL = [pytest.param(case, id=f"{name}-{key}") for name, cases in CORPUS.items() for key, case in cases.items()]


def read(pieces: list[str], *, code_format: CodeFormat = "tags") -> tuple[list[ReplyEvent], ParsedReply]:
    parser = ReplyParser(code_format=code_format)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [*events, *parser.finish()], parser.reply


def codes(blocks: tuple[CodeBlock, ...]) -> list[str]:
    return [block.code for block in blocks]


def joined(events: list[ReplyEvent]) -> list[ReplyEvent]:
    """The same events, however finely their text was cut."""
    result: list[ReplyEvent] = []
    for event in events:
        last = result[-1] if result else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            result[-1] = TextDelta(last.text + event.text)
        elif isinstance(event, CodeDelta) and isinstance(last, CodeDelta):
            result[-1] = CodeDelta(last.text + event.text)
        else:
            result.append(event)
    return result


def check_events(events: list[ReplyEvent], reply: ParsedReply) -> None:
    """What a client that only follows the stream knows is what the reply says."""
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == reply.speech
    ended = [event.block for event in events if isinstance(event, CodeEnd) and event.block.code]
    withdrawn = [event.block for event in events if isinstance(event, CodeWithdrawn)]
    for block in withdrawn:
        ended.remove(block)
    assert sorted(codes(tuple(ended))) == sorted(codes(reply.blocks + reply.unclosed))
    assert tuple(withdrawn) == reply.withdrawn
    is_open = False
    for event in events:
        assert is_open == isinstance(event, CodeDelta | CodeEnd)
        is_open = isinstance(event, CodeStart | CodeDelta)
    assert not is_open


@pytest.mark.parametrize("case", ALL)
def test_a_reply_of_the_corpus_gives_its_blocks(case: Case) -> None:
    reply = parse_reply(case.reply, code_format=case.code_format)
    assert codes(reply.blocks) == case.expected["blocks"]
    assert codes(reply.unclosed) == case.expected.get("unclosed", [])
    assert codes(reply.withdrawn) == case.expected.get("withdrawn", [])
    assert reply.fabricated_output == case.expected.get("fabricated", False)
    assert reply.speech == case.expected.get("speech", reply.speech)
    assert all(block.is_closed for block in reply.blocks)
    assert not any(block.is_closed for block in reply.unclosed)


@pytest.mark.parametrize("case", ALL)
def test_cutting_a_reply_anywhere_changes_nothing(case: Case) -> None:
    events, whole = read([case.reply], code_format=case.code_format)
    cuts = [[case.reply[:at], case.reply[at:]] for at in range(len(case.reply) + 1)]
    for pieces in [*cuts, list(case.reply)]:
        cut_events, reply = read(pieces, code_format=case.code_format)
        assert reply == whole
        assert joined(cut_events) == joined(events)
    check_events(events, whole)


def test_the_corpus_is_large_and_a_third_of_it_runs_nothing() -> None:
    cases = [case for named in CORPUS.values() for case in named.values()]
    assert len(CORPUS) >= 12
    assert min(len(named) for named in CORPUS.values()) >= 5
    assert 3 * sum(not case.expected["blocks"] for case in cases) >= len(cases)
    assert sum(bool(case.expected["blocks"]) for case in cases) >= 30


def test_speech_streams_before_its_line_ends() -> None:
    parser = ReplyParser()
    assert parser.feed("Hello, 3 <") == [TextDelta("Hello, 3 ")]
    assert parser.feed(" 4 and `co") == [TextDelta("< 4 and ")]
    assert parser.feed("de` ") == [TextDelta("`code` ")]
    assert parser.feed("<mo") == []
    assert parser.feed("re>") == [TextDelta("<more>")]


def test_code_streams_line_by_line() -> None:
    parser = ReplyParser()
    assert parser.feed("Now:\n<moss>\n  a = 1\n  b =") == [TextDelta("Now:\n"), CodeStart(), CodeDelta("  a = 1\n")]
    assert parser.feed(" 2\n") == [CodeDelta("  b = 2\n")]
    assert parser.feed("</moss>\n") == [CodeEnd(CodeBlock("a = 1\nb = 2", "tag"))]


def test_a_fence_is_speech_until_the_reply_ends() -> None:
    parser = ReplyParser()
    assert parser.feed("```moss\nx\n```\n") == [TextDelta("```moss\nx\n```\n")]
    assert parser.finish() == [CodeStart(), CodeDelta("x"), CodeEnd(CodeBlock("x", "fence"))]


def test_a_finished_reply_takes_no_more_text() -> None:
    parser = ReplyParser()
    parser.feed("Hi")
    parser.finish()
    assert parser.finish() == []
    with pytest.raises(ClosedError, match="make a ReplyParser for each reply"):
        parser.feed("more")
    assert parser.reply == ParsedReply("Hi")


TAGS = [
    "<moss>",
    "</moss>",
    "<moss-output>",
    "</moss-output>",
    "<think>",
    "</think>",
    "<moss/>",
    "<",
    "</m",
    "&lt;moss&gt;",
]
MARKS = [
    "```",
    "```moss",
    "```python",
    "````",
    "~~~",
    "`",
    "``",
    "'",
    '"',
    '"""',
    "'''",
    "#",
    "\\",
    ">",
    "(",
    "=",
    "- ",
    "1. ",
]
WORDS = [
    "\n",
    "\n",
    "\r\n",
    " ",
    "    ",
    "\t",
    "<MOSS a='1'>",
    "x = 1",
    "def run(moss):",
    "moss.a()",
    " the tag is so ",
    "\ufeff",
    "\x00",
]
FRAGMENTS = st.sampled_from(TAGS + MARKS + WORDS)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=3), max_size=25).map("".join)
FORMATS = st.sampled_from(["tags", "fence", "tool"])


@settings(max_examples=300, deadline=None)
@given(TEXTS, FORMATS, st.data())
@example("\ud800<moss>\ud800</moss>", "tags", None)
def test_any_text_is_read_the_same_however_it_is_cut(text: str, code_format: CodeFormat, data: Any) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8))) if data else []
    events, whole = read([text], code_format=code_format)
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for cut in (pieces, list(text)):
        cut_events, reply = read(cut, code_format=code_format)
        assert reply == whole
        assert joined(cut_events) == joined(events)
    check_events(events, whole)


HOSTILE = {
    "a_megabyte_of_code": "<moss>\n" + "x = moss.call('text', 1)  # note\n" * 30 + "</moss>\n",
    "unclosed_inline_code": "`" + "a" * 200,
    "backticks_of_many_lengths": "".join("`" * length + "a" for length in range(1, 20)),
    "mentions_far_from_a_close": "the <moss> tag is here, " * 1_000 + "</moss>",
    "mentions": "the <moss> tag is here, ",
    "closed_mentions": "the <moss> and </moss> tags ",
    "blocks": "<moss>a</moss> = <moss>b=1</moss>",
    "blocks_with_odd_quotes": "<moss>x=\\'</moss>",
    "open_brackets": "<<<moss</<think",
    "escaped_quotes": "<moss>\\'\\\"",
    "triple_quotes": "<moss>x='''a\n",
    "reasoning": "<think>a</think>",
    "spaces": "    \t",
}


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_anything_is_read(name: str) -> None:
    text = HOSTILE[name] * (1_000_000 // len(HOSTILE[name]))
    events, reply = read([text])
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == reply.speech
    assert reply.speech or reply.blocks or reply.unclosed


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_long_reply_is_read_letter_by_letter(name: str) -> None:
    text = HOSTILE[name] * (50_000 // len(HOSTILE[name]))
    _, whole = read([text])
    assert read(list(text))[1] == whole
