import pytest

from ghostos.core.prompt import FinishReason, ModelDelta
from ghostos.errors import ModelResponseError, ModelStreamCutError

CODE = "Look:\n<moss>\nprint('ran')\n</moss>"


def deltas(text, *, finish_reason: FinishReason = "stop"):
    return [ModelDelta(kind="text", text=text), ModelDelta(kind="done", finish_reason=finish_reason)]


def of_turn(conversation):
    return [(message.type, message.content, message.status) for message in conversation.history()][2:]


def test_a_reply_without_an_end_is_an_error_and_nothing_of_it_runs_or_goes_back(converse, listen):
    conversation, model = converse([ModelDelta(kind="text", text=CODE)], "Again.")
    with pytest.raises(ModelStreamCutError, match="half-way"):
        listen(conversation, "go")
    assert [(type, status) for type, _, status in of_turn(conversation)] == [
        ("text", "partial"),
        ("code", "partial"),
        ("error", "complete"),
    ]
    listen(conversation, "again")
    assert [message.content for message in model.prompts[1].messages[1:-1]] == ["go", "again"]


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_reply_without_text_is_an_error(converse, listen, text):
    reasoning = ModelDelta(kind="reasoning", text="hm")
    conversation, _ = converse([reasoning, *deltas(text)])
    with pytest.raises(ModelResponseError, match="has no text at all"):
        listen(conversation, "go")
    assert of_turn(conversation)[0] == ("reasoning", "hm", "partial")


def test_an_empty_reply_that_was_cut_says_by_what(converse, listen):
    conversation, _ = converse(deltas("", finish_reason="length"))
    with pytest.raises(ModelResponseError, match="limit of length"):
        listen(conversation, "go")


def test_speech_that_was_cut_is_followed_by_a_word_to_the_user(converse, listen):
    conversation, model = converse(deltas("The answer is", finish_reason="length"), "42.")
    assert listen(conversation, "go")[1:] == [
        ("text", "The answer is"),
        ("text", "The reply was cut at the model's limit of length."),
    ]
    listen(conversation, "well?")
    assert [message.content for message in model.prompts[1].messages[1:-1]] == ["go", "The answer is", "well?"]


def test_code_of_a_reply_that_was_cut_does_not_run_and_the_model_may_try_again(converse, listen):
    conversation, model = converse(deltas(CODE, finish_reason="length"), "Sorry.")
    assert listen(conversation, "go")[-2:] == [
        ("output", "Nothing was run: the reply was cut at the model's limit of length."),
        ("text", "Sorry."),
    ]
    assert 'status="rejected"' in model.prompts[1].messages[-2].content


def test_a_filter_ends_the_turn_and_code_of_its_reply_does_not_run(converse, listen):
    conversation, model = converse(deltas(CODE, finish_reason="filter"))
    (type_, content) = listen(conversation, "go")[-1]
    assert type_ == "output"
    assert "filter" in content
    assert conversation.get_task().state == "waiting"
    model.assert_done()


@pytest.mark.parametrize(
    "reply",
    [
        "<moss>\n</moss>",
        "Look:\n<moss>\n</moss>",
        "<moss>\n\n</moss>\n",
        "\n\nBlank lines first",
        "Never closed\n<moss>\n",
        "```moss\nx = 1\n```",
    ],
)
def test_a_reply_goes_back_as_it_came(converse, listen, reply):
    conversation, model = converse(reply, "b", "c")
    listen(conversation, "go")
    listen(conversation, "on")
    assert [(m.role, m.content) for m in model.prompts[-1].messages[1:3]] == [("user", "go"), ("assistant", reply)]


def test_reasoning_after_and_between_the_parts_of_a_reply_does_not_change_what_goes_back(converse, listen):
    pieces = ["Hi\n", "<moss>\nprint(", "1)\n</moss>\n"]
    reply = [delta for piece in pieces for delta in (ModelDelta(kind="text", text=piece), thought())]
    conversation, model = converse([*reply, ModelDelta(kind="done")], "b")
    listen(conversation, "go")
    assert model.prompts[-1].messages[2].content == "".join(pieces)
    said = [(type, content) for type, content, _ in of_turn(conversation) if type in {"code", "text", "output"}]
    assert "".join(content for type, content in said if type == "code") == "print(1)\n"
    assert ("output", "1") in said


def thought():
    return ModelDelta(kind="reasoning", text="hm")
