"""The prompt as it was sent, part by part, with what each part takes of the model's window."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from ghostos.contracts.sent_prompts import SentPrompt
from ghostos.core.escaping import escape
from ghostos.core.prompt import AssetMessage, Prompt, PromptMessage
from ghostos.core.task import Task
from ghostos.core.trace import ModelCall
from ghostos.ghosts.prompt_parts import CountedPart, count_parts, list_thread_messages
from ghostos.web.inspection import Inspection
from ghostos.web.inspectors.times import name_moment
from ghostos.web.markdown import plain

__all__ = ["draw_prompt"]

_NEXT: Final = 0
"""Stands for the call that was not made yet."""
_MESSAGES_SHOWN: Final = 30
_CHARS_SHOWN: Final = 100_000
"""Of one part or message: a browser takes long for more. The download has all."""


def draw_prompt(look: Inspection, task: Task) -> None:
    """Draw the choice of calls, then one prompt."""
    kept = look.list_prompts(task)
    calls = look.list_calls(task)
    missing = sorted({number for number, made in calls.items() if made} - {each.round for each in kept})
    options = [*range(len(kept), 0, -1), _NEXT]
    labels = {at: _name_call(sent) for at, sent in enumerate(kept, start=1)}
    labels[_NEXT] = "the next call, as it would be sent now"
    chosen: int = st.selectbox("Call", options, format_func=lambda at: labels[at], key=f"prompt-{task.id}-{len(kept)}")
    if missing:
        st.caption(
            f"Not kept any more: what was sent in {_name_rounds(missing)}. Prompts of a thread's last 10 calls stay in "
            "the memory of the process that made them, and go with it."
        )
    if chosen == _NEXT:
        _draw_next(look, task)
        return
    sent = kept[chosen - 1]
    st.caption(f"As it was sent to {plain(sent.model)} at {plain(name_moment(sent.sent_at))}.")
    _draw_call(_find_call(calls.get(sent.round, ()), kept=kept, sent=sent))
    _draw(sent.prompt, name=f"{task.name}-round-{sent.round}")


def _draw_next(look: Inspection, task: Task) -> None:
    st.caption(
        "Not sent: made now, by the code that makes a round's prompt. What is said next would stand before the state. "
        "The module is compiled for it; no model is called, and nothing is stored."
    )
    if st.button("Make it", icon=":material/preview:", key="preview-prompt"):
        _draw(look.preview_prompt(task), name=f"{task.name}-next")


def _draw(prompt: Prompt, *, name: str) -> None:
    parts = count_parts(prompt)
    total = sum(part.tokens for part in parts)
    st.markdown("\n".join(["| part | tokens |", "| :-- | --: |", *map(_row, parts), f"| **all** | **{total:,}** |"]))
    st.download_button(
        "Download as JSON",
        partial(_dump, prompt),
        file_name=f"{name}.prompt.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        key=f"download-{name}",
    )
    for part in parts:
        with st.expander(f"{part.name} · {part.tokens:,} tokens", key=f"part-{name}-{part.name}"):
            if part.name == "thread":
                _draw_thread(list_thread_messages(prompt))
            else:
                _draw_text(part.text)


def _draw_thread(messages: Sequence[PromptMessage]) -> None:
    if not messages:
        st.caption("Nothing was said yet.")
    if len(messages) > _MESSAGES_SHOWN:
        left = len(messages) - _MESSAGES_SHOWN
        st.caption(f"{left:,} earlier messages are not shown here; the download has them.")
    for message in messages[-_MESSAGES_SHOWN:]:
        st.caption(message.role)
        _draw_text(message.content)
        if isinstance(message, AssetMessage):
            st.caption(f"To a model that takes it, the file itself is sent instead, with: {plain(message.caption)}")


def _draw_text(text: str) -> None:
    shown = escape(text[:_CHARS_SHOWN])
    st.code(shown, language=None, wrap_lines=True)
    if len(text) > _CHARS_SHOWN:
        st.caption(f"{len(text) - _CHARS_SHOWN:,} more characters are not shown here; the download has them.")


def _draw_call(call: ModelCall | None) -> None:
    """Say what the service counted, beside our own count."""
    if call is None:
        return
    if not call.input_tokens:
        st.caption("The service said nothing of how many tokens it read.")
        return
    cached = f", {call.cached_tokens:,} of them from its cache" if call.cached_tokens else ""
    st.caption(
        f"The service counted {call.input_tokens:,} tokens read{cached}, {call.output_tokens:,} written; "
        f"{call.duration_s:.1f} s."
    )


def _find_call(calls: Sequence[ModelCall], *, kept: Sequence[SentPrompt], sent: SentPrompt) -> ModelCall | None:
    """Return what was measured of a call: a round's prompts have the order of its calls, and its last ones are kept."""
    of_round = [each for each in kept if each.round == sent.round]
    at = next(index for index, each in enumerate(of_round) if each is sent) - len(of_round)
    return calls[at] if len(calls) >= len(of_round) else None


def _row(part: CountedPart) -> str:
    many = f" ({part.messages:,} messages)" if part.name == "thread" else ""
    return f"| {plain(part.name)}{many} | {part.tokens:,} |"


def _dump(prompt: Prompt) -> str:
    messages = [{"role": each.role, "content": each.content} for each in prompt.messages]
    return json.dumps({"messages": messages}, ensure_ascii=False, indent=1)


def _name_call(sent: SentPrompt) -> str:
    return f"round {sent.round} · {escape(sent.model)} · {name_moment(sent.sent_at)}"


def _name_rounds(rounds: Sequence[int]) -> str:
    first, last = rounds[0], rounds[-1]
    return f"round {first}" if first == last else f"{len(rounds)} rounds ({first} to {last})"
