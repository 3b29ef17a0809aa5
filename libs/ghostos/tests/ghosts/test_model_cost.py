"""What a task has used up, and where it stops."""

import pytest

from ghostos.core.prompt import ModelDelta
from ghostos.core.usage import Usage, compute_cost
from ghostos.errors import ConfigError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel

PRICES = '[models."scripted"]\ninput_price = 2.0\ncached_price = 1.0\noutput_price = 10.0\n'


def reply(text="Yes."):
    usage = Usage(input_tokens=100_000, cached_tokens=40_000, output_tokens=10_000, model_calls=1)
    return [
        ModelDelta(kind="text", text=text),
        ModelDelta(kind="usage", usage=usage),
        ModelDelta(kind="done"),
    ]


@pytest.mark.parametrize(
    ("prices", "cost"),
    [
        ((2.0, 1.0, 10.0), 0.26),
        ((2.0, None, 10.0), 0.30),
        ((None, None, 10.0), 0.10),
        ((None, None, None), 0.0),
        ((0.0, 0.0, 0.0), 0.0),
    ],
)
def test_a_call_costs_what_was_read_anew_and_from_the_cache_and_written(prices, cost):
    usage = Usage(input_tokens=100_000, cached_tokens=40_000, output_tokens=10_000)
    names = ("input_price", "cached_price", "output_price")
    assert compute_cost(usage, **dict(zip(names, prices, strict=True))) == pytest.approx(cost)


def test_more_cached_than_read_is_taken_as_all_cached():
    usage = Usage(input_tokens=10, cached_tokens=1_000_000)
    assert compute_cost(usage, input_price=5.0, cached_price=0.0, output_price=1.0) == 0.0


@pytest.fixture
def chat(start_matrix, configure):
    def start(settings, replies, ghost=None):
        configure(settings)
        model = ScriptedModel([reply()] * replies if isinstance(replies, int) else replies)
        return start_matrix(model).sync(ghost or Chatbot("Bo"), thread="mine"), model

    return start


def test_what_models_cost_is_added_to_the_task(chat, listen):
    conversation, _ = chat(PRICES, 2)
    listen(conversation, "one")
    listen(conversation, "two")
    assert conversation.get_task().cost == pytest.approx(0.52)


def test_a_task_whose_tokens_are_used_up_does_not_ask_the_model_and_waits_and_goes_on_when_there_are_more(chat, listen):
    conversation, model = chat("[budget]\ntokens_per_task = 200000\n", 2)
    listen(conversation, "one")
    listen(conversation, "two")
    assert listen(conversation, "three") == [
        ("state", "scripted"),
        (
            "text",
            "Stopped: this task has used 220,000 of 200,000 tokens. Raise tokens_per_task under [budget] in "
            "configs/ghostos.toml of the workspace, and say how to go on.",
        ),
    ]
    said = conversation.history()[-1]
    assert (said.role, said.type) == ("system", "text")
    assert conversation.get_task().state == "waiting"
    model.assert_done()
    conversation, model = chat("[budget]\ntokens_per_task = 300000\n", 1)
    assert listen(conversation, "and now?")[-1] == ("text", "Yes.")
    assert [message.content for message in model.prompts[0].messages][-2:] == ["three", "and now?"]


def test_a_task_whose_cost_is_reached_stops_within_its_turn(chat, listen, module):
    budget = "[budget]\ncost_per_task = 0.5\n" + PRICES
    replies = [reply("<moss>\nprint(1)\n</moss>")] * 2
    conversation, model = chat(budget, replies, ghost=MossAgent(str(module)))
    assert listen(conversation, "go")[-1][1].startswith("Stopped: this task has cost 0.52 of 0.5. Raise cost_per_task")
    model.assert_done()
    assert conversation.get_task().state == "waiting"


def test_a_bound_on_cost_for_a_model_without_prices_is_an_error_that_names_them(chat, listen):
    conversation, model = chat("[budget]\ncost_per_task = 0.5\n", 0)
    with pytest.raises(ConfigError, match="not known what scripted costs") as caught:
        listen(conversation, "go")
    assert 'input_price and output_price under [models."scripted"]' in caught.value.advice
    assert model.prompts == []
