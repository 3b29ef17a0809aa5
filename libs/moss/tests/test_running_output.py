"""What a run prints, told while it runs."""

import textwrap
import threading

import pytest

from ghostos_container import Container
from ghostos_moss import ModuleSession

GATES = """
    class Gate:
        def wait(self, text: str) -> bool:
            '''Whether that was told.'''
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
        self.text = ""
        self._news = threading.Condition()

    def add(self, text: str) -> None:
        with self._news:
            self.text += text
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

    container = Container()
    container.set(__import__(gates).Gate, RealGate())
    return open_session(AGENT.format(gates=gates), container=container)


def test_what_is_printed_is_told_while_the_code_goes_on(session, told):
    code = """
        for number in range(3):
            print("number", number)
            assert moss.gate.wait(f"number {number}\\n")
    """
    result = session.run(textwrap.dedent(code), on_output=told.add)
    assert (result.status, result.error) == ("ok", None)
    assert told.text == result.std_output
    assert told.text.startswith("number 0\nasked for number 0\n")


def test_what_the_result_leaves_out_is_told(session, told):
    result = session.run("for number in range(9000): print(number)", on_output=told.add)
    assert "lines left out" in result.std_output
    assert told.text == "".join(f"{number}\n" for number in range(9000))


@pytest.mark.parametrize(
    ("code", "status"),
    [("print('so far')\n1 / 0", "error"), ("print('so far')\nwhile True: time.sleep(0.01)", "interrupted")],
)
def test_what_was_printed_before_the_end_is_told_however_that_comes(session, told, code, status):
    result = session.run(code, timeout_s=0.5, on_output=told.add)
    assert (result.status, told.text) == (status, "so far\n")
    told.text = ""
    assert session.run("print('again')").std_output == "again\n"
    assert told.text == ""  # nobody asked


def test_who_fails_at_being_told_does_not_disturb_the_run(session, caplog):
    calls = []

    def fail(text):
        calls.append(text)
        raise OSError("no screen")

    result = session.run("print('a')\nmoss.gate.wait('')\nprint('b')", on_output=fail)
    assert (result.status, result.std_output) == ("ok", "a\nasked for \nb\n")
    assert len(calls) == 1
    assert "no screen" in caplog.text


def test_a_run_can_be_cancelled_from_what_it_prints(session):
    result = session.run("while True: print('x')", on_output=lambda _: session.cancel())
    assert result.status == "interrupted"
