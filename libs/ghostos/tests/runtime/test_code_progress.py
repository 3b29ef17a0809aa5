"""How far the code of a round has come, as listeners hear it."""

import asyncio
import io
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ghostos.cli.text_view import PlainLines, TextView
from ghostos.cli.turns import JsonView
from ghostos.config import Confinement
from ghostos.core.clock import utc_now
from ghostos.core.message import Delta, Message, progress_of
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.runtime.code_progress import CodeProgress
from ghostos.runtime.thread_log import ThreadLog
from ghostos.testing import ScriptedModel

CODE = Message(
    seq=3, id="m3", thread="t", turn=1, round=1, role="assistant", type="code", content="", created_at=utc_now()
)
WAITS = "time.sleep(0.5)"


def find(code: str, *contents: str) -> list[tuple[int, int] | None]:
    """Where each line of the code stands: seq, line of that message."""
    said = [replace(CODE, seq=at, content=content) for at, content in enumerate(contents, start=1)]
    shown: list[Delta] = []

    async def tell() -> list[tuple[int, int] | None]:
        found: list[tuple[int, int] | None] = []
        lines = CodeProgress(code, said=said, show=shown.append)
        for line in range(1, code.count("\n") + 2):
            lines.tell_line(line)
            await asyncio.sleep(0)
            delta = shown.pop() if shown else None
            found.append(None if delta is None or delta.line is None else (delta.seq, delta.line))
        return found

    return asyncio.run(tell())


@pytest.mark.parametrize(
    ("content", "first"),
    [
        ("a = 1\nb = 2\n", 1),
        ("a = 1\nb = 2", 1),
        ("\n\n  a = 1\n  b = 2\n\n", 3),
        ("```python\na = 1\r\nb = 2\n```\n", 2),
    ],
)
def test_a_line_is_that_of_the_message_as_it_was_written(content, first):
    assert find("a = 1\nb = 2", content) == [(1, first), (1, first + 1)]


def test_blocks_are_found_in_their_messages_in_order():
    assert find("a\n\nb\n\na", "a\n\nb\n", "\na\n") == [(1, 1), (1, 2), (1, 3), None, (2, 2)]
    assert find("a\n\na", "a\n", "a\n") == [(1, 1), None, (2, 1)]


def test_code_that_this_round_has_not_said_has_no_lines():
    assert find("a\nb", "a\nc\n") == [None, None]
    assert find("a\nb") == [None, None]
    assert find("b", "x = 1\n", "b\n") == [(2, 1)]  # the first was withdrawn


def test_many_lines_are_found_at_once():
    code = "\n".join(["pass"] * 20_000)
    assert len(set(find(code, code))) == 20_000


def printed_at(code: str, *contents: str) -> list[tuple[int, str | None]]:
    """Where what the code prints is shown."""
    said = [replace(CODE, seq=at, content=content) for at, content in enumerate(contents, start=1)]
    shown: list[Delta] = []

    async def tell() -> None:
        CodeProgress(code, said=said, show=shown.append).tell_printed("so far")
        await asyncio.sleep(0)

    asyncio.run(tell())
    return [(delta.seq, delta.printed) for delta in shown]


def test_what_is_printed_stands_at_the_last_of_the_messages_that_run():
    assert printed_at("a", "a") == [(1, "so far")]
    assert printed_at("a\n\nb", "a\n", "b\n") == [(2, "so far")]
    assert printed_at("a", "a\n", "withdrawn\n") == [(1, "so far")]
    assert printed_at("of an earlier round", "x = 1\n") == []


def test_of_progress_a_log_keeps_the_last_of_each_kind():
    log = ThreadLog()
    log.begin_turn("e1")
    early = log.listen()
    for number in range(1, 4):
        log.show_progress(progress_of(CODE, line=number))
        log.show_progress(progress_of(CODE, printed=str(number)))
    log.append(Delta(seq=4, type="text", role="assistant", content="x"))
    log.end_turn()
    log.begin_turn("e2")
    log.show_progress(progress_of(CODE, line=9))
    heard = []
    for item in early.items():
        if isinstance(item, Delta):
            heard.append((item.line, item.printed, item.content))
            if item.line == 9:
                early.close()
    assert heard == [(3, None, ""), (None, "3", ""), (None, None, "x"), (9, None, "")]


def test_nothing_is_shown_of_a_run_that_is_over():
    shown: list[Delta] = []

    async def run() -> None:
        lines = CodeProgress("a", said=[replace(CODE, content="a")], show=shown.append)
        lines.tell_line(1)
        lines.end()
        await asyncio.sleep(0)
        lines.tell_line(1)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert shown == []


def test_a_loop_that_is_closed_is_nobody_who_listens():
    shown: list[Delta] = []

    async def make() -> CodeProgress:
        return CodeProgress("a", said=[replace(CODE, content="a")], show=shown.append)

    asyncio.run(make()).tell_line(1)
    assert shown == []


