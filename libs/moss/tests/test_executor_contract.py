"""What every executor must do. Another one joins in the fixture `executor` of `conftest.py`."""

import os
import threading
import time

import pytest

from ghostos_container import Container
from ghostos_moss import OffExecutor, PyContext, parse_source
from ghostos_moss.errors import ClosedError, CompileError, InjectionError


def test_statements_run(session):
    result = session.run("moss.basket.append(Item(name='tea', price=3))\nprint(total(moss))")
    assert (result.status, result.std_output, result.returns, result.returns_text) == ("ok", "3\n", None, "")
    assert (result.error, result.notes, result.pycontext.code) == (None, (), None)
    assert result.duration_s > 0


def test_run_is_called_with_moss_and_its_result_is_encoded_and_shown(session):
    result = session.run("def run(moss):\n    return Item(name=moss.till.pay(5), price=0)")
    assert result.returns == {"$type": "obj", "class": "Item", "value": {"name": "paid 5", "price": 0}}
    assert result.returns_text == "Item(name='paid 5', price=0)"


def test_async_run_and_main_are_called(session):
    assert session.run("async def run(moss): return 1").returns == 1
    assert session.run("def main(moss): return 2").returns == 2
    assert session.run("def main(moss): return 2\ndef run(): return 3").returns == 3


def test_a_result_that_cannot_be_stored_is_shown_without_addresses(session):
    result = session.run("class Odd: pass\ndef run(moss): return Odd()")
    assert (result.status, result.returns) == ("ok", None)
    assert "Odd object" in result.returns_text
    assert " at 0x" not in result.returns_text
    assert "__moss_" not in result.returns_text


@pytest.mark.parametrize(
    "body",
    [
        "raise OSError",
        "raise SystemExit",
        "return 'x' * 10**6",
        "return '\\ud800'",
        "print('no')",
        "all(True for _ in iter(int, 1))",
    ],
)
def test_hostile_and_endless_reprs_are_bounded(session, body):
    result = session.run(f"class Odd:\n    def __repr__(self): {body}\ndef run(moss): return Odd()")
    assert result.status == "ok"
    assert len(result.returns_text) < 3000
    assert "Odd" in result.returns_text or len(result.returns_text) > 5
    result.returns_text.encode()


@pytest.mark.parametrize("body", ["raise SystemExit", "all(True for _ in iter(int, 1))", "return 3"])
def test_hostile_messages_of_exceptions_are_named(session, body, capsys):
    result = session.run(f"class Odd(Exception):\n    def __str__(self): {body}\nraise Odd")
    assert result.status == "error"
    assert (result.error or "").startswith("Odd: (its message cannot be shown")


def test_a_class_that_the_code_breaks_does_not_break_the_session(session):
    session.run("moss.basket.append(Item(name='tea'))")
    result = session.run("moss.basket.clear()\nItem.__pydantic_validator__ = None\n1 / 0")
    assert result.status == "error"
    assert session.values()["basket"]
    assert session.run("print('alive')").std_output == "alive\n"


def test_values_are_committed_by_each_run(session):
    assert session.values() == {"basket": [], "count": 0}
    result = session.run("moss.count = 1")
    assert result.pycontext.values == session.values() == {"basket": [], "count": 1}


def test_code_that_raises_is_rolled_back_and_explained(session):
    session.run("moss.count = 1")
    result = session.run("print('before')\nmoss.count = 2\n1 / 0")
    assert (result.status, result.std_output) == ("error", "before\n")
    assert result.error is not None
    assert "ZeroDivisionError: division by zero\n  line 3: 1 / 0" in result.error
    assert "not saved" in result.error
    assert result.pycontext.values == session.values() == {"basket": [], "count": 1}
    assert session.run("print(moss.count)").std_output == "1\n"


