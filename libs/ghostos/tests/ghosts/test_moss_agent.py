import shutil
import threading
import time
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ghostos.config import Confinement
from ghostos.errors import ConfigError, TargetError, TurnFailedError
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel


class Room(BaseModel):
    name: str


def code(text):
    return f"<moss>\n{text}\n</moss>"


def outputs(conversation):
    return [(m.data["status"], m.content) for m in conversation.history() if m.type == "output"]


def test_code_of_a_reply_runs_in_the_module_and_its_output_comes_back_to_the_model(converse, listen):
    conversation, model = converse("Let me see.\n" + code("print(plus(2, 3))"), "It is 5.")
    assert listen(conversation, "what is 2 plus 3?") == [
        ("state", "scripted"),
        ("text", "Let me see.\n"),
        ("code", "print(plus(2, 3))\n"),
        ("output", "5"),
        ("text", "It is 5."),
    ]
    first, second = model.prompts
    assert "def plus(a: int, b: int) -> int:" in first.messages[0].content
    assert first.messages[1].content == "what is 2 plus 3?"
    assert [message.content for message in second.messages[2:4]] == [
        "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>",
        '<moss-output status="ok">\n5\n</moss-output>',
    ]
    model.assert_done()


def test_the_prompt_is_the_same_to_the_byte_up_to_its_last_message(converse, listen):
    conversation, model = converse(code("moss.count = 1"), "Done.", "Again.")
    listen(conversation, "one")
    listen(conversation, "two")
    first, last = model.prompts[0], model.prompts[-1]
    assert list(last.messages[: len(first.messages) - 1]) == list(first.messages[:-1])


LAMP = """
from pathlib import Path

from ghostos_moss import Moss as Parent

LIGHT = Path(__file__).with_suffix(".txt")


class Lamp:
    def set(self, light: int) -> None:
        LIGHT.write_text(str(light))

    def __prompt__(self):
        light = int(LIGHT.read_text()) if LIGHT.exists() else 0
        return f"shines at {light} percent" if light >= 0 else 1 / 0


class Moss(Parent):
    lamp: Lamp


def __moss_compile__(compiler):
    compiler.bind(Lamp, Lamp())
"""


@pytest.mark.parametrize("confinement", [Confinement("process"), Confinement("off")], ids=["process", "off"])
def test_what_an_injected_object_says_of_itself_is_in_the_last_message_of_each_round(
    start_matrix, tmp_path, listen, confinement
):
    path = tmp_path / "lamp_module.py"
    path.write_text(LAMP)
    model = ScriptedModel([code("moss.lamp.set(40)\nprint('on')"), code("moss.lamp.set(-1)\nprint('?')"), "Done."])
    listen(start_matrix(model).sync(MossAgent(str(path))), "light!")
    said = [prompt.messages[-1].content.splitlines()[2:-1] for prompt in model.prompts]
    assert said == [
        ["moss.lamp: shines at 0 percent"],
        ["moss.lamp: shines at 40 percent"],
        ["moss.lamp: (could not describe itself: ZeroDivisionError)"],
    ]
    assert {prompt.messages[0].content for prompt in model.prompts} == {model.prompts[0].messages[0].content}


def test_a_value_set_on_moss_is_there_in_the_next_round_and_the_model_is_told(converse, listen):
    conversation, model = converse(
        code("moss.count += 2\nmoss.seen.append('x')"), code("print(moss.count, moss.seen)"), "Two."
    )
    listen(conversation, "count")
    listen(conversation, "and now?")
    assert outputs(conversation) == [("ok", "(no output)"), ("ok", "2 ['x']")]
    assert "moss.count = 2" in model.prompts[1].messages[-1].content


def test_silent_code_ends_the_turn_and_a_returned_value_is_shown_to_the_model(converse, listen):
    conversation, model = converse(code("moss.count = 1"), code("def run(moss):\n    return moss.count + 1"), "Two.")
    listen(conversation, "one")
    listen(conversation, "two")
    assert outputs(conversation)[1] == ("ok", "returned: 2")
    model.assert_done()


def test_several_blocks_of_one_reply_run_as_one(converse, listen):
    conversation, _ = converse(f"{code('a = 1')}\nand\n{code('print(a + 1)')}", "Two.")
    listen(conversation, "go")
    assert outputs(conversation) == [("ok", "2")]


def test_an_error_is_shown_to_the_model_and_values_are_as_before(converse, listen):
    conversation, _ = converse(code("moss.count = 9\nprint('here')\n1 / 0"), code("print(moss.count)"), "Mended.")
    listen(conversation, "go")
    (status, text), after = outputs(conversation)
    assert status == "error"
    assert "here" in text
    assert "ZeroDivisionError" in text
    assert "line 3" in text
    assert after == ("ok", "0")


