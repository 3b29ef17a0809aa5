"""What a language model answered when it was given nothing but the shop's prompt, word for word."""

from pathlib import Path

import pytest
import yaml

from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel

REPLIES = yaml.safe_load((Path(__file__).parent / "replies" / "shop.yaml").read_text(encoding="utf-8"))

EXPECTED = {
    "what do you sell for under 5 euros?": ["eraser", "pencil", "pen", "ruler", "notebook"],
    "I need 5 notebooks and a fountain pen, what would that cost me? Don't put anything in my cart yet.": ["42.00"],
    "put two pens and an eraser in my cart and order them": ["order 1, placed", "4.30"],
    "remember that I like blue ink": ["(no output)"],
    "how much is all the stock worth, and which item is the scarcest?": ["desk lamp", "worth"],
    "Make a bar chart of the stock in text.": ["pencil        █████"],
    "simulate 10000 customers who each buy between 1 and 3 random products, and tell me the average bill": [
        "average bill: "
    ],
}
SAID_WITHOUT_CODE = {"add 100 desk lamps and buy them", "hello, who are you?", "cancel my last order"}


@pytest.mark.parametrize("case", REPLIES, ids=[case["task"] for case in REPLIES])
def test_the_reply_of_a_model_is_read_and_its_code_does_what_was_asked(start_matrix, case):
    model = ScriptedModel([case["reply"], "That is it."])
    conversation = start_matrix(model).sync(MossAgent("ghostos.demo.agents.shop"))
    _, receiver = conversation.talk(case["task"])
    with receiver:
        outputs = [
            delta.message for delta in receiver.recv() if delta.message is not None and delta.message.type == "output"
        ]
    if case["task"] in SAID_WITHOUT_CODE:
        assert outputs == []
        return
    (output,) = outputs
    assert output.data == {"status": "ok"}, output.content
    for text in EXPECTED[case["task"]]:
        assert text in output.content


def test_what_a_model_remembers_is_there_in_the_next_turn(start_matrix):
    (reply,) = (case["reply"] for case in REPLIES if case["task"] == "remember that I like blue ink")
    model = ScriptedModel([reply, "I know."])
    conversation = start_matrix(model).sync(MossAgent("ghostos.demo.agents.shop"))
    for text in ("remember that I like blue ink", "what do I like?"):
        _, receiver = conversation.talk(text)
        list(receiver.recv())
    assert "moss.notes = ['likes blue ink']" in model.prompts[1].messages[-1].content