def test_code_with_mistakes_is_rejected_before_anything_runs(session):
    code = "print('never')\nmoss.cuont\nmoss.till.pay()"
    result = session.run(code)
    assert (result.status, result.std_output) == ("rejected", "")
    assert "did you mean moss.count?" in (result.error or "")
    assert len(session.check(code)) == 2
    assert session.check("moss.count += 1") == ()
    assert session.check("1 +")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import sys; sys.exit(0)", "error"),
        ("exit()", "error"),
        ("raise KeyboardInterrupt", "interrupted"),
        ("raise SystemExit", "error"),
        ("raise BaseException('x')", "error"),
        ("def f(): f()\nf()", "error"),
        ("input()", "error"),
        ("for i in range(200000): print(i)", "ok"),
        ("moss.till = None", "error"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "error"),
        ("moss.bad = lambda: 0", "ok"),
        ("moss.count = float('nan')", "ok"),
        ("(" * 3000, "rejected"),
    ],
)
def test_whatever_code_does_run_returns_and_the_session_lives_on(session, code, status):
    result = session.run(code)
    assert result.status == status
    assert (result.error is None) == (status == "ok")
    assert len(result.std_output) < 10_000
    assert session.run("print('alive')").std_output == "alive\n"


def test_a_run_out_of_time_is_interrupted_and_rolled_back(session):
    result = session.run("moss.count = 5\nprint('on my way')\nwhile True: pass", timeout_s=0.1)
    assert (result.status, result.std_output) == ("interrupted", "on my way\n")
    assert "ran longer than 0.1 s" in (result.error or "")
    assert session.values()["count"] == 0
    assert session.run("print('alive')", timeout_s=30).status == "ok"


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("count = 1\nwhile True: pass", "line 2: while True: pass"),
        (
            "def spin():\n    while True:\n        try: spin_on()\n        except BaseException: pass\n"
            "def spin_on():\n    while True: pass\nspin()",
            "line 6, in spin_on: while True: pass",
        ),
        (
            "import asyncio\nasync def run(moss):\n    await asyncio.sleep(60)",
            "line 3, in run: await asyncio.sleep(60)",
        ),
    ],
)
def test_who_is_out_of_time_is_told_where_it_was(session, code, place):
    result = session.run(code, timeout_s=0.2)
    assert result.status == "interrupted"
    assert place in result.error


def test_code_that_is_stopped_can_clean_up(session):
    loop = "moss.count = 1\n        while True: moss.count += 1"  # a loop alone may end outside its try
    code = f"def run(moss):\n    try:\n        {loop}\n    finally:\n        print('cleaned up')"
    result = session.run(code, timeout_s=0.2)
    assert (result.status, result.std_output) == ("interrupted", "cleaned up\n")


@pytest.fixture
def open_pump(open_session, write_module):
    library = write_module("""
        from ghostos_moss import Body

        class Pump(Body):
            def run(self, seconds: float) -> None: ...
            def stop(self) -> None: ...
    """)
    source = f"""
        from {library} import Pump
        from ghostos_moss import Moss as Parent

        class Moss(Parent):
            pump: Pump
    """

    class RealPump(__import__(library).Pump):
        def __init__(self):
            self.does = []
            self.fault = None
            self.gate = threading.Event()
            self.gate.set()

        def run(self, seconds):
            self.gate.wait(10)
            self.does.append("run")

        def stop(self):
            self.does.append("stop")
            if self.fault is not None:
                raise self.fault

    def open_it():
        pump, container = RealPump(), Container()
        container.set(__import__(library).Pump, pump)
        return open_session(source, container=container), pump

    return open_it


def test_a_body_comes_to_rest_when_its_code_is_stopped(open_pump):
    session, pump = open_pump()
    assert session.run("moss.pump.run(60)").status == "ok"
    assert session.run("moss.pump.run(60)\n1 / 0").status == "error"
    assert pump.does == ["run", "run"]  # what it was told it does, also when code failed later
    result = session.run("moss.pump.run(60)\nwhile True: pass", timeout_s=0.2)
    assert pump.does == ["run", "run", "run", "stop"]
    assert "moss.pump was stopped" in result.notes
    thread = threading.Thread(target=session.run, args=("moss.pump.run(60)\nwhile True: pass",))
    thread.start()
    while len(pump.does) < 5:
        time.sleep(0.01)
    session.cancel()
    thread.join(10)
    assert pump.does[4:] == ["run", "stop"]


