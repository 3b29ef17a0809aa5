"""The scripted model is strict both ways."""

import pytest

from ghostos.core.prompt import ModelDelta, Prompt, PromptMessage
from ghostos.core.usage import Usage
from ghostos.drivers.models.pieces import split_pieces
from ghostos.errors import ModelServerError, ScriptError
from ghostos.testing import ScriptedModel

PROMPT = Prompt(messages=[PromptMessage("user", "Hello")])


async def collect(model: ScriptedModel) -> list[ModelDelta]:
    return [delta async for delta in model.stream(PROMPT)]


async def test_text_streams_in_words_then_usage_then_done():
    model = ScriptedModel(["Good day.\n"])
    assert await collect(model) == [
        ModelDelta(kind="text", text="Good"),
        ModelDelta(kind="text", text=" day."),
        ModelDelta(kind="text", text="\n"),
        ModelDelta(kind="usage", usage=Usage(model_calls=1)),
        ModelDelta(kind="done"),
    ]
    model.assert_done()


async def test_reply_may_be_made_of_the_prompt():
    model = ScriptedModel([lambda prompt: prompt.messages[-1].content.upper()])
    assert (await collect(model))[0].text == "HELLO"
    assert model.prompts == [PROMPT]


async def test_error_is_raised_alone_or_among_deltas():
    model = ScriptedModel([ModelServerError("down"), [ModelDelta(kind="text", text="Go"), ModelServerError("down")]])
    with pytest.raises(ModelServerError):
        await collect(model)
    came: list[str] = []
    with pytest.raises(ModelServerError):
        async for delta in model.stream(PROMPT):
            came.append(delta.text)
    assert came == ["Go"]


async def test_deltas_are_streamed_as_given_also_without_an_end():
    deltas = [ModelDelta(kind="reasoning", text="Hm"), ModelDelta(kind="text", text="Go")]
    assert await collect(ScriptedModel([deltas])) == deltas


async def test_call_beyond_the_script_is_an_error_that_shows_what_was_asked():
    model = ScriptedModel(["Only one."])
    await collect(model)
    with pytest.raises(ScriptError, match=r"Call 2 .* holds 1\. It asked: 'Hello'"):
        await collect(model)


async def test_reply_left_over_is_an_error():
    model = ScriptedModel(["One.", "Two."])
    await collect(model)
    with pytest.raises(ScriptError, match=r"1 of 2 .* 'Two\.'"):
        model.assert_done()


@pytest.mark.parametrize("text", ["", "a", " a  b\n\nc ", "\n", "<moss>\n  x = 1\n</moss>"])
def test_pieces_are_the_text_again(text):
    assert "".join(split_pieces(text)) == text
