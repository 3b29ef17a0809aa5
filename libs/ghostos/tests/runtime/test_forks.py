"""Threads that fork, go back and are renamed, through a conversation that goes on."""

import pytest

from ghostos.errors import UsageError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.testing import ScriptedModel

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
