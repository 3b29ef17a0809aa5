"""What of a thread is summarised, and what stays as it was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ghostos.ghosts.thread_entries import ThreadEntry, ThreadView, count_message

FULL_SHARE: Final = 0.6
"""Of the room for a thread: beyond it, what is old is summarised."""

_KEPT_SHARE: Final = 0.25
"""Of the room: what of the last turns stays verbatim."""
_LEAST_SHARE: Final = 0.1
"""Of the room: less than that is not worth a summary."""
_MOST_WAIT_TURNS: Final = 16
_ENTRY_FRAME_TOKENS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPlan:
    """What is to be done.

    Attributes:
        older: What is summarised now, oldest first; never empty.
        skipped: What is left out if that fails: `older` and whatever else has no room, oldest first.
    """

    older: Sequence[ThreadEntry]
    skipped: Sequence[ThreadEntry]


def plan_summary(view: ThreadView, *, turn: int, room: int, longest: int, readable: int) -> SummaryPlan | None:
    """Return what is to be summarised now; None while all of it has room, or where nothing is gained by it.

    A turn that goes on stays whole while it has room itself. After a summary that failed it is tried again in a later
    turn: at once where there is no room again, else after more and more turns.

    Args:
        view: The thread.
        turn: The number of the turn that goes on.
        room: What the thread may take, in tokens.
        longest: What a message takes at most, in tokens: a longer one is sent cut.
        readable: What the summary may be made of at once, in tokens; the rest is for the next round.
    """
    used = _count_recent(view, longest=longest)
    is_full = used > FULL_SHARE * room
    if not is_full and not _is_due_again(view, turn=turn):
        return None
    if view.gaps and view.gaps[-1].turn >= turn:
        return None
    entries = view.since_summary
    skipped = entries[: _find_kept(entries, turn=turn, room=room)]
    is_worth = _count(skipped, longest=longest) >= _LEAST_SHARE * room
    if not is_worth and used > room:
        skipped = entries[: _find_kept_of_turn(entries, room=room)]
        is_worth = _count(skipped, longest=longest) >= _LEAST_SHARE * room
    if not is_worth:
        return None
    return SummaryPlan(older=_take_readable(skipped, readable=readable), skipped=skipped)


def _is_due_again(view: ThreadView, *, turn: int) -> bool:
    if not view.gaps:
        return False
    return turn - view.gaps[-1].turn >= min(2 ** (len(view.gaps) - 1), _MOST_WAIT_TURNS)


def _find_kept(entries: Sequence[ThreadEntry], *, turn: int, room: int) -> int:
    """Return the first entry that stays: of the turn that goes on, or of those before it while they are short."""
    kept_from, tokens = len(entries), 0
    for index in range(len(entries) - 1, -1, -1):
        entry = entries[index]
        tokens += entry.tokens
        if entry.turn < turn and tokens > _KEPT_SHARE * room:
            break
        if index == 0 or entries[index - 1].turn != entry.turn:
            kept_from = index
    return kept_from


def _find_kept_of_turn(entries: Sequence[ThreadEntry], *, room: int) -> int:
    """Return the first entry that stays of a turn that is too long: a reply of the model, or the last entry."""
    tokens, kept_from = 0, max(len(entries) - 1, 0)
    for index in range(len(entries) - 1, 0, -1):
        tokens += entries[index].tokens
        if tokens > _KEPT_SHARE * room:
            break
        if entries[index].message.role == "assistant":
            kept_from = index
    return kept_from


def _take_readable(entries: Sequence[ThreadEntry], *, readable: int) -> Sequence[ThreadEntry]:
    """Return as many whole turns from the beginning as can be read at once; of a longer turn, what can."""
    tokens, whole_turns = 0, 0
    for index, entry in enumerate(entries):
        tokens += entry.tokens + _ENTRY_FRAME_TOKENS
        if tokens > readable:
            return entries[: whole_turns or max(index, 1)]
        if index + 1 == len(entries) or entries[index + 1].turn != entry.turn:
            whole_turns = index + 1
    return entries


def _count_recent(view: ThreadView, *, longest: int) -> int:
    opening = view.opening
    beside = count_message(opening) if opening is not None else 0
    return beside + _count(view.list_recent(), longest=longest)


def _count(entries: Sequence[ThreadEntry], *, longest: int) -> int:
    return sum(min(entry.tokens, longest) for entry in entries)
