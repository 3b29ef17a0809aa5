"""What the page of threads changes: names, and threads that are deleted after a second question.

Most of it are callbacks: they run before the page is drawn, and leave what the page shows then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from ghostos.contracts.thread_search import FoundThread
from ghostos.errors import GhostOSError, ThreadNotFoundError
from ghostos.web.current_thread import get_thread, show_thread
from ghostos.web.markdown import plain
from ghostos.web.page_parts import Trouble
from ghostos.web.running import get_app
from ghostos.web.thread_keeping import Doomed, delete_thread, describe_doomed, rename_thread, title_of

__all__ = ["TROUBLE", "RefusedName", "doom", "draw_confirmation", "find_refused_name", "rename"]

TROUBLE: Final = "threads-trouble"
"""Where the page finds what could not be done at the last click."""
_REFUSED_NAME: Final = "threads-refused-name"
_DOOMED: Final = "threads-doomed"
_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class RefusedName:
    """A name that a thread did not get, and why."""

    task_id: str
    trouble: Trouble


def find_refused_name(task_id: str) -> RefusedName | None:
    """Return why a thread did not get its name at the last click, if it did not."""
    refused: RefusedName | None = st.session_state.get(_REFUSED_NAME)
    return refused if refused is not None and refused.task_id == task_id else None


def rename(thread: FoundThread, key: str) -> None:
    """Give a thread the name that was typed; the chat goes on with it.

    Args:
        thread: As it was drawn.
        key: Of what was typed.
    """
    _forget()
    name = str(st.session_state[key]).strip()
    try:
        rename_thread(get_app(), thread.id, name)
    except GhostOSError as exc:
        st.session_state[_REFUSED_NAME] = RefusedName(thread.id, Trouble.of(exc))
        return
    if get_thread() == thread.name:
        show_thread(name)
    st.toast(f"Renamed to {plain(name)}", icon=":material/check:")


def doom(threads: Sequence[FoundThread]) -> None:
    """Ask whether threads shall be deleted."""
    _forget()
    st.session_state[_DOOMED] = [Doomed(each.id, each.name, title_of(each)) for each in threads]


def draw_confirmation() -> None:
    """Ask once more, above the page, where threads are to be deleted."""
    doomed: Sequence[Doomed] = st.session_state.get(_DOOMED, ())
    if doomed:
        title = "Delete this thread?" if len(doomed) == 1 else f"Delete {len(doomed)} threads?"
        st.dialog(title, on_dismiss=_spare)(_draw_question)(doomed)


def _draw_question(doomed: Sequence[Doomed]) -> None:
    lines = [f"**{plain(each.title)}** :small[:gray[{plain(each.name)}]]" for each in doomed[:_LISTED]]
    if len(doomed) > _LISTED:
        lines.append(f"and {len(doomed) - _LISTED} more")
    st.markdown("\n\n".join(lines))
    st.markdown(describe_doomed(get_app(), doomed))
    row = st.container(horizontal=True, horizontal_alignment="right")
    if row.button("Keep", key="threads-keep"):
        _spare()
        st.rerun()
    if row.button("Delete", key="threads-delete", type="primary"):
        _delete(doomed)
        st.rerun()


def _spare() -> None:
    st.session_state.pop(_DOOMED, None)


def _delete(doomed: Sequence[Doomed]) -> None:
    """Delete one after the other; what keeps one of them does not keep the others."""
    _forget()
    app = get_app()
    shown = get_thread()
    shown_task = app.find_task(shown) if shown is not None else None
    trouble: list[Trouble] = []
    gone: set[str] = set()
    for each in doomed:
        try:
            gone.update(delete_thread(app, each.id).task_ids)
        except ThreadNotFoundError:
            gone.add(each.id)  # somebody else deleted it, or it went with the one that made it
        except GhostOSError as exc:
            trouble.append(Trouble.of(exc))
    if shown_task is not None and (shown_task.id in gone or app.find_task(shown_task.id) is None):
        show_thread(None)
    st.session_state[TROUBLE] = trouble
    if deleted := sum(each.id in gone for each in doomed):
        st.toast("Deleted a thread" if deleted == 1 else f"Deleted {deleted} threads", icon=":material/check:")


def _forget() -> None:
    for key in (TROUBLE, _REFUSED_NAME, _DOOMED):
        st.session_state.pop(key, None)
