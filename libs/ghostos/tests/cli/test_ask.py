import subprocess

import pytest

from ghostos.testing import ErrorReply, ModelServer, StreamReply

pytestmark = pytest.mark.slow

PLUS = "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"


def test_a_two_line_file_is_an_agent(served):
    with ModelServer([PLUS, "It is 5."]) as server:
        done = served(server.base_url).run("ask", "foo.py", "what is 2 plus 3?")

    assert done.status == 0, done.err
    assert done.out == "Let me see.\nIt is 5.\n"
    assert "code   │ print(plus(2, 3))" in done.err
    assert "output │ 5" in done.err
    first, second = [request.body["messages"] for request in server.requests]
    assert "def plus(a: int, b: int) -> int:\n    return a + b" in first[0]["content"]
    assert first[1]["content"] == "what is 2 plus 3?"
    assert {"role": "user", "content": '<moss-output status="ok">\n5\n</moss-output>'} in second


def test_stderr_says_which_model_answers_how_code_runs_and_how_to_go_on(served):
    with ModelServer(["Hello."]) as server:
        done = served(server.base_url).run("ask", "foo.py", "hi")

    assert done.err.startswith("[model: openai:gpt-4o | code runs confined]\n")
    thread = done.err.splitlines()[-1].split()[-1]
    assert done.err.endswith(f"thread: {thread}, go on with --thread {thread}\n")
    assert served(server.base_url).run("threads", "show", thread).status == 0


def test_a_thread_that_is_named_is_begun_and_then_gone_on_with(served):
    with ModelServer(["One.", "Two."]) as server:
        shell = served(server.base_url)
        first = shell.run("ask", "foo.py", "first", "--thread", "t1")
        second = shell.run("ask", "foo.py", "second", "--thread", "t1")

    assert (first.status, second.status) == (0, 0)
    said = [message["content"] for message in server.requests[1].body["messages"][1:4]]
    assert said == ["first", "One.", "second"]


def test_a_thread_of_another_target_is_refused_as_wrong_usage(served):
    with ModelServer(["One."]) as server:
        shell = served(server.base_url)
        shell.write("bar.py", "")
        shell.run("ask", "foo.py", "first", "--thread", "t1")
        done = shell.run("ask", "bar.py", "second", "--thread", "t1")

    assert done.status == 2
    assert done.err.splitlines()[0].startswith("error: Thread 't1' belongs to ")
    assert done.out == ""


def test_json_prints_whole_messages_and_nothing_else(served):
    with ModelServer([PLUS, "It is 5."]) as server:
        done = served(server.base_url).run("ask", "foo.py", "2 plus 3?", "--json")

    assert done.status == 0
    keys = ["seq", "id", "thread", "turn", "round", "parent", "role", "type", "content", "data", "status", "created_at"]
    assert all(list(message) == keys for message in done.messages)
    assert [(message["role"], message["type"], message["content"]) for message in done.messages] == [
        ("system", "state", "openai:gpt-4o"),
        ("assistant", "text", "Let me see.\n"),
        ("assistant", "code", "print(plus(2, 3))\n"),
        ("environment", "output", "5"),
        ("assistant", "text", "It is 5."),
    ]
    assert [message["seq"] for message in done.messages] == sorted({message["seq"] for message in done.messages})


def test_deltas_of_a_message_add_up_to_it(served):
    with ModelServer(["One two three four."]) as server:
        done = served(server.base_url).run("ask", "foo.py", "count", "--json", "--deltas")

    deltas = [line for line in done.messages if "delta" in line]
    whole = done.messages[-1]
    assert all(list(delta) == ["seq", "offset", "delta"] for delta in deltas)
    assert "".join(delta["delta"] for delta in deltas) == whole["content"] == "One two three four."
    assert deltas[1]["offset"] == len(deltas[0]["delta"])


def test_in_a_pipe_each_message_of_the_answer_is_printed_when_it_is_whole(served):
    more = StreamReply(text="second third fourth fifth", delay_s=0.3)
    with ModelServer([f"first\n{PLUS.partition(chr(10))[2]}", more]) as server:
        process = served(server.base_url).start("ask", "foo.py", "slowly")
        began = process.stdout.readline()
        was_running = process.poll() is None
        rest, _ = process.communicate(timeout=30)

    assert (began, was_running) == ("first\n", True)
    assert began + rest == f"first\n{more.text}\n"


def test_an_answer_that_was_cut_and_asked_for_again_is_on_stdout_once(served):
    with ModelServer([StreamReply(text="It is five", cut_after=2), "It is 5."]) as server:
        shell = served(server.base_url)
        settings = shell.workspace / "configs" / "ghostos.toml"
        settings.write_text(settings.read_text().replace("model_retries = 0", "model_retries = 1"))
        done = shell.run("ask", "foo.py", "what is 2 plus 3?")

    assert (done.status, done.out) == (0, "It is 5.\n")
    assert "cut    │ It is\n" in done.err


