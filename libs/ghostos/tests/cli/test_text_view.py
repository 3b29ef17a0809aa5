from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ghostos.cli.text_view import RichLines, TextView
from ghostos.core.message import Delta, Message, MessageStatus, whole_deltas


class Lines:
    def __init__(self):
        self.written = []

    def write(self, line, *, label):
        self.written.append((label, line))


def state(content, data):
    message = Message(
        seq=1,
        id="m",
        thread="t",
        turn=1,
        round=1,
        role="system",
        type="state",
        content=content,
        data=data,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    return Delta(seq=1, type="state", role="system", content=content, message=message)


def test_who_answers_is_said_once_and_the_end_of_a_task_with_its_result():
    lines = Lines()
    view = TextView(lines)
    for _ in range(2):
        view.show(state("openai:gpt-4o", {"is_rehearsal": False}))
        view.show(state("finished", {"state": "finished", "result": {"sum": 5}}))
    assert lines.written == [
        ("", "model: openai:gpt-4o"),
        ("", 'finished: {"sum":5}'),
        ("", 'finished: {"sum":5}'),
    ]


def test_a_state_that_is_neither_is_shown_as_it_is_and_does_not_have_the_model_named_again():
    lines = Lines()
    view = TextView(lines)
    for content, data in (
        ("openai:gpt-4o", {"is_rehearsal": False}),
        ("Summarised turns 1\u20135.", {"summary": "S"}),
    ) * 2:
        view.show(state(content, data))
    assert lines.written == [
        ("", "model: openai:gpt-4o"),
        ("", "Summarised turns 1\u20135."),
        ("", "Summarised turns 1\u20135."),
    ]


def test_a_host_call_is_one_line_that_cannot_steer_a_terminal():
    lines = Lines()
    said = state("Ball.roll('\x1b[2J'), 3 ms", {"method": "roll"}).message
    assert said is not None
    message = replace(said, role="environment", type="host_call")
    TextView(lines).show(whole_deltas(message)[0])
    ((label, line),) = lines.written
    assert label == "call"
    assert "\x1b" not in line
    assert line.startswith("Ball.roll('")


def test_an_image_is_one_line_that_says_where_it_lies():
    said = state("cat\x1b.png", {"asset": "a1", "sha256": "0" * 64, "media_type": "image/png", "size_bytes": 12_288})
    assert said.message is not None
    for role in ("user", "environment"):
        lines = Lines()
        message = replace(said.message, role=role, type="image")
        view = TextView(lines, path_of=lambda sha256: Path("runtime", "assets", sha256[:2]))
        for delta in whole_deltas(message):
            view.show(delta)
        ((label, line),) = lines.written
        assert (label, line) == ("", "image cat\\x1b.png, 12 KiB, runtime/assets/00")


def say(text, *, seq, status: MessageStatus = "complete"):
    message = Message(
        seq=seq,
        id=f"m{seq}",
        thread="t",
        turn=1,
        round=1,
        role="assistant",
        type="text",
        content=text,
        status=status,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    return whole_deltas(message)


RETRYING = state("It broke. Trying again in 1 s (1).", {"state": "retrying"})


def test_an_answer_that_is_tried_again_is_on_stdout_once(capsys):
    lines = Lines()
    view = TextView(lines, is_live=False)
    for delta in (*say("Half an", seq=2, status="partial"), RETRYING, *say("Half an answer.", seq=4)):
        view.show(delta)
    view.end_turn()
    assert capsys.readouterr().out == "Half an answer.\n"
    assert lines.written == [("", "It broke. Trying again in 1 s (1)."), ("cut", "Half an")]


def test_an_answer_that_nothing_came_after_is_on_stdout_as_far_as_it_came(capsys):
    lines = Lines()
    view = TextView(lines, is_live=False)
    first, _ = say("Half an", seq=2)
    view.show(first)
    view.end_turn()
    for delta in say("Another half", seq=3, status="partial"):
        view.show(delta)
    view.end_turn()
    assert capsys.readouterr().out == "Half an\nAnother half\n"
    assert lines.written == []


def test_on_a_terminal_what_was_cut_is_marked_where_it_stands(capsys):
    lines = Lines()
    view = TextView(lines)
    for delta in (*say("Half an", seq=2, status="partial"), RETRYING, *say("Half an answer.", seq=4)):
        view.show(delta)
    assert capsys.readouterr().out == "Half an\nHalf an answer.\n"
    assert lines.written[0] == ("", "cut short")


def test_a_terminal_shows_one_line_of_a_call_and_the_whole_of_what_failed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = RichLines()
    lines.write(f"LedMatrix.play({'x' * 100})", label="call")
    lines.write("y" * 100, label="failed")
    call, failed = capsys.readouterr().err.splitlines()
    assert call == f"call   │ LedMatrix.play({'x' * 14}…"
    assert failed == f"failed │ {'y' * 100}"