def test_three_errors_in_a_row_end_the_turn_with_a_word_to_the_user(converse, listen):
    conversation, _ = converse(code("1 / 0"), code("1 / 0"), code("1 / 0"), "Never mind.")
    assert listen(conversation, "go")[-1] == (
        "text",
        "Stopped: the code failed 3 times in a row. Say how to go on.",
    )
    assert listen(conversation, "so?")[-1] == ("text", "Never mind.")


def test_a_turn_has_a_largest_number_of_rounds(converse, listen):
    conversation, model = converse(code("print(1)"), code("print(2)"), max_rounds=2)
    assert "2 rounds in one turn" in listen(conversation, "go")[-1][1]
    model.assert_done()


def test_code_that_was_cut_off_does_not_run(converse, listen):
    conversation, _ = converse("<moss>\nprint(1)\nprint(", "Sorry.")
    listen(conversation, "go")
    assert outputs(conversation) == [("rejected", "Nothing was run: the reply ended before </moss>.")]


def test_code_that_cannot_work_is_refused_before_it_runs(converse, listen):
    conversation, _ = converse(code("print('ran')\npluss(1, 2)"), "Sorry.")
    listen(conversation, "go")
    ((status, text),) = outputs(conversation)
    assert status == "rejected"
    assert "plus" in text
    assert "ran\n" not in text


def test_flow_says_what_comes_next(converse, listen):
    conversation, model = converse(
        code("print('shown to nobody')\nmoss.flow.wait()"),
        code("moss.flow.observe({'a': 1})"),
        "I see.",
        code("moss.flow.finish({'sum': 3})"),
    )
    listen(conversation, "wait")
    assert listen(conversation, "observe")[-1] == ("text", "I see.")
    listen(conversation, "finish")
    assert conversation.get_task().state == "finished"
    assert outputs(conversation)[1] == ("ok", "{'a': 1}")
    model.assert_done()


def test_code_that_takes_too_long_is_stopped(converse, configure, listen):
    configure("[code]\ntimeout_s = 0.2\n")
    conversation, _ = converse(code("while True: pass"), "Too long.")
    listen(conversation, "go")
    ((status, text),) = outputs(conversation)
    assert status == "interrupted"
    assert "0.2 s" in text


def test_a_file_that_breaks_shows_its_error_and_the_thread_goes_on_when_it_is_mended(converse, module, listen):
    conversation, _ = converse("One.", "Two.")
    listen(conversation, "one")
    whole = module.read_text()
    module.write_text("def broken(:\n")
    with pytest.raises(TargetError, match="line 1"):
        listen(conversation, "two")
    module.write_text(whole)
    assert listen(conversation, "three")[-1] == ("text", "Two.")


def test_code_that_had_started_when_the_process_stopped_is_not_run_again(start_matrix, module, tmp_path):
    mark = tmp_path / "mark"
    running = code(f"open({str(mark)!r}, 'a').write('x')\nimport time\nwhile True: time.sleep(0.01)")
    first = start_matrix(ScriptedModel([running]))
    conversation = first.sync(MossAgent(str(module)), thread="mine")
    conversation.talk("go")
    until(mark.exists)
    first.close()

    model = ScriptedModel(["It was interrupted."])
    again = start_matrix(model).sync(MossAgent(str(module)), thread="mine")
    resumed = again.resume()
    assert resumed is not None
    list(resumed.recv())
    assert mark.read_text() == "x"
    ((status, text),) = outputs(again)
    assert status == "interrupted"
    assert "not known how far" in text
    sent = [message.content for message in model.prompts[0].messages]
    assert sent[1] == "go"
    assert sent[2] == running
    assert 'status="interrupted"' in sent[3]


def test_two_agents_run_at_once_and_their_output_does_not_mix(start_matrix, tmp_path):
    both = threading.Barrier(2)
    for name in ("left", "right"):
        (tmp_path / f"{name}_side.py").write_text(f"SIDE = {name!r}\n")
    loop = code("import time\nfor i in range(20):\n    print(SIDE, i)\n    time.sleep(0.001)")

    def reply(prompt):
        both.wait(10)
        return loop

    conversations = []
    for name in ("left", "right"):
        matrix = start_matrix(ScriptedModel([reply, "Done."]))
        conversations.append(matrix.sync(MossAgent(str(tmp_path / f"{name}_side.py"))))
    receivers = [conversation.talk("go")[1] for conversation in conversations]
    for receiver in receivers:
        list(receiver.recv())
    for name, conversation in zip(("left", "right"), conversations, strict=True):
        assert outputs(conversation) == [("ok", "\n".join(f"{name} {i}" for i in range(20)))]


def test_a_module_that_binds_objects_to_its_thread_works(start_matrix, tmp_path, listen):
    path = tmp_path / "database_module.py"
    path.write_text(
        "import sqlite3\n\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t (x)')\n\n"
        "def add(x: int) -> int:\n    db.execute('insert into t values (?)', (x,))\n"
        "    return db.execute('select sum(x) from t').fetchone()[0]\n"
    )
    conversation = start_matrix(ScriptedModel([code("print(add(2) + add(3))"), "7."])).sync(MossAgent(str(path)))
    listen(conversation, "go")
    assert outputs(conversation) == [("ok", "7")]


