import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from contextlib import suppress
from datetime import datetime

import pytest

from ghostos.testing import ModelServer, StreamReply

pytestmark = pytest.mark.slow

PLUS = "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"


@pytest.fixture
def talked(served):
    with ModelServer([PLUS, "It is ```5```."]) as server:
        shell = served(server.base_url)
        assert shell.run("ask", "foo.py", "what is 2 plus 3?", "--thread", "t1").status == 0
    return shell


def test_show_prints_every_message(talked):
    shown = talked.run("threads", "show", "t1")
    assert (shown.status, shown.err) == (0, "")
    for seq, kind, content in [
        (1, "user text", "what is 2 plus 3?"),
        (2, "system state", "model: openai:gpt-4o | code runs confined"),
        (3, "assistant text", "Let me see."),
        (4, "assistant code", "print(plus(2, 3))"),
        (5, "environment output", "5"),
        (6, "assistant text", "It is ```5```."),
    ]:
        title, _, rest = shown.out.partition(f"#{seq}  ")[2].partition("\n")
        assert title.endswith(kind)
        assert rest.startswith(f"    {content}")


def test_export_is_the_message_format_and_markdown_whose_fences_hold(talked):
    lines = talked.run("threads", "export", "t1").messages
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["content"] == "what is 2 plus 3?"
    document = talked.run("threads", "export", "t1", "--format", "md").out
    assert "## Assistant: code\n\n```python\nprint(plus(2, 3))\n```\n" in document


def test_list_has_a_line_for_each_thread(talked):
    head, line = talked.run("threads", "list").out.splitlines()
    assert head.split() == ["THREAD", "STATE", "TURNS", "LAST", "USED", "TARGET", "BEGINS"]
    assert line.split()[:3] == ["t1", "waiting", "1"]
    assert line.endswith("  foo.py  what is 2 plus 3?")


def test_list_takes_a_target_and_a_number(served):
    with ModelServer(["A", "B", "C"]) as server:
        shell = served(server.base_url)
        shell.write("bar.py", "")
        for target, name in (("foo.py", "t1"), ("foo.py", "t2"), ("bar.py", "t3")):
            assert shell.run("ask", target, f"hello {'you ' * 30}", "--thread", name).status == 0
    assert [line.split()[0] for line in shell.run("threads", "list", "--target", "foo.py").out.splitlines()[1:]] == [
        "t2",
        "t1",
    ]
    (line,) = shell.run("threads", "list", "--limit", "1").out.splitlines()[1:]
    assert line.startswith("t3 ")
    assert line.endswith(" you you…")
    shell.write("new.py", "")
    none = shell.run("threads", "list", "--target", "new.py").out
    assert none == "No thread of new.py in this workspace. Begin one with: ghostos ask new.py MESSAGE\n"


def test_show_has_what_was_said_and_not_answered_and_what_came_of_the_answer(served):
    slow = StreamReply(chunks=["Once "] * 600, delay_s=0.05)
    with ModelServer([slow]) as server:
        shell = served(server.base_url)
        running = shell.start("ask", "foo.py", "tell me a story", "--thread", "t1")
        server.wait_for_requests(1)
        deadline = time.monotonic() + 20
        while "Once Once" not in (shown := shell.run("threads", "show", "t1").out):
            assert time.monotonic() < deadline, shown
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=20)
    shown = shell.run("threads", "show", "t1").out
    _, _, waiting = shown.partition("not answered yet:\n")
    assert waiting.startswith("    tell me a story\n")
    assert shown.count("tell me a story") == 1
    assert "begun, and not ended" in waiting
    assert "assistant text (partial)\n    Once Once" in waiting


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["list"], 0),
        (["show", "t1"], 2),
        (["show", "t1", "--trace"], 2),
        (["export", "t1"], 2),
        (["fork", "t1"], 2),
        (["rewind", "t1", "--turn", "1"], 2),
        (["rename", "t1", "t2"], 2),
        (["delete", "t1", "--yes"], 2),
    ],
)
def test_looking_makes_nothing(shell, words, status):
    workspace = shell.workspace.parent / "new"
    assert shell.run("threads", *words, "--workspace", str(workspace)).status == status
    assert not workspace.exists()


