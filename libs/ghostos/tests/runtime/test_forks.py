"""Threads that fork, go back, are renamed and deleted, through a conversation that goes on."""

import pytest

from ghostos.config import AppSettings
from ghostos.contracts.sent_prompts import SentPrompts
from ghostos.errors import ThreadNotFoundError, UsageError, WorkspaceError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.testing import ScriptedModel

from .test_stops import Held, hear

BOT = Chatbot("Echo")


def say(conversation, text):
    _, receiver = conversation.talk(text)
    with receiver:
        return "".join(delta.content for delta in receiver.recv() if delta.type == "text")


def words(conversation):
    return [message.content for message in conversation.history() if message.type == "text"]


def test_a_fork_goes_its_own_way(start_matrix):
    model = ScriptedModel(["One.", "Two.", "Other two.", "Three."])
    conversation = start_matrix(model).sync(BOT, thread="mine")
    say(conversation, "first")
    say(conversation, "second")
    fork = conversation.fork(at_turn=1)
    assert fork.thread == "mine~1"
    assert words(fork) == ["first", "One."]
    assert say(fork, "another second") == "Other two."
    assert say(conversation, "third") == "Three."
    assert words(conversation) == ["first", "One.", "second", "Two.", "third", "Three."]
    assert words(fork) == ["first", "One.", "another second", "Other two."]


def test_going_back_keeps_what_was(start_matrix):
    model = ScriptedModel(["One.", "Two.", "Again two."])
    matrix = start_matrix(model)
    conversation = matrix.sync(BOT, thread="mine")
    say(conversation, "first")
    say(conversation, "second")
    kept = conversation.rewind(to_turn=1)
    assert say(conversation, "once more") == "Again two."
    assert words(conversation) == ["first", "One.", "once more", "Again two."]
    assert words(matrix.sync(BOT, thread=kept)) == ["first", "One.", "second", "Two."]
    sent = [message.content for message in model.prompts[2].messages]
    assert "second" not in sent
    with pytest.raises(UsageError):
        conversation.rewind(to_turn=9)


def test_a_thread_is_renamed_while_it_is_open(start_matrix):
    matrix = start_matrix(ScriptedModel(["One.", "Two."]))
    conversation = matrix.sync(BOT, thread="mine")
    say(conversation, "first")
    conversation.rename("yours")
    assert conversation.thread == "yours"
    assert say(conversation, "second") == "Two."
    matrix.sync(BOT, thread="other")
    with pytest.raises(UsageError):
        conversation.rename("other")
    assert matrix.sync(BOT, thread="yours").task_id == conversation.task_id


def test_a_thread_is_deleted_with_what_is_its_own_and_its_name_is_free(start_matrix):
    matrix = start_matrix(ScriptedModel(["One.", "Other one."]))
    conversation = matrix.sync(BOT, thread="mine")
    say(conversation, "first")
    scratch = matrix.container.force_fetch(AppSettings).workspace.scratch / conversation.task_id
    scratch.mkdir(parents=True)
    (scratch / "notes.txt").touch()
    prompts = matrix.container.force_fetch(SentPrompts)
    assert len(prompts.list(conversation.task_id)) == 1
    conversation.delete()
    assert prompts.list(conversation.task_id) == []
    assert not scratch.exists()
    with pytest.raises(ThreadNotFoundError):
        conversation.get_task()
    with pytest.raises(ThreadNotFoundError):
        conversation.delete()
    again = matrix.sync(BOT, thread="mine")
    assert again.task_id != conversation.task_id
    assert say(again, "hello") == "Other one."
    assert words(again) == ["hello", "Other one."]


def test_a_thread_at_work_is_not_deleted(start_matrix):
    model = Held(["Once upon a time", "Fine."])
    conversation = start_matrix(model).sync(BOT)
    _, receiver = conversation.talk("Tell me a story.")
    assert model.is_half_way.wait(10)
    with pytest.raises(WorkspaceError):
        conversation.delete()
    model.release()
    assert hear(receiver) == "Once upon a time"
    assert say(conversation, "More.") == "Fine."


def test_who_listens_to_a_thread_that_is_deleted_is_told(start_matrix):
    matrix = start_matrix(ScriptedModel(["One."]))
    conversation = matrix.sync(BOT, thread="mine")
    say(conversation, "first")
    with matrix.sync(BOT, thread="mine").attach() as receiver:
        conversation.delete()
        with pytest.raises(ThreadNotFoundError):
            list(receiver.recv())
