import pytest

from ghostos.config import ModelSettings
from ghostos.core.prompt import PromptMessage
from ghostos.ghosts.model_window import find_known_tokens, make_window
from ghostos.ghosts.prompt_fit import fit_messages
from ghostos.ghosts.thread_entries import count_message


def fit(*texts, room, longest=1_000):
    messages = [PromptMessage("user", text) for text in texts]
    return fit_messages(messages, tokens=[count_message(item) for item in messages], room=room, longest=longest)


def total(messages):
    return sum(count_message(message) for message in messages)


def test_what_fits_is_sent_as_it_is_however_long_one_message_is():
    assert [item.content for item in fit("word " * 900, "b", room=1_000, longest=500)] == ["word " * 900, "b"]


def test_a_message_that_is_too_long_loses_its_middle_and_the_others_nothing():
    first, second = fit("begin " + "word " * 5_000 + "end", "b", room=1_200)
    assert first.content.startswith("begin word")
    assert first.content.endswith("word end")
    assert "characters left out" in first.content
    assert second.content == "b"
    assert total([first, second]) <= 1_200


def test_many_long_messages_are_cut_further():
    fitted = fit(*["word " * 600] * 6, room=1_500)
    assert len(fitted) == 6
    assert total(fitted) <= 1_500


def test_where_cutting_is_not_enough_the_oldest_are_left_out_and_a_line_says_so():
    fitted = fit(*[f"{number} " + "word " * 80 for number in range(50)], room=1_000)
    left_out = 50 - len(fitted) + 1
    assert fitted[0].content == f"({left_out} earlier messages left out here: there was no room.)"
    assert fitted[-1].content.startswith("49 ")
    assert total(fitted) <= 1_000


def test_the_last_message_stays_even_where_there_is_no_room_at_all():
    assert [item.content for item in fit("a", "b", room=1)][-1] == "b"
    assert fit(room=0) == []


@pytest.mark.parametrize(
    "text", ["\U0001f600" * 30_000, "\u6f22" * 30_000, " " * 200_000 + "\u6f22" * 9_000, "a" * 100_000]
)
def test_text_of_any_density_is_cut_to_size(text):
    assert total(fit(text, room=500, longest=400)) <= 500


@pytest.mark.parametrize(
    ("label", "tokens"),
    [
        ("openai:gpt-4o-mini", 128_000),
        ("openai:gpt-4", 8_192),
        ("openai:gpt-4.1-nano", 1_000_000),
        ("openai:o1-mini", 128_000),
        ("openai:o1", 200_000),
        ("moonshot:moonshot-v1-8k", 8_192),
        ("moonshot:kimi-k2", 128_000),
        ("mine:gpt-4", 128_000),
    ],
)
def test_the_window_of_a_model_is_known_by_the_longest_beginning_of_its_name(label, tokens):
    assert find_known_tokens(label) == tokens


def test_the_settings_decide_on_a_window_and_a_small_one_leaves_little_for_a_reply():
    assert make_window("openai:gpt-4", ModelSettings(context_tokens=4_000)).context_tokens == 4_000
    assert make_window("x", ModelSettings(context_tokens=4_000)).reply_tokens == 1_000
    assert make_window("x", ModelSettings(max_output_tokens=500)).reply_tokens == 500
    assert make_window("x", ModelSettings(context_tokens=4_000)).find_room(system_tokens=9_000) == 500