def test_clear_runtime_deletes_threads_and_keeps_settings(talked):
    cleared = talked.run("clear-runtime", "--yes")
    assert cleared.status == 0, cleared.err
    assert talked.run("threads", "list").out.startswith("No threads yet.")
    assert (talked.workspace / "configs" / "ghostos.toml").is_file()
    left = {path.name for path in (talked.workspace / "runtime").iterdir()}
    assert {name for name in left if not name.startswith("ghostos.db")} == set()


def test_a_trace_is_a_tree_of_turns_rounds_model_calls_and_runs(talked):
    shown = talked.run("threads", "show", "t1", "--trace")
    assert (shown.status, shown.err) == (0, "")
    head, *tree = re.sub(r"\d\d:\d\d:\d\d\.\d{3}|\d{4}-\d\d-\d\d|\d[\d.]* m?s\b", "_", shown.out).splitlines()
    assert head.startswith("thread t1 (")
    assert tree[1] == "state waiting, turns: 1, rounds: 2, model calls: 2, tokens: 2 read, 10 written"
    assert tree[2:] == [
        "turn 1  _ _  input, _, tokens: 2 read, 10 written",
        "  round 1  _  input, _, _ after its event, then running",
        "    model openai:gpt-4o  _  _, first piece after _, tokens: 1 read, 7 written",
        "    code ok  _  _, print(plus(2, 3))",
        "  round 2  _  observe, _, _ after its event, then waiting",
        "    model openai:gpt-4o  _  _, first piece after _, tokens: 1 read, 3 written",
    ]


def test_a_trace_for_programs_has_a_round_on_each_line(talked):
    thread, first, second = talked.run("threads", "show", "t1", "--trace", "--json").messages
    assert (thread["type"], thread["name"], thread["rounds"], thread["model_calls"]) == ("thread", "t1", 2, 2)
    assert [(line["type"], line["turn"], line["round"], line["event"]) for line in (first, second)] == [
        ("round", 1, 1, "input"),
        ("round", 1, 2, "observe"),
    ]
    (call,) = first["calls"]
    assert call.keys() == {
        *("model", "started_at", "duration_s", "first_piece_s", "input_tokens", "cached_tokens", "output_tokens"),
        *("status", "attempt"),
    }
    (run,) = first["code_runs"]
    assert (run["status"], run["code"], run["calls"]) == ("ok", "print(plus(2, 3))", [])
    assert second["code_runs"] == []
    started, committed = (datetime.fromisoformat(first[key]) for key in ("started_at", "committed_at"))
    assert started <= datetime.fromisoformat(call["started_at"]) <= committed


def test_json_of_messages_is_an_export(talked):
    refused = talked.run("threads", "show", "t1", "--json")
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.splitlines()[1] == "For messages, say: ghostos threads export t1"


def test_a_trace_on_a_terminal_is_drawn(talked):
    status, drawn = run_on_terminal(talked, "threads", "show", "t1", "--trace")
    assert status == 0
    assert "└── model openai:gpt-4o" in drawn


def test_on_a_terminal_one_is_asked_before_a_thread_is_deleted(talked):
    status, shown = run_on_terminal(talked, "threads", "delete", "t1", typed="n\n")
    assert (status, "Nothing was deleted." in shown) == (0, True)
    assert "Delete the thread t1 (turns: 1), and what its agent has made? [y/N]" in shown
    status, shown = run_on_terminal(talked, "threads", "delete", "t1", typed="y\n")
    assert (status, "Deleted the thread t1" in shown) == (0, True)


