"""The page of all tasks: who made whom, where each stands, and the processes at work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.task_records import TaskLine, TaskListing
from ghostos.core.node import Node
from ghostos.core.task import TaskState
from ghostos.errors import GhostOSError
from ghostos.web.inspection import Inspection
from ghostos.web.markdown import plain, soften
from ghostos.web.moments import name_moment
from ghostos.web.page_parts import Trouble, draw_error, titled
from ghostos.web.pages.thread_row import OpenThread
from ghostos.web.pages.watching import watch
from ghostos.web.running import get_app
from ghostos.web.task_forest import Leaf, list_forest

__all__ = ["draw_matrix_page"]

_Colour = Literal["blue", "green", "gray", "orange", "red"]

_COLOURS: Final[dict[TaskState, _Colour]] = {
    "new": "gray",
    "running": "blue",
    "waiting": "gray",
    "parked": "orange",
    "finished": "green",
    "failed": "red",
    "cancelled": "orange",
}
_LISTED: Final = 40
_MORE: Final = 80
_MOST: Final = 400
"""A browser takes long for more: whoever looks for an older one finds it among the threads."""
_INDENT: Final = 24
_NAME_CHARS: Final = 60
_SHOWN: Final = "matrix-shown"
_TROUBLE: Final = "matrix-trouble"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the page shows."""

    listing: TaskListing
    nodes: list[Node]


def draw_matrix_page(*, on_open: OpenThread, on_inspect: OpenThread) -> None:
    """Draw the tasks, and draw them again when they are others.

    Args:
        on_open: Goes to where one talks in a thread.
        on_inspect: Goes to where one looks into it.
    """
    look = Inspection(get_app())
    with titled("Matrix"):
        choice = st.container(horizontal=True)
        only_unfinished = choice.toggle(
            "Only unfinished", key="matrix-unfinished", help="Without those that have ended."
        )
        everywhere = choice.toggle("Of every target", key="matrix-everywhere", help="All tasks of the workspace.")
        shown = int(st.session_state.get(_SHOWN, _LISTED))

        def read() -> _Seen:
            listing = look.list_tasks(limit=shown, only_target=not everywhere, only_unfinished=only_unfinished)
            return _Seen(listing, look.list_nodes())

        try:
            number = look.find_change_number()  # before it is read: what comes meanwhile is seen by the next look
            seen = read()
        except GhostOSError as exc:
            draw_error(st.container(), exc)
            return
        _draw_trouble()
        _draw_tasks(seen.listing, on_open=on_open, on_inspect=on_inspect)
        _draw_nodes(seen)
        watch(look, number=number, is_another=lambda: read() != seen)


def _draw_tasks(listing: TaskListing, *, on_open: OpenThread, on_inspect: OpenThread) -> None:
    if not listing.tasks:
        st.markdown(soften("There is none."))
        return
    names = {task.id: task.name for task in listing.tasks}
    target = get_app().target.name
    rows = st.container(gap="xxsmall")
    for leaf in list_forest(listing.tasks):
        _draw_leaf(rows, leaf, names=names, own_target=target, on_open=on_open, on_inspect=on_inspect)
    hidden = listing.total - len(listing.tasks)
    if hidden <= 0:
        return
    st.markdown(soften(f"{hidden:,} tasks are not shown: those last used come first."))
    if len(listing.tasks) < _MOST:
        st.button("Show more", key="matrix-more", icon=":material/expand_more:", on_click=_show_more)


def _draw_leaf(
    rows: DeltaGenerator,
    leaf: Leaf,
    *,
    names: Mapping[str, str],
    own_target: str,
    on_open: OpenThread,
    on_inspect: OpenThread,
) -> None:
    task = leaf.task
    row = rows.container(horizontal=True, vertical_alignment="center", gap="small", key=f"task-{task.id}")
    if leaf.depth:
        row.space(_INDENT * leaf.depth)
    is_own = task.target == own_target
    name = task.name
    label = plain(name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…")
    why = "" if is_own else "It belongs to another target."
    if row.button(label, key=f"open-{task.id}", type="tertiary", disabled=not is_own, help=why or "Open in the chat"):
        on_open(task.name)
    row.badge(task.state, color=_COLOURS[task.state])
    label = f"Inspect {label}" if is_own else ""
    if is_own and row.button(
        "Inspect", key=f"inspect-{task.id}", type="tertiary", icon=":material/search:", help=label
    ):
        on_inspect(task.name)
    if task.state == "running":
        row.button("Stop", key=f"stop-{task.id}", icon=":material/stop_circle:", on_click=_stop, args=(task.id,))
    row.markdown(soften(plain(_describe(task, names=names, is_own=is_own))))


def _describe(task: TaskLine, *, names: Mapping[str, str], is_own: bool) -> str:
    tokens = task.usage.input_tokens + task.usage.output_tokens
    parts = [f"turn {task.turn}", f"{tokens:,} tokens"]
    if task.cost:
        parts.append(f"cost {task.cost:,.4g}")
    if task.waits_for:
        parts.append("waits for " + ", ".join(names.get(each, each) for each in task.waits_for))
    if task.owner is not None:
        parts.append(f"process {task.owner.pid}")
    if not is_own:
        parts.append(task.target)
    parts.append(name_moment(task.updated_at))
    return " · ".join(parts)


def _draw_nodes(seen: _Seen) -> None:
    st.markdown("#### Processes at work", anchors=False)
    if not seen.nodes:
        st.markdown(soften("None."))
    for node in seen.nodes:
        count = sum(task.owner == node.owner for task in seen.listing.tasks)
        at_work = f" · at work on {count} of these tasks" if count else ""
        st.markdown(soften(f"process {node.owner.pid} · since {plain(name_moment(node.started_at))}{at_work}"))


def _show_more() -> None:
    st.session_state[_SHOWN] = min(int(st.session_state.get(_SHOWN, _LISTED)) + _MORE, _MOST)


def _stop(task_id: str) -> None:
    """Stop a task's turn. A callback: it runs before the page is drawn."""
    try:
        Inspection(get_app()).stop_turn(task_id)
    except GhostOSError as exc:
        st.session_state[_TROUBLE] = Trouble.of(exc)


def _draw_trouble() -> None:
    trouble: Trouble | None = st.session_state.pop(_TROUBLE, None)
    if trouble is not None:
        draw_error(st.container(), trouble)