def test_a_body_comes_to_rest_when_the_process_of_its_code_ends(open_pump, executor):
    if isinstance(executor, OffExecutor):
        pytest.skip("it would end this process")
    session, pump = open_pump()
    result = session.run("import os\nmoss.pump.run(60)\nos._exit(1)")
    assert result.status == "error"
    assert pump.does == ["run", "stop"]
    assert "moss.pump was stopped" in result.notes


def test_a_call_that_ends_after_its_code_leaves_no_body_in_motion(open_pump, executor):
    if isinstance(executor, OffExecutor):
        pytest.skip("it would end this process")
    session, pump = open_pump()
    pump.gate.clear()
    drives = "threading.Thread(target=moss.pump.run, args=(60,)).start()"
    assert session.run(f"import os, threading, time\n{drives}\ntime.sleep(0.2)\nos._exit(1)").status == "error"
    assert pump.does == ["stop"]
    pump.gate.set()
    deadline = time.monotonic() + 10
    while len(pump.does) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert pump.does == ["stop", "run", "stop"]


def test_a_body_that_cannot_stop_is_said_to(open_pump):
    session, pump = open_pump()
    pump.fault = OSError("no radio")
    result = session.run("while True: pass", timeout_s=0.2)
    assert "moss.pump could not be stopped: OSError: no radio" in result.notes


def test_cancel_ends_the_run_in_progress(session):
    session.cancel()  # none: nothing happens
    results = []
    thread = threading.Thread(target=lambda: results.append(session.run("while True: pass")))
    thread.start()
    while not results:
        session.cancel()
        thread.join(timeout=0.01)
    thread.join()
    assert results[0].status == "interrupted"
    assert "cancelled" in results[0].error
    assert session.run("1").status == "ok"


def test_cancelling_when_nothing_runs_does_nothing(session):
    session.run("print(1)")
    session.cancel()
    assert session.run("print(2)").std_output == "2\n"


def test_notes_say_what_could_not_be_stored_or_restored(open_session):
    context = PyContext(values={"old": {"$type": "obj", "class": "Gone", "value": {}}})
    session = open_session(pycontext=context)
    result = session.run("moss.tool = print\nmoss.coumt = 1")
    assert [note.split()[0] for note in result.notes] == ["moss.old", "moss.tool", "moss.coumt"]
    assert result.pycontext.values["old"] == context.values["old"]
    assert session.run("1").notes == ()


def test_values_of_the_context_are_restored(open_session):
    first = open_session()
    result = first.run("moss.basket.append(Item(name='tea', price=3))")
    second = open_session(pycontext=PyContext(values=result.pycontext.values))
    assert second.run("print(moss.basket[0].price + total(moss))").std_output == "6\n"


def test_code_of_the_context_runs_in_place_of_the_source(open_session):
    session = open_session(pycontext=PyContext(code="edited = True"))
    assert session.run("print(edited)").std_output == "True\n"
    assert session.run("1").pycontext.code == "edited = True"


def test_injections_win_and_may_be_unknown_to_the_class(open_session):
    class OtherTill:
        def pay(self, amount: int) -> str:
            return f"other {amount}"

    session = open_session(injections={"till": OtherTill(), "extra": OtherTill()})
    assert session.run("print(moss.till.pay(1), moss.extra.pay(2))").std_output == "other 1 other 2\n"
    assert session.values().keys() == {"basket", "count"}


def test_source_that_is_in_no_file_can_be_opened(executor):
    source = parse_source("x = 5", name="note")
    session = executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    assert session.run("print(x)").std_output == "5\n"
    assert "x = 5" in session.prompt()
    session.close()
    session.close()


