"""The prompt as a driver was given it, part by part, with what each part takes of the model's window."""

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
from ghostos.web.markdown import plain, soften
from ghostos.web.moments import name_moment
from ghostos.web.thread_keeping import name_export

__all__ = ["draw_prompt"]

_NEXT: Final = 0
"""Stands for the call that was not made yet."""
_NOT_SENT: Final = (
    "Not sent: made now, by the code that makes a round's prompt. What is said next would stand before the state. "
    "The module is compiled for it; no model is called, and nothing is stored."
)
_ON_THE_WIRE: Final = (
    "What goes over the wire is this, but for: files of the thread, which a model that sees gets themselves; system "
    "messages, which are the user's where a service knows no others; and how long the answer may be."
)
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
        gone = (
            f"Not kept any more: what was sent in {_name_rounds(missing)}. Prompts of a thread's last 10 calls stay in"
        )
        st.markdown(soften(f"{gone} the memory of the process that made them, and go with it."))
    if chosen == _NEXT:
        _draw_next(look, task)
        return
    sent = kept[chosen - 1]
    to = f"{plain(sent.model)} at {plain(name_moment(sent.sent_at))}"
    st.markdown(soften(f"As it was given to the driver of {to}. {_ON_THE_WIRE}"))
    _draw_call(_find_call(calls.get(sent.round, ()), kept=kept, sent=sent))
    _draw(sent.prompt, task=task, call=f"round-{sent.round}")


def _draw_next(look: Inspection, task: Task) -> None:
    st.markdown(soften(_NOT_SENT))
    if st.button("Make it", icon=":material/preview:", key="preview-prompt"):
        _draw(look.preview_prompt(task), task=task, call="next")


def _draw(prompt: Prompt, *, task: Task, call: str) -> None:
    parts = count_parts(prompt)
    total = sum(part.tokens for part in parts)
    st.markdown("\n".join(["| part | tokens |", "| :-- | --: |", *map(_row, parts), f"| **all** | **{total:,}** |"]))
    st.download_button(
        "Download as JSON",
        partial(_dump, prompt),
        file_name=name_export(task.name, form=f"{call}.prompt.json"),
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        key=f"download-{task.id}-{call}",
    )
    for part in parts:
        with st.expander(f"{part.name} · {part.tokens:,} tokens", key=f"part-{task.id}-{call}-{part.name}"):
            if part.name == "thread":
                _draw_thread(list_thread_messages(prompt))
            else:
                _draw_text(part.text)


def _draw_thread(messages: Sequence[PromptMessage]) -> None:
    if not messages:
        st.markdown(soften("Nothing was said yet."))
    if len(messages) > _MESSAGES_SHOWN:
        left = len(messages) - _MESSAGES_SHOWN
        st.markdown(soften(f"{left:,} earlier messages are not shown here; the download has them."))
    for message in messages[-_MESSAGES_SHOWN:]:
        st.markdown(soften(message.role))
        _draw_text(message.content)
        if isinstance(message, AssetMessage):
            st.markdown(
                soften(f"To a model that takes it, the file itself is sent instead, with: {plain(message.caption)}")
            )


def _draw_text(text: str) -> None:
    shown = escape(text[:_CHARS_SHOWN])
    st.code(shown, language=None, wrap_lines=True)
    if len(text) > _CHARS_SHOWN:
        st.markdown(soften(f"{len(text) - _CHARS_SHOWN:,} more characters are not shown here; the download has them."))


def _draw_call(call: ModelCall | None) -> None:
    """Say what the service counted, beside our own count."""
    if call is None:
        return
    if not call.input_tokens:
        st.markdown(soften("The service said nothing of how many tokens it read."))
        return
    cached = f", {call.cached_tokens:,} of them from its cache" if call.cached_tokens else ""
    st.markdown(
        soften(
            f"The service counted {call.input_tokens:,} tokens read{cached}, {call.output_tokens:,} written; "
            f"{call.duration_s:.1f} s."
        )
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
