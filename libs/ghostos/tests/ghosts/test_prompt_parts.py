"""Prompts taken apart and counted."""

import gc
import weakref

from ghostos.core.prompt import Prompt, PromptMessage
from ghostos.ghosts.prompt_parts import count_parts
from ghostos_moss import count_tokens


class Text(str):
    """A text of which it can be told whether anybody still has it."""


def test_parts_are_counted_the_same_each_time_and_half_characters_too() -> None:
    text = "Hello \ud800 world. " * 50
    prompt = Prompt(messages=[PromptMessage("system", "Be brief."), PromptMessage("user", text)])
    for _ in range(2):
        system, thread = count_parts(prompt)
        assert (system.tokens, thread.tokens) == (count_tokens("Be brief."), count_tokens(text))


def test_no_text_is_kept_for_having_been_counted() -> None:
    text = Text("Hello world. " * 1000)
    gone = weakref.ref(text)
    count_parts(Prompt(messages=[PromptMessage("user", text)]))
    del text
    gc.collect()
    assert gone() is None
