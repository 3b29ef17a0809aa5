"""A thread that outgrows its model's window: its older part is summarised, in a round of its own. Nothing is deleted.

The summary is a state message of the thread. What it stands for is sent no more; the next one is made with it.
"""

from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.round_view import RoundView
from ghostos.contracts.session import Session
from ghostos.core.json import JsonObject
from ghostos.core.prompt import ModelDelta, Prompt, PromptMessage
from ghostos.errors import ModelError, ModelResponseError
from ghostos.ghosts.measured_call import stream_reply
from ghostos.ghosts.model_window import ModelWindow, find_window
from ghostos.ghosts.prompt_fit import fit_messages
from ghostos.ghosts.summary_plan import FULL_SHARE, SummaryPlan, plan_summary
from ghostos.ghosts.summary_prompt import SUMMARY_PROMPT, render_summary_prompt
from ghostos.ghosts.thread_entries import ThreadView, count_message, read_mark
from ghostos.ghosts.thread_prompt import ThreadPrompt
from ghostos.libraries.flow import cut_middle
from ghostos_moss import count_tokens

_SUMMARY_SHARE: Final = 0.12
"""Of the room for a thread: how long its summary may be, within these bounds."""
_LEAST_SUMMARY_TOKENS: Final = 150
_MOST_SUMMARY_TOKENS: Final = 3_000
_FRAME_TOKENS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryCall:
    """A thread is to be summarised before its model is asked to go on.

    Attributes:
        plan: What the summary stands for.
        prompt: What the model is asked.
        max_tokens: How long the summary may be at most.
    """

    plan: SummaryPlan
    prompt: Prompt
    max_tokens: int


async def prepare_thread(
    session: Session, thread: ThreadPrompt, *, model: ModelDriver, system: str, state: str
) -> list[PromptMessage] | None:
    """Return what the model is sent of the thread, so that it fits into its window.

    Where the thread has become too long for that, its older part is summarised instead. Arguments as `plan_thread` has
    them.

    Returns:
        The messages; None where the round has summarised, and another one is to answer.
    """
    planned = plan_thread(session, thread, model=model, system=system, state=state)
    if not isinstance(planned, SummaryCall):
        return planned
    await _summarise(session, model=model, call=planned)
    return None


def plan_thread(
    session: RoundView, thread: ThreadPrompt, *, model: ModelDriver, system: str, state: str
) -> list[PromptMessage] | SummaryCall:
    """Return what the model is to be sent of the thread, so that it fits into its window; or the summary before that.

    Args:
        session: The round.
        thread: Renders the thread.
        model: Who is asked.
        system: What is sent before the thread.
        state: What is sent after it.
    """
    view = thread.read(session.history())
    if model.is_rehearsal:
        return [entry.message for entry in view.entries]
    window = find_window(session, model)
    if _is_surely_short(view, window=window, beside=len(system) + len(state)):
        return [entry.message for entry in view.entries]
    base = window.find_room(system_tokens=thread.count_system(system))
    room = max(base - count_tokens(state), base // 2)
    earlier = view.summary.text if view.summary is not None else ""
    beside = count_tokens(SUMMARY_PROMPT) + count_tokens(earlier) + _FRAME_TOKENS
    readable = window.find_room(system_tokens=beside)
    plan = plan_summary(view, turn=session.turn, room=room, longest=base // 2, readable=readable)
    if plan is not None:
        max_tokens = min(max(int(room * _SUMMARY_SHARE), _LEAST_SUMMARY_TOKENS), _MOST_SUMMARY_TOKENS)
        prompt = render_summary_prompt(
            plan.older, earlier=earlier, max_tokens=max_tokens, readable=readable, thread=session.task.id
        )
        return SummaryCall(plan=plan, prompt=prompt, max_tokens=2 * max_tokens)
    return _fit(view, room=room, longest=base // 2)


def count_summary_rounds(session: Session) -> int:
    """Return how many rounds of this turn have summarised instead of answering."""
    count = 0
    for message in reversed(session.history()):
        if message.turn != session.turn:
            break
        count += read_mark(message) is not None
    return count


def _is_surely_short(view: ThreadView, *, window: ModelWindow, beside: int) -> bool:
    """Whether the thread is short whatever its characters are. Spares counting tokens."""
    if view.summary is not None or view.gaps:
        return False
    return beside + view.most_tokens < FULL_SHARE * window.find_room(system_tokens=0)


def _fit(view: ThreadView, *, room: int, longest: int) -> list[PromptMessage]:
    recent = view.list_recent()
    messages, tokens = [entry.message for entry in recent], [entry.tokens for entry in recent]
    opening = view.opening
    if opening is None:
        return fit_messages(messages, tokens=tokens, room=room, longest=longest)
    left = max(room - count_message(opening), room // 4)
    return [opening, *fit_messages(messages, tokens=tokens, room=left, longest=longest)]


async def _summarise(session: Session, *, model: ModelDriver, call: SummaryCall) -> None:
    """Leave a summary in the thread, or a word that there is none and what is left out for it."""
    try:
        text = await _ask(session, model=model, prompt=call.prompt)
    except ModelError as exc:
        _add_gap(session, call.plan, reason=exc.happened)
        return
    if (tokens := count_tokens(text)) > call.max_tokens:
        text = cut_middle(text, max_chars=len(text) * call.max_tokens // tokens)
    last = call.plan.older[-1]
    data: JsonObject = {
        "summary": text,
        "up_to_seq": last.seq,
        "first_turn": 1,
        "last_turn": last.turn,
        "tokens": count_tokens(text),
    }
    session.add(f"Summarised {_name_turns(1, last.turn)}.", role="environment", type="state", data=data)


def _add_gap(session: Session, plan: SummaryPlan, *, reason: str) -> None:
    first, last = plan.skipped[0], plan.skipped[-1]
    data: JsonObject = {
        "summary": "",
        "up_to_seq": last.seq,
        "first_turn": first.turn,
        "last_turn": last.turn,
        "reason": reason,
    }
    turns = _name_turns(first.turn, last.turn)
    text = f"{turns.capitalize()} could not be summarised, and the model is not sent them any more: {reason}"
    session.add(text, role="environment", type="state", data=data)


async def _ask(session: Session, *, model: ModelDriver, prompt: Prompt) -> str:
    received: list[str] = []
    end: ModelDelta | None = None
    async with aclosing(stream_reply(session, model=model, prompt=prompt)) as deltas:
        async for delta in deltas:
            if delta.kind == "text":
                received.append(delta.text)
            elif delta.kind == "done":
                end = delta
    text = "".join(received).strip()
    if end is None or end.finish_reason == "filter" or not text:
        raise ModelResponseError(f"{model.label} gave no summary.", advice="It is asked again in a later turn.")
    return text


def _name_turns(first: int, last: int) -> str:
    return f"turn {last}" if first == last else f"turns {first}\u2013{last}"