def test_what_is_to_be_approved_is_all_code_or_none():
    with pytest.raises(ValidationError, match="approve"):
        MossAgent.model_validate({"moss_module": "x", "approve": "maybe"})


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_ghost_that_gives_up_says_why_and_can_be_spoken_to_again(converse, listen):
    conversation, _ = converse(code("moss.flow.fail('no paper')"), "Here again.")
    with pytest.raises(TurnFailedError, match="gave its task up: no paper"):
        listen(conversation, "go")
    assert conversation.get_task().state == "failed"
    assert conversation.history()[-1].type == "error"
    assert listen(conversation, "and now?")[-1] == ("text", "Here again.")
    assert conversation.get_task().state == "waiting"


def test_a_ghost_is_told_the_code_that_was_interrupted_where_its_reply_was_lost(
    start_matrix, module, tmp_path, workspace
):
    mark = tmp_path / "mark"
    running = f"open({str(mark)!r}, 'a').write('x')\nimport time\nwhile True: time.sleep(0.01)"
    first = start_matrix(ScriptedModel([code(running)]))
    first.sync(MossAgent(str(module)), thread="mine").talk("go")
    until(mark.exists)
    first.close()
    shutil.rmtree(workspace / "runtime" / "rounds")

    model = ScriptedModel(["I see."])
    again = start_matrix(model).sync(MossAgent(str(module)), thread="mine")
    list(again.resume().recv())
    assert running in outputs(again)[0][1]
    assert [message.content for message in model.prompts[0].messages[1:2]] == ["go"]
    assert mark.read_text() == "x"


class UnsetModel(ScriptedModel):
    """One that the settings do not let be used."""

    def __getattribute__(self, name: str) -> Any:
        if name == "label":
            raise ConfigError("It cannot be used.")
        return super().__getattribute__(name)


def test_an_interruption_is_reported_also_while_no_model_can_be_had(start_matrix, module, tmp_path):
    mark = tmp_path / "mark"
    running = code(f"open({str(mark)!r}, 'a').write('x')\nimport time\nwhile True: time.sleep(0.01)")
    first = start_matrix(ScriptedModel([running]))
    first.sync(MossAgent(str(module)), thread="mine").talk("go")
    until(mark.exists)
    first.close()

    again = start_matrix(UnsetModel([])).sync(MossAgent(str(module)), thread="mine")
    with pytest.raises(ConfigError):
        list(again.resume().recv())
    assert [status for status, _ in outputs(again)] == ["interrupted"]


def test_a_context_is_seen_in_every_round_of_its_turn(converse, listen):
    conversation, model = converse(code("print(1)"), "One.", "Two.", context=Room(name="kitchen"))
    listen(conversation, "one", Room(name="cellar"))
    listen(conversation, "two")
    states = [prompt.messages[-1].content for prompt in model.prompts]
    assert ["name = 'kitchen'" in state for state in states] == [True, True, True]
    assert ["name = 'cellar'" in state for state in states] == [True, True, False]


def test_a_model_may_be_asked_for_fences(converse, configure, listen):
    configure('[models."some:model"]\ncode_format = "fence"\n')
    conversation, model = converse("Look:\n```moss\nprint(plus(2, 3))\n```\n", "Five.", label="some:model")
    assert listen(conversation, "go")[1:4] == [("text", "Look:\n"), ("code", "print(plus(2, 3))\n"), ("output", "5")]
    system = model.prompts[0].messages[0].content
    assert "in one fence that opens with ```moss" in system
    assert "<moss>" not in system


def test_a_fence_that_was_cut_off_does_not_run(converse, configure, listen):
    configure('[models."some:model"]\ncode_format = "fence"\n')
    conversation, _ = converse("```moss\nprint(1)\n", "Sorry.", label="some:model")
    listen(conversation, "go")
    assert outputs(conversation) == [("rejected", "Nothing was run: the reply ended before the end of its fence.")]


def test_a_result_that_json_cannot_hold_is_an_error_of_the_code(converse, listen):
    conversation, _ = converse(code("moss.count = 1\nmoss.flow.finish({1, 2})"), "I see.")
    listen(conversation, "go")
    ((status, text),) = outputs(conversation)
    assert status == "error"
    assert "result is a value of type set" in text
    assert conversation.get_task().state == "waiting"


def test_an_observed_value_is_rendered_while_its_code_can_be_stopped(converse, configure, listen):
    configure("[code]\ntimeout_s = 0.2\n")
    forever = "class E:\n    def __repr__(self):\n        while True: pass\nmoss.flow.observe(E())"
    conversation, _ = converse(code(forever), "Too long.")
    listen(conversation, "go")
    assert [status for status, _ in outputs(conversation)] == ["interrupted"]
