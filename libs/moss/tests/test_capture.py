import contextlib
import sys
import threading

import pytest

from ghostos_moss import new_compiler
from ghostos_moss.errors import CodeRaisedError


@pytest.fixture
def runtime(write_module):
    with new_compiler().compile(write_module("import sys\n")) as runtime:
        yield runtime


def printed(runtime, code: str) -> str:
    return runtime.execute(code=code).std_output


def test_both_streams_are_captured_in_order(runtime, capsys):
    code = (
        "print('a')\nprint('b', file=sys.stderr)\nsys.stdout.buffer.write(b'c\\n')\nsys.stdout.writelines(['d', 'e'])"
    )
    assert printed(runtime, code) == "a\nb\nc\nde"
    assert capsys.readouterr() == ("", "")


def test_the_real_streams_are_back_afterwards(runtime):
    before = (sys.stdout, sys.stderr, sys.stdin)
    printed(runtime, "print(1)")
    with pytest.raises(CodeRaisedError):
        runtime.execute(code="1 / 0")
    assert (sys.stdout, sys.stderr, sys.stdin) == before


def test_output_is_there_when_the_code_raised(runtime):
    with pytest.raises(CodeRaisedError) as caught:
        runtime.execute(code="print('one')\nprint('two')\n1 / 0")
    assert caught.value.std_output == runtime.dump_std_output() == "one\ntwo\n"


def test_each_execution_starts_with_empty_output(runtime):
    assert printed(runtime, "print('first')") == "first\n"
    assert printed(runtime, "pass") == ""


def test_a_flood_keeps_head_and_tail_and_says_how_much_is_missing(runtime):
    text = printed(runtime, "for i in range(90000): print('line', i)")
    lines = text.splitlines()
    assert (lines[0], lines[-1]) == ("line 0", "line 89999")
    marker = next(line for line in lines if line.startswith("…"))
    assert marker == f"… {90000 - (len(lines) - 1):,} of 90,000 lines left out …"
    assert len(text) < 8000


def test_many_small_pieces_count_as_much_as_one_large(runtime):
    pieces = printed(runtime, "for i in range(90000):\n    sys.stdout.write('line ')\n    print(i)")
    assert pieces == printed(runtime, "sys.stdout.write(''.join(f'line {i}\\n' for i in range(90000)))")


def test_nothing_of_what_threads_of_the_run_print_is_lost(runtime):
    code = (
        "import contextvars, threading\n"
        "def work(n):\n    for i in range(200): print(n, end=' ')\n"
        "threads = [threading.Thread(target=contextvars.copy_context().run, args=(work, n)) for n in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    text = printed(runtime, code)
    assert {n: text.count(str(n)) for n in range(8)} == dict.fromkeys(range(8), 200)  # a print writes in pieces


def test_one_endless_line_is_cut_by_characters(runtime):
    text = printed(runtime, "print('x' * 1_000_000, end='')")
    assert len(text) < 8000
    assert "of 1,000,000 characters left out" in text


def test_short_output_is_left_as_it_is(runtime):
    assert printed(runtime, "print('x' * 6990)") == "x" * 6990 + "\n"


def test_text_that_utf8_cannot_say_is_escaped(runtime):
    assert printed(runtime, "print('a\\ud800é')") == "a\\ud800é\n"


def test_writing_something_else_than_text_is_a_type_error(runtime):
    with pytest.raises(CodeRaisedError, match="TypeError: write\\(\\) argument must be str, not int"):
        runtime.execute(code="sys.stdout.write(3)")


def test_redirection_inside_the_code_works(runtime):
    redirect = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as held: print('in')\n"
    assert printed(runtime, redirect + "print(held.getvalue())") == "in\n\n"
    assert "moss" not in type(sys.stdout).__module__


def test_the_code_cannot_close_or_reach_the_real_streams(runtime, capsys):
    assert printed(runtime, "sys.stdout.close()\nsys.stdout.flush()\nprint(sys.stdout.isatty())") == "False\n"
    with pytest.raises(CodeRaisedError, match="UnsupportedOperation"):
        runtime.execute(code="sys.stdout.fileno()")
    print("still open")  # noqa: T201 - what is tested
    assert capsys.readouterr().out == "still open\n"


@pytest.mark.parametrize("code", ["input()", "sys.stdin.read()", "for line in sys.stdin: pass", "sys.stdin.buffer"])
def test_reading_is_refused_and_never_hangs(runtime, code):
    with pytest.raises(CodeRaisedError):
        runtime.execute(code=code)


def test_runs_in_two_threads_never_mix_and_other_threads_print_as_always(write_module, capsys):
    name = write_module("")
    barrier = threading.Barrier(3)
    outputs: dict[str, str] = {}

    def run(word: str) -> None:
        with new_compiler().with_locals(barrier=barrier, word=word).compile(name) as runtime:
            outputs[word] = printed(runtime, "for i in range(50):\n    barrier.wait()\n    print(word)")

    def outside() -> None:
        for _ in range(50):
            barrier.wait()
            print("outside")  # noqa: T201 - what is tested

    threads = [threading.Thread(target=run, args=(word,)) for word in ("one", "two")]
    threads.append(threading.Thread(target=outside))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == {"one": "one\n" * 50, "two": "two\n" * 50}
    assert capsys.readouterr().out == "outside\n" * 50


@pytest.mark.parametrize("end", ["", "1 / 0"])
def test_code_cannot_keep_the_streams_of_the_process(runtime, end):
    before = (sys.stdout, sys.stderr, sys.stdin)
    code = f"import io\nsys.stdout = sys.stderr = io.StringIO()\nsys.stdin = None\nprint('in')\n{end}"
    with pytest.raises(CodeRaisedError) if end else contextlib.nullcontext():
        runtime.execute(code=code)
    assert (sys.stdout, sys.stderr, sys.stdin) == before
    assert printed(runtime, "print('seen')") == "seen\n"


def test_run_that_ends_takes_its_stream_away_from_a_run_that_goes_on(write_module):
    before = sys.stdout
    name = write_module("import io, sys\n")
    taken, ended = threading.Event(), threading.Event()
    outputs: list[str] = []

    def go_on() -> None:
        with new_compiler().with_locals(taken=taken, ended=ended).compile(name) as runtime:
            outputs.append(printed(runtime, "taken.set()\nended.wait(10)\nprint('mine')"))

    thread = threading.Thread(target=go_on)
    thread.start()
    assert taken.wait(10)
    with new_compiler().compile(name) as runtime:
        runtime.execute(code="sys.stdout = io.StringIO()")
    ended.set()
    thread.join()
    assert outputs == ["mine\n"]
    assert sys.stdout is before


def test_run_within_a_redirection_of_another_leaves_it_in_place(runtime, write_module):
    with new_compiler().compile(write_module("")) as inner:
        runtime.locals()["inner"] = inner
        code = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as held:\n"
        code += "    text = inner.execute(code='print(1)').std_output\n    print('held')\n"
        assert printed(runtime, code + "print(repr(text), repr(held.getvalue()))") == "'1\\n' 'held\\n'\n"