def test_the_prompt_is_the_source_and_obeys_the_level(open_session):
    source = "from textwrap import dedent\nfrom ghostos_container import Container\nx = 1"
    assert "x = 1" in open_session(source).prompt()
    full, short = (open_session(source, level=level).prompt() for level in ("full", "no_docs"))
    assert len(short) < len(full)


def test_opening_what_cannot_be_compiled_or_injected_raises(open_session):
    with pytest.raises(CompileError):
        open_session("1 / 0")
    with pytest.raises(InjectionError):
        open_session("from ghostos_moss import Moss as Parent\nclass Moss(Parent):\n    till: int\n")


def test_a_closed_session_says_so(session):
    session.close()
    with pytest.raises(ClosedError):
        session.run("1")


def test_the_container_that_was_given_is_neither_changed_nor_closed(open_session):
    container = Container()
    session = open_session(container=container)
    session.close()
    assert container.contracts() == []
    container.set(int, 1)


LOG = "from ghostos_moss import Moss as Parent\n\nclass Moss(Parent):\n    log: list[str] = []\n"


def test_several_blocks_run_in_order_as_one_run(open_session):
    session = open_session(LOG)
    result = session.run(
        "def run(moss):\n    moss.log.append('one')\n    return 1",
        "moss.log.append('two')\nprint(moss.log)",
        "def main(moss):\n    moss.log.append('three')",
    )
    assert (result.status, result.returns, result.std_output) == ("ok", 1, "['one', 'two']\n")
    assert result.pycontext.values == {"log": ["one", "two", "three"]}


def test_a_block_that_fails_stops_the_rest_and_all_is_rolled_back(open_session):
    session = open_session(LOG)
    result = session.run("moss.log.append('one')", "1 / 0", "moss.log.append('three')")
    assert (result.status, result.pycontext.values) == ("error", {"log": []})


def test_blocks_are_checked_together_before_the_first_one_runs(open_session):
    session = open_session(LOG)
    result = session.run("one = 1\nprint('ran')", "print(one)\nprint(two)")
    assert (result.status, result.std_output) == ("rejected", "")
    assert session.run("one = 1", "print(one)").std_output == "1\n"


EDITABLE = """
    from ghostos_moss import Moss as Parent
    from ghostos_moss import SelfUpdater

    class Moss(Parent):
        updater: SelfUpdater
        count: int = 0

    def double(number):
        return 2 * number

    def test_double():
        assert double(2) == 4
"""


def test_an_edit_is_tried_out_and_what_survives_of_the_run(open_session):
    session = open_session(EDITABLE)
    result = session.run(
        "moss.updater.append('def triple(number):\\n    return 3 * number')\nprint(moss.updater.diff())"
    )
    assert result.error is None
    assert "+def triple(number):" in result.std_output
    assert [version.note for version in result.pycontext.versions][-1] == "append triple"
    assert any("your next reply works with version" in note for note in result.notes)
    following = open_session(EDITABLE, pycontext=result.pycontext)
    assert following.run("print(triple(4), len(moss.updater.versions()))").std_output == "12 2\n"
    assert "def triple" in following.prompt()


def test_an_edit_that_breaks_a_test_is_refused_with_why(open_session):
    session = open_session(EDITABLE)
    result = session.run("moss.updater.replace('double', 'def double(number):\\n    return number')")
    assert result.status == "error"
    assert "test_double failed: AssertionError" in (result.error or "")
    assert result.pycontext.code is None
    assert session.run("print(double(4))").std_output == "8\n"


def test_edits_of_a_run_that_fails_are_undone(open_session):
    session = open_session(EDITABLE)
    assert session.run("moss.updater.append('x = 1')\n1 / 0").status == "error"
    result = session.run("print(moss.updater.diff() == '')")
    assert (result.std_output, result.pycontext.code) == ("True\n", None)


def test_an_edit_that_a_test_makes_is_refused(open_session):
    session = open_session(EDITABLE)
    code = "def test_edit(moss):\n    moss.updater.append('y = 1')"
    result = session.run(f"moss.updater.append({code!r})")
    assert result.status == "error"
    assert "test_edit failed" in (result.error or "")