def run_on_terminal(shell, *words, typed=""):
    """Return the status of a command, and all that its terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        shell.command(*words),
        cwd=shell.folder,
        env={**shell.variables, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    with suppress(OSError):  # what Linux says when the other side has left
        while select.select([ours], [], [], 60)[0] and (piece := os.read(ours, 65536)):
            shown += piece
    os.close(ours)
    return process.wait(60), re.sub(r"\x1b\[[\d;]*m", "", shown.decode())


def test_a_fork_goes_on_and_the_other_thread_does_not(served):
    with ModelServer(["One.", "Two.", "Three."]) as server:
        shell = served(server.base_url)
        for text in ("first", "second"):
            assert shell.run("ask", "foo.py", text, "--thread", "t1").status == 0
        forked = shell.run("threads", "fork", "t1", "--turn", "1")
        assert (forked.status, forked.out) == (0, "t1~1\n")
        assert forked.err == f"Go on with: ghostos ask {shell.folder / 'foo.py'} --thread 't1~1' MESSAGE\n"
        assert shell.run("ask", "foo.py", "other", "--thread", "t1~1").status == 0
    lines = shell.run("threads", "export", "t1~1").messages
    assert [line["content"] for line in lines if line["type"] == "text"] == ["first", "One.", "other", "Three."]
    lines = shell.run("threads", "export", "t1").messages
    assert [line["content"] for line in lines if line["type"] == "text"] == ["first", "One.", "second", "Two."]


def test_a_thread_is_rewound_and_all_of_it_is_kept(served):
    with ModelServer(["One.", "Two.", "Three."]) as server:
        shell = served(server.base_url)
        for text in ("first", "second"):
            assert shell.run("ask", "foo.py", text, "--thread", "t1").status == 0
        rewound = shell.run("threads", "rewind", "t1", "--turn", "1")
        assert (rewound.status, rewound.err) == (0, "")
        assert rewound.out == "t1 goes on from turn 1. All that it was is kept in t1~1\n"
        assert shell.run("ask", "foo.py", "instead", "--thread", "t1").status == 0
        sent = json.dumps(server.requests[-1].body["messages"])
    assert "instead" in sent
    assert "second" not in sent
    lines = shell.run("threads", "export", "t1~1").messages
    assert [line["content"] for line in lines if line["type"] == "text"] == ["first", "One.", "second", "Two."]


def test_a_renamed_thread_has_its_new_name_only(talked):
    assert talked.run("threads", "rename", "t1", "sums").out == "t1 is called sums now.\n"
    assert talked.run("threads", "show", "sums").status == 0
    assert talked.run("threads", "show", "t1").status == 2


@pytest.mark.parametrize(
    "words",
    [
        ["fork", "t1", "--turn", "7"],
        ["fork", "t1", "--name", "t1"],
        ["fork", "t1", "--name", ""],
        ["rewind", "t1", "--turn", "1"],
        ["rewind", "t1", "--turn", "-1"],
        ["rewind", "t1"],
        ["rename", "t1", " x"],
        ["rename", "nobody", "x"],
        ["delete", "nobody", "--yes"],
    ],
)
def test_what_cannot_be_done_with_a_thread_is_said_in_two_lines(talked, words):
    refused = talked.run("threads", *words)
    assert (refused.status, refused.out) == (2, "")
    assert len(refused.err.splitlines()) == 2
    assert [line.split()[0] for line in talked.run("threads", "list").out.splitlines()] == ["THREAD", "t1"]


def test_nothing_is_deleted_where_nobody_can_be_asked(talked):
    refused = talked.run("threads", "delete", "t1")
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.splitlines()[1] == "Say: ghostos threads delete t1 --yes"
    assert talked.run("threads", "show", "t1").status == 0


def test_a_deleted_thread_leaves_nothing(talked):
    scratch = talked.workspace / "runtime" / "scratch"
    (owner,) = {line["thread"] for line in talked.run("threads", "export", "t1").messages}
    (scratch / owner).mkdir(parents=True, exist_ok=True)
    (scratch / owner / "notes.txt").write_text("mine")
    (scratch / "another").mkdir()
    deleted = talked.run("threads", "delete", "t1", "--yes")
    assert (deleted.status, deleted.out, deleted.err) == (0, "Deleted the thread t1\n", "")
    assert talked.run("threads", "list").out.startswith("No threads yet.")
    assert [path.name for path in scratch.iterdir()] == ["another"]