def test_a_message_is_read_from_stdin(served):
    with ModelServer(["Read."]) as server:
        done = served(server.base_url).run("ask", "foo.py", "-", typed="two\nlines\n")

    assert done.status == 0
    assert server.requests[0].body["messages"][1]["content"] == "two\nlines\n"


def test_control_and_bidirectional_characters_of_a_model_are_shown_not_obeyed(served):
    code = "<moss>\nprint('\\x1b]0;title\\x07')  # \u202e\n</moss>"
    with ModelServer([code, "red \x1b[31m and \u202eback"]) as server:
        done = served(server.base_url).run("ask", "foo.py", "hi")

    assert done.out == "red \\x1b[31m and \\u202eback\n"
    assert "output │ \\x1b]0;title\\x07" in done.err
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out + done.err)


def test_a_reader_who_leaves_does_not_end_the_turn(served):
    words = " ".join(f"word{number}" for number in range(60))
    with ModelServer([StreamReply(text=words, delay_s=0.01)]) as server:
        shell = served(server.base_url)
        process = shell.start("ask", "foo.py", "talk", "--thread", "t1")
        process.stdout.read(5)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        status = process.wait(60)

    assert (status, "Traceback" in err) == (0, False)
    assert shell.run("threads", "export", "t1").messages[-1]["content"] == words


def test_code_that_fails_three_times_in_a_row_ends_the_turn_with_status_1(served):
    with ModelServer(["<moss>\n1 / 0\n</moss>"] * 3) as server:
        done = served(server.base_url).run("ask", "foo.py", "divide")

    assert done.status == 1
    assert done.err.count("failed │ ZeroDivisionError") == 3
    assert "error: Stopped: the code failed 3 times in a row." in done.err


def test_a_task_that_its_ghost_gives_up_is_a_failure(served):
    with ModelServer(["<moss>\nmoss.flow.fail('no way')\n</moss>"]) as server:
        done = served(server.base_url).run("ask", "foo.py", "do it")

    assert done.status == 1
    assert "error: The ghost gave its task up: no way" in done.err


def test_a_refusal_of_the_model_is_two_lines_and_the_thread_can_go_on(served):
    with ModelServer([ErrorReply(status=401, message="no such key"), "Hello."]) as server:
        shell = served(server.base_url)
        refused = shell.run("ask", "foo.py", "hi", "--thread", "t1")
        again = shell.run("ask", "foo.py", "hi again", "--thread", "t1")

    assert refused.status == 1
    error = [line for line in refused.err.splitlines() if not line.startswith("[")]
    assert len(error) == 2
    assert error[0].startswith("error: The key was refused by openai:gpt-4o")
    assert (again.status, again.out) == (0, "Hello.\n")


def test_debug_adds_the_traceback_and_never_the_key(served):
    with ModelServer([ErrorReply(status=500)]) as server:
        shell = served(server.base_url)
        done = shell.run("ask", "foo.py", "hi", "--debug")

    assert "Traceback (most recent call last)" in done.err
    assert shell.variables["OPENAI_API_KEY"] not in done.err
    assert "error: The service failed: openai:gpt-4o" in done.err


def test_the_key_is_in_no_file_of_the_workspace(served):
    with ModelServer([PLUS, ErrorReply(status=401, message="bad key")]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi")

    key = shell.variables["OPENAI_API_KEY"].encode()
    files = [path for path in shell.workspace.rglob("*") if path.is_file()]
    assert any(path.name == "ghostos.db" for path in files)
    assert [path for path in files if key in path.read_bytes()] == []


def test_without_a_key_a_target_with_a_rehearsal_plays_it_and_says_so(shell):
    del shell.variables["OPENAI_API_KEY"]
    shell.write(
        "foo.rehearsal.yaml",
        "version: 1\nscenes:\n- id: hello\n  when: [hello]\n  rounds: [{say: Hi there.}]\notherwise: {say: What?}\n",
    )
    done = shell.run("ask", "foo.py", "hello")

    assert (done.status, done.out) == (0, "Hi there.\n")
    assert done.err.startswith("[rehearsal: recorded replies, no model | code runs confined]\n")


def test_stdout_that_cannot_be_written_is_an_error(served):
    with ModelServer(["Hello."]) as server:
        shell = served(server.base_url)
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                check=False,
                args=shell.command("ask", "foo.py", "hi"),
                cwd=shell.folder,
                env=shell.variables,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
            )

    assert done.returncode == 1
    assert b"error: The output cannot be written: No space left on device." in done.stderr
    assert b"Traceback" not in done.stderr
