import asyncio
import threading
import time

import pytest

from ghostos.bootstrap import make_app_container
from ghostos.config import Confinement
from ghostos.contracts.session import RunHooks
from ghostos.errors import ModelServerError, TargetError
from ghostos.ghosts.module_thread import RoundModule
from ghostos.libraries.flow import FlowRecord
from ghostos.runtime.work_threads import WorkThread
from ghostos_moss import PyContext, RunClock

SOURCE = """
import time
from pathlib import Path

from ghostos_moss import Injection
from ghostos_moss import Moss as Parent

HERE = Path(__file__).parent


class Tool(Injection):
    def on_injection(self, runtime, name):
        self.log("made ")

    def on_destroy(self):
        {on_destroy}
        self.log("given back ")

    def log(self, text):
        with (HERE / "log").open("a") as file:
            file.write(text)


class Moss(Parent):
    tool: Tool


def __moss_compile__(compiler):
    compiler.injects(tool=Tool())
    return compiler
"""
WAIT_FOR_GATE = "while not (HERE / 'gate').exists(): time.sleep(0.005)"


@pytest.fixture
def write_module(module):
    def write(*, on_destroy="pass", more=""):
        module.write_text(SOURCE.format(on_destroy=on_destroy) + more)

    return write


@pytest.fixture
def log(tmp_path):
    return (tmp_path / "log").read_text


@pytest.fixture
def open_gate(tmp_path):
    """Let code go on that waits for the gate; at the end of the test at the latest."""
    gate = tmp_path / "gate"
    yield gate.touch
    gate.touch()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_module_has_given_everything_back_when_the_turn_ends(converse, write_module, log, listen):
    write_module(on_destroy="time.sleep(0.1)")
    conversation, _ = converse("Hello.")
    listen(conversation, "hi")
    assert log() == "made given back "


def test_a_module_has_given_everything_back_also_when_the_model_fails(converse, write_module, log, listen):
    write_module(on_destroy="time.sleep(0.1)")
    conversation, _ = converse(ModelServerError("It broke."))
    with pytest.raises(ModelServerError):
        listen(conversation, "hi")
    assert log() == "made given back "


@pytest.mark.parametrize("error", ["ValueError('broken')", "SystemExit(1)"])
def test_what_giving_back_raises_is_logged_and_ends_nothing(converse, write_module, listen, caplog, error):
    write_module(on_destroy=f"raise {error}")
    conversation, _ = converse("One.", "Two.")
    assert listen(conversation, "one")[-1] == ("text", "One.")
    assert listen(conversation, "two")[-1] == ("text", "Two.")
    assert error.partition("(")[0] in caplog.text


def test_a_module_that_does_not_give_back_in_time_is_left_and_so_is_its_thread(
    converse, configure, write_module, log, listen, open_gate
):
    configure("[code]\ntimeout_s = 5\n")
    write_module(on_destroy=WAIT_FOR_GATE)
    conversation, _ = converse("One.", "Two.")
    assert listen(conversation, "one")[-1] == ("text", "One.")
    assert log() == "made "
    write_module()
    assert listen(conversation, "two")[-1] == ("text", "Two.")
    assert log() == "made made given back "
    open_gate()
    until(lambda: log() == "made made given back given back ")


@pytest.mark.parametrize("error", ["ValueError('bad')", "SystemExit(1)"])
def test_a_module_whose_prompt_fails_is_given_back(converse, write_module, log, listen, error):
    write_module(more=f"def __moss_module_prompt__(prompter):\n    raise {error}\n")
    conversation, _ = converse()
    with pytest.raises(TargetError, match=error.partition("(")[0]):
        listen(conversation, "hi")
    assert log() == "made given back "


def test_a_body_that_does_not_end_is_a_fault_of_the_target_and_leaves_its_thread(
    converse, configure, module, listen, open_gate
):
    configure("[code]\ntimeout_s = 0.2\n")
    whole = module.read_text()
    module.write_text(f"import time\nfrom pathlib import Path\nHERE = Path(__file__).parent\n{WAIT_FOR_GATE}\n")
    conversation, model = converse("Mended.")
    with pytest.raises(TargetError, match=r"did not end within 0\.2 s"):
        listen(conversation, "one")
    assert model.prompts == []
    module.write_text(whole)
    assert listen(conversation, "two")[-1] == ("text", "Mended.")


async def test_a_run_that_was_cancelled_before_it_began_does_not_run(module, tmp_path, workspace):
    container = make_app_container(workspace, confinement=Confinement("off"))
    thread, is_free = WorkThread("mine"), threading.Event()
    opened = RoundModule(
        str(module), thread=thread, pycontext=PyContext(module=str(module)), timeout_s=5, scratch=tmp_path
    )
    await opened.open(container, flow=FlowRecord())
    thread.submit(is_free.wait)
    touch = f"open({str(tmp_path / 'ran')!r}, 'w').close()"
    hooks = RunHooks(before_call=print, on_call=print, clock=RunClock())
    run = asyncio.create_task(opened.on_thread(lambda: opened.run([touch], hooks=hooks)))
    await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    is_free.set()
    assert await opened.close()
    assert not (tmp_path / "ran").exists()
    thread.stop()
