"""What a run prints, told while it runs."""

import textwrap
import threading
import time

import pytest

from ghostos_container import Container
from ghostos_moss import ModuleSession

GATES = """
    class Gate:
        def wait(self, text: str) -> bool:
            '''Whether that was told.'''

        def pass_time(self) -> None:
            '''Return after more looks than one.'''

        def stop(self) -> None:
            '''Cancel the run.'''
"""
AGENT = """
    import time
    from {gates} import Gate
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        gate: Gate
"""


class Told:
    """What was told; waits for a text in it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._news = threading.Condition()

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def add(self, text: str) -> None:
        with self._news:
            self.texts.append(text)
            self._news.notify_all()

    def wait(self, text: str) -> bool:
        with self._news:
            return self._news.wait_for(lambda: text in self.text, timeout=20)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def session(open_session, write_module, told) -> ModuleSession:
    gates = write_module(GATES)

    class RealGate(__import__(gates).Gate):
        def wait(self, text: str) -> bool:
            print("asked for", text)  # noqa: T201 - objects of the host print, too
            return told.wait(text)

        def pass_time(self) -> None:
            time.sleep(0.5)

        def stop(self) -> None:
            opened[0].cancel()

    opened: list[ModuleSession] = []
    container = Container()
    container.set(__import__(gates).Gate, RealGate())
    opened.append(open_session(AGENT.format(gates=gates), container=container))
    return opened[0]


def test_what_is_printed_is_told_while_the_code_goes_on(session, told):
    code = """
        for number in range(3):
            print("number", number)
            assert moss.gate.wait(f"number {number}")
    """
    result = session.run(textwrap.dedent(code), on_output=told.add)
    assert (result.status, result.error) == ("ok", None)
    assert told.texts[-1] == result.std_output
    assert told.texts[0] == "number 0\nasked for number 0\n"


def test_of_much_the_end_is_told(session, told):
    code = "for number in range(90_000): print(number)\nmoss.gate.wait('89999')"
    result = session.run(code, on_output=told.add)
    assert "lines left out" in result.std_output
    last = told.texts[-1]
    assert (last[0], len(last)) == ("…", 2001)
    assert last.endswith("89998\n89999\nasked for 89999\n")


def test_blank_lines_alone_are_nothing_to_see(session, told):
    code = "print()\nprint(end='')\nmoss.gate.pass_time()\nprint('x')\nmoss.gate.wait('x')"
    assert session.run(code, on_output=told.add).status == "ok"
    assert told.texts[0].strip().startswith("x")


def test_what_cannot_be_sent_is_written_out(session, told):
    assert session.run("print('\\udcff' * 900)\nmoss.gate.wait('udcff')", on_output=told.add).status == "ok"
    assert (told.texts[0][0], len(told.texts[0])) == ("…", 2001)
    assert told.texts[0][1:].isascii()


def test_of_a_run_that_is_over_at_once_nothing_is_told(session, told):
    for _ in range(10):
        assert session.run("print('x')", on_output=told.add).duration_s < 0.1
    assert told.texts == []


@pytest.mark.parametrize("how", ["error", "interrupted"])
def test_nothing_is_told_once_a_run_is_over_however_it_ends(session, told, how):
    ends = {"error": "1 / 0", "interrupted": "moss.gate.stop()\nwhile True: time.sleep(0.01)"}
    result = session.run(f"print('so far')\nmoss.gate.wait('so far')\n{ends[how]}", on_output=told.add)
    count = len(told.texts)
    assert result.status == how
    assert session.run("print('again')\nmoss.gate.pass_time()").std_output == "again\n"  # nobody asked
    assert len(told.texts) == count


def test_who_listens_may_print_fail_be_slow_or_use_the_session(session, capfd, caplog):
    calls = []

    def listen(text):
        calls.append(text)
        print("heard", text)  # noqa: T201 - it is none of the code's
        assert session.values() == {}
        session.cancel()
        raise OSError("no screen")

    result = session.run("print('a')\nwhile True: time.sleep(0.01)", on_output=listen)
    assert (result.status, result.std_output, calls) == ("interrupted", "a\n", ["a\n"])
    assert capfd.readouterr().out == "heard a\n\n"
    assert "no screen" in caplog.text
    assert session.run("print('b')\nmoss.gate.pass_time()", on_output=print).std_output == "b\n"
    assert capfd.readouterr().out == "b\n\n"


def test_of_two_runs_at_once_each_is_told_to_who_asked_for_it(session, told):
    other = Told()
    first = threading.Thread(
        target=session.run, args=("print('first')\nmoss.gate.wait('first')",), kwargs={"on_output": told.add}
    )
    first.start()
    told.wait("first")
    session.run("print('second')\nmoss.gate.pass_time()", on_output=other.add)
    first.join()
    assert "second" not in told.text
    assert set(other.texts) == {"second\n"}