@pytest.fixture(params=["off", "process"])
def confinement(request: pytest.FixtureRequest) -> Confinement:
    return Confinement(request.param)


@pytest.fixture
def agent(tmp_path: Path) -> MossAgent:
    path = tmp_path / "waiting_file.py"
    path.write_text("import time\n")
    return MossAgent(str(path))


REPLY = f"First.\n<moss>\nx = 1\n{WAITS}\n</moss>\nThen.\n<moss>\n\n{WAITS}\nprint(x)\n</moss>\n"


def test_listeners_hear_which_line_runs_and_nothing_of_it_is_stored(start_matrix, agent):
    conversation = start_matrix(ScriptedModel([REPLY, "Done."])).sync(agent)
    _, receiver = conversation.talk("go")
    with receiver:
        deltas = list(receiver.recv())
    lines = [delta for delta in deltas if delta.line is not None]
    code = {message.seq: message for message in conversation.history() if message.type == "code"}
    assert [code[delta.seq].content.split("\n")[(delta.line or 0) - 1] for delta in lines] == [WAITS, WAITS]
    assert [delta.seq for delta in lines] == sorted(code)
    assert all((delta.content, delta.message, delta.type) == ("", None, "code") for delta in lines)
    assert all(delta.offset == len(code[delta.seq].content) for delta in lines)
    ended = Counter(delta.seq for delta in deltas if delta.message is not None)
    assert set(ended.values()) == {1}
    outputs = [at for at, delta in enumerate(deltas) if delta.type == "output"]
    assert max(deltas.index(delta) for delta in lines) < outputs[0]


def test_who_comes_while_code_runs_hears_its_line_though_its_message_is_known(start_matrix, agent, tmp_path):
    mark = tmp_path / "go_on"
    code = f"import os\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.02)\n"
    conversation = start_matrix(ScriptedModel([f"<moss>\n{code}</moss>", "Done."])).sync(agent)
    _, receiver = conversation.talk("go")
    known = 0
    with receiver:
        for delta in receiver.recv():
            if delta.line is not None:
                known = delta.seq
                break
    late = conversation.attach(from_seq=known)
    with late:
        heard = next(delta for delta in late.recv())
    assert (heard.seq, heard.line) == (known, 2)
    mark.touch()


def test_listeners_hear_what_is_printed_while_code_runs_and_nothing_of_it_is_stored(start_matrix, agent, tmp_path):
    mark = tmp_path / "go_on"
    code = f"import os\nprint('begun')\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.02)\nprint('done')\n"
    conversation = start_matrix(ScriptedModel([f"<moss>\n{code}</moss>", "Done."])).sync(agent)
    _, receiver = conversation.talk("go")
    with receiver:
        deltas = receiver.recv()
        heard = next(delta for delta in deltas if delta.printed is not None)
        late = conversation.attach(from_seq=heard.seq)
        with late:
            assert next(delta.printed for delta in late.recv() if delta.printed is not None) == "begun\n"
        mark.touch()
        for _ in deltas:
            pass
    assert (heard.printed, heard.content, heard.message) == ("begun\n", "", None)
    assert [message.content for message in conversation.history() if message.type == "output"] == ["begun\ndone"]


def test_what_commands_print_is_the_same_with_progress_and_without(start_matrix, agent, monkeypatch):
    conversation = start_matrix(ScriptedModel([REPLY, "Done."])).sync(agent)
    _, receiver = conversation.talk("go")
    with receiver:
        deltas = list(receiver.recv())
    without = [delta for delta in deltas if not delta.is_progress]
    assert len(without) < len(deltas)

    def printed(shown: list[Delta], make_view) -> tuple[str, str]:
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        view = make_view()
        for delta in shown:
            view.show(delta)
        view.end_turn()
        monkeypatch.undo()
        out.seek(0)
        return out.read(), err.getvalue()

    for make_view in (
        lambda: TextView(PlainLines()),
        lambda: TextView(PlainLines(), is_live=False),
        lambda: JsonView(with_deltas=True),
        lambda: JsonView(with_deltas=False),
    ):
        assert printed(deltas, make_view) == printed(without, make_view)


def test_approved_code_of_an_earlier_round_runs_without_progress(start_matrix, agent):
    asking = agent.model_copy(update={"approve": "code"})
    conversation = start_matrix(ScriptedModel([REPLY, "Done."])).sync(asking)
    _, receiver = conversation.talk("go")
    with receiver:
        list(receiver.recv())
    pending = conversation.pending_code()
    assert pending is not None
    _, receiver = conversation.answer_code(pending.id, "approve")
    with receiver:
        deltas = list(receiver.recv())
    assert [delta for delta in deltas if delta.is_progress] == []
    assert [delta.message.content for delta in deltas if delta.type == "output" and delta.message] == ["1"]
