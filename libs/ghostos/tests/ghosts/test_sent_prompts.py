"""Looking at prompts: what was sent, part by part, and what would be sent next."""

import re
from dataclasses import replace

import pytest

from ghostos.contracts.sent_prompts import SentPrompts
from ghostos.core.ids import new_id
from ghostos.core.prompt import Prompt, PromptMessage
from ghostos.errors import TargetError, UsageError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.next_prompt import preview_next_prompt
from ghostos.ghosts.prompt_parts import count_parts, list_thread_messages
from ghostos.runtime.loop_thread import LoopThread
from ghostos.testing import ScriptedModel
from ghostos_moss import count_tokens

COUNT = "<moss>\nmoss.count += 1\nprint(moss.count)\n</moss>"


def preview(matrix, task) -> Prompt:
    looking = preview_next_prompt(matrix.container, task)
    return matrix.container.force_fetch(LoopThread).run(looking, method="preview", twin="preview")


def without_time(prompt):
    return [(each.role, re.sub(r"(?m)^time: .*$", "time", each.content)) for each in prompt.messages]


@pytest.fixture
def begin(start_matrix, module, listen):
    """Let an agent play one turn; return the Matrix, the conversation and the model."""

    def play(*replies, **fields):
        model = ScriptedModel([*replies])
        matrix = start_matrix(model)
        conversation = matrix.sync(MossAgent(str(module), name="Ada", **fields), thread="mine")
        listen(conversation, "count")
        return matrix, conversation, model

    return play


def test_prompts_are_kept_as_they_were_sent_by_round(begin):
    matrix, conversation, model = begin(COUNT, "It is 1.")
    kept = matrix.container.force_fetch(SentPrompts).list(conversation.task_id)
    assert [(each.round, each.model) for each in kept] == [(1, "scripted"), (2, "scripted")]
    assert [each.prompt for each in kept] == model.prompts
    assert kept[0].prompt.messages is model.prompts[0].messages  # no copy is made of a long thread


def test_the_parts_of_a_prompt_are_all_of_it_and_their_tokens_those_of_their_texts(begin):
    matrix, conversation, _ = begin(COUNT, "It is 1.", persona="You count.")
    prompt = matrix.container.force_fetch(SentPrompts).list(conversation.task_id)[-1].prompt
    parts = {part.name: part for part in count_parts(prompt)}
    assert [*parts] == ["identity", "how to act", "module", "thread", "state"]
    assert "\n\n".join(parts[name].text for name in ("identity", "how to act", "module")) == prompt.messages[0].content
    assert "You count." in parts["identity"].text
    assert "def plus" in parts["module"].text
    assert "moss.count = 1" in parts["state"].text
    thread = list_thread_messages(prompt)
    assert [message.content for message in thread][:2] == ["count", COUNT]
    assert (parts["thread"].messages, parts["thread"].tokens) == (3, sum(count_tokens(m.content) for m in thread))
    assert parts["module"].tokens == count_tokens(parts["module"].text)


def test_a_prompt_without_named_parts_has_its_system_message_for_one():
    prompt = Prompt(messages=[PromptMessage("system", "Sum it up."), PromptMessage("user", "All of it.")])
    assert [(part.name, part.text, part.messages) for part in count_parts(prompt)] == [
        ("system", "Sum it up.", 1),
        ("thread", "", 1),
    ]


def test_what_would_be_sent_next_is_what_is_sent_then_but_for_what_is_said(begin, listen):
    matrix, conversation, model = begin(COUNT, "It is 1.", "Fine.")
    before = preview(matrix, conversation.get_task())
    assert len(model.prompts) == 2
    listen(conversation, "and now?")
    sent = model.prompts[-1]
    expected = without_time(sent)
    assert expected.pop(-2) == ("user", "and now?")
    assert without_time(before) == expected
    assert (before.system_parts, before.has_state) == (sent.system_parts, True)


def test_to_look_at_the_next_prompt_stores_nothing(begin, workspace):
    matrix, conversation, _ = begin(COUNT, "It is 1.")
    task, said = conversation.get_task(), conversation.history()
    kept = matrix.container.force_fetch(SentPrompts).list(task.id)
    preview(matrix, task)
    assert (conversation.get_task(), conversation.history()) == (task, said)
    assert matrix.container.force_fetch(SentPrompts).list(task.id) == kept


def test_a_chatbot_tells_what_it_would_send_as_well(start_matrix, listen):
    matrix = start_matrix(ScriptedModel(["Hello."]))
    conversation = matrix.sync(Chatbot("Bo", instruction="Be kind."), thread="mine")
    listen(conversation, "hi")
    assert [message.content for message in preview(matrix, conversation.get_task()).messages][1:] == ["hi", "Hello."]


def test_a_thread_that_is_too_long_shows_the_request_for_its_summary(start_matrix, configure, listen):
    configure('[models."scripted"]\ncontext_tokens = 4000\n')
    words = " ".join(f"word{number}" for number in range(600))
    model = ScriptedModel(["Yes."])
    matrix = start_matrix(model)
    conversation = matrix.sync(Chatbot("Bo"), thread="mine")
    listen(conversation, words)
    task = conversation.get_task()
    long = replace(conversation.history()[-1], content=words)
    for seq in range(task.next_seq, task.next_seq + 12):
        add_message(matrix, replace(long, seq=seq, id=new_id()))
    assert preview(matrix, task).messages[0].content.startswith("You keep the memory")
    assert len(model.prompts) == 1


def test_a_broken_module_is_the_error_that_a_round_would_meet(begin, module):
    matrix, conversation, _ = begin(COUNT, "It is 1.")
    module.write_text("def broken(:\n")
    with pytest.raises(TargetError, match="counting_module"):
        preview(matrix, conversation.get_task())


def test_nothing_is_opened_beside_a_round_that_runs(begin):
    matrix, conversation, _ = begin(COUNT, "It is 1.")
    with pytest.raises(UsageError, match="under way"):
        preview(matrix, replace(conversation.get_task(), state="running"))


def add_message(matrix, message):
    """Put a message into the thread's table itself: that there are many does not matter here, only that they are."""
    from ghostos.drivers.store.rows import message_to_row
    from ghostos.drivers.store.shelf import _insert_messages

    matrix.store._writer.call(lambda connection: _insert_messages.run(connection, message_to_row(message)))