def test_a_type_that_is_shown_and_not_imported_is_to_be_imported(open_session, write_module):
    library = write_module("""
        from abc import ABC, abstractmethod
        from pydantic import BaseModel

        class Color(BaseModel):
            red: int = 0

        class Lamp(ABC):
            @abstractmethod
            def show(self, color: Color) -> None: ...
    """)
    session = open_session(f"""
        from {library} import Lamp
        from ghostos_moss import Moss as Parent

        class Moss(Parent):
            lamp: Lamp | None = None
    """)
    assert "class Color" in session.prompt()
    assert f"'Color' is not defined: import it: from {library} import Color" in (
        session.run("Color(red=1)").error or ""
    )
    assert session.run(f"from {library} import Color\nprint(Color(red=1))").std_output == "red=1\n"


@pytest.mark.parametrize("taken", ["describe", "flow"])
@pytest.mark.parametrize("form", ["{}: str = ''", "def {}(self): ...", "{}: int"])
def test_names_that_moss_has_itself_are_refused_by_the_name_of_the_file(executor, taken, form):
    text = f"from ghostos_moss import Moss as Parent\nclass Moss(Parent):\n    {form.format(taken)}\n"
    with pytest.raises(CompileError, match=rf"^mine: its Moss has an attribute {taken}, .*rename it$"):
        executor.open(
            parse_source(text, name="mine", filename="<mine>"),
            pycontext=PyContext(),
            container=Container(),
            injections={"flow": 3} if taken == "flow" else {},
        )


SPEAKING = """
    import os
    from ghostos_moss import Moss as Parent

    class Lamp:
        def switch(self, text: str) -> None: ...

    class Moss(Parent):
        lamp: Lamp
        mute: Lamp
        count: int = 0

    class SpeakingLamp(Lamp):
        text = "dark"

        def switch(self, text):
            self.text = text

        def __prompt__(self):
            if self.text == "broken":
                raise ValueError("the key is 123")
            if self.text == "nothing":
                return None
            return f"{os.getpid()}: {self.text}" if self.text == "where" else self.text

    def __moss_compile__(compiler):
        compiler.injects(lamp=SpeakingLamp(), mute=Lamp())
"""


@pytest.fixture
def lamp(open_session):
    """Switches the lamp, and returns what injected objects then say."""
    session = open_session(SPEAKING)

    def switch(text):
        assert session.run(f"moss.lamp.switch({text!r})").status == "ok"
        return session.injected_prompts()

    return switch


def test_injected_objects_say_how_they_are_each_time_they_are_asked(open_session, lamp):
    assert open_session(SPEAKING).injected_prompts() == {"lamp": "dark"}
    assert lamp("bright") == {"lamp": "bright"}
    assert lamp("red") == {"lamp": "red"}
    assert lamp("") == lamp(" \n") == {}


def test_objects_that_say_nothing_of_themselves_are_not_asked(session):
    assert session.injected_prompts() == {}


def test_injected_objects_are_asked_on_the_host(lamp):
    assert lamp("where") == {"lamp": f"{os.getpid()}: where"}


def test_what_an_injected_object_says_is_cut(lamp):
    said = lamp("x" * 3000)["lamp"]
    assert said == "x" * 2000 + "… 1,000 of 3,000 characters left out …"


@pytest.mark.parametrize(("text", "kind"), [("broken", "ValueError"), ("nothing", "PromptError")])
def test_an_object_that_cannot_describe_itself_says_so_and_the_log_why(lamp, caplog, text, kind):
    assert lamp(text) == {"lamp": f"(could not describe itself: {kind})"}
    assert "moss.lamp could not describe itself" in caplog.text


def test_confined_code_has_no_dunder_of_an_injected_object(executor, open_session):
    result = open_session(SPEAKING).run("print(hasattr(moss.lamp, '__prompt__'))")
    assert result.std_output == f"{executor.name == 'off'}\n"
