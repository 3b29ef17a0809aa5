import pytest
from pydantic import BaseModel

from ghostos.errors import ModelServerError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.testing import ScriptedModel


class Room(BaseModel):
    name: str


@pytest.fixture
def chat(start_matrix):
    """Start a conversation with a chatbot that gets these replies."""

    def start(*replies, context=None, **fields):
        model = ScriptedModel(replies)
        return start_matrix(model).sync(Chatbot("Bo", **fields), context, thread="mine"), model

    return start


def sent(prompt):
    return [(message.role, message.content) for message in prompt.messages]


def test_a_chatbot_says_what_its_model_says_and_waits(chat, listen):
    conversation, model = chat("Hello.", instruction="Be kind.")
    assert listen(conversation, "hi") == [("state", "scripted"), ("text", "Hello.")]
    assert conversation.get_task().state == "waiting"
    assert sent(model.prompts[0]) == [
        ("system", "# Who you are\n\nYou are an agent called Bo.\n\n# What to do\n\nBe kind."),
        ("user", "hi"),
    ]


def test_code_in_a_reply_is_speech(chat, listen):
    conversation, _ = chat("<moss>\nprint(1)\n</moss>")
    assert listen(conversation, "hi")[1:] == [("text", "<moss>\nprint(1)\n</moss>")]


def test_the_thread_is_sent_again_and_grows_at_its_end(chat, listen):
    conversation, model = chat("One.", "Two.")
    listen(conversation, "first")
    listen(conversation, "second")
    assert sent(model.prompts[1])[1:] == [("user", "first"), ("assistant", "One."), ("user", "second")]


def test_contexts_are_in_the_last_message_that_of_an_input_for_its_turn_only(chat, listen):
    conversation, model = chat("a", "b", context=Room(name="kitchen"))
    listen(conversation, "one", Room(name="cellar"))
    listen(conversation, "two")
    first, second = (prompt.messages[-1].content for prompt in model.prompts)
    assert first.startswith("<moss-state>\ntime: ")
    assert first.endswith(
        "context that came with this conversation:\n  name = 'kitchen'\n"
        "context that came with this message:\n  name = 'cellar'\n</moss-state>"
    )
    assert "kitchen" in second
    assert "cellar" not in second


def test_what_was_said_is_kept_once_when_the_model_fails(chat, listen):
    conversation, model = chat(ModelServerError("It broke.", advice="Wait."), "Here.")
    with pytest.raises(ModelServerError, match="It broke"):
        listen(conversation, "one")
    listen(conversation, "two")
    assert sent(model.prompts[1])[1:] == [("user", "one"), ("user", "two")]
