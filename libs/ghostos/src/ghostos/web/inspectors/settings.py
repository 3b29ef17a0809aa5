"""The form for a thread's own ghost."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import streamlit as st

from ghostos.core.escaping import escape
from ghostos.core.ghost_edits import EDITABLE_FIELDS
from ghostos.core.json import Json, JsonObject
from ghostos.core.task import Task
from ghostos.errors import GhostOSError
from ghostos.web.inspection import Inspection
from ghostos.web.markdown import plain, soften
from ghostos.web.page_parts import Trouble, draw_error
from ghostos.web.running import get_app

__all__ = ["draw_settings"]

_TROUBLE: Final = "settings-trouble"
_SAVED: Final = "settings-saved"
_HELP: Final[dict[str, str]] = {
    "name": "What it is called.",
    "description": "What it is for, in one line.",
    "persona": "Who it is. The model reads this.",
    "instruction": "What it should do. The model reads this.",
    "model": "provider:model; empty is the workspace's default. --model on the command line goes before it.",
    "approve": "Which code waits for you. What the file or the command line demands stays.",
    "max_rounds": "Rounds of one turn before it waits for you.",
}


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of one thread: names of its widgets, and what is saved with them."""

    task: Task

    @property
    def fields(self) -> list[str]:
        return [name for name in EDITABLE_FIELDS if name in self.task.ghost]

    def key(self, field: str) -> str:
        """Another one for other settings: whoever else has changed them, the form shows what is in force."""
        return f"setting-{self.task.id}-{crc32(json.dumps(self.task.effective_ghost).encode())}-{field}"

    def read_changed(self) -> JsonObject:
        """Return the fields that are others than were drawn: what another page has set of the rest stays."""
        wanted: JsonObject = {name: st.session_state[self.key(name)] for name in self.fields}
        if "model" in wanted:
            wanted["model"] = str(wanted["model"]).strip() or None
        return {name: value for name, value in wanted.items() if value != self.task.effective_ghost[name]}


def draw_settings(look: Inspection, task: Task) -> None:
    """Draw the fields as they are in force, and what the file has where that is another."""
    form, edits = _Form(task), task.ghost_edits or {}
    st.markdown(
        soften("For this thread alone, from its next turn on. A turn that runs has them from its next round on.")
    )
    if task.parent_id is not None:
        st.markdown(soften("Another ghost made this one; what it may touch cannot be changed here."))
    with st.form(f"settings-{task.id}", border=False):
        for name in form.fields:
            _draw_field(
                name, task.effective_ghost[name], key=form.key(name), may_loosen=task.ghost.get("approve") != "code"
            )
            if name in edits:
                _draw_origin(name, look.find_file_ghost(task).get(name), task=task)
        st.form_submit_button("Save for this thread", type="primary", key="save-settings", on_click=_save, args=(form,))
    if edits:
        label = "Reset: as in the file" if task.parent_id is None else "Reset: as it was made"
        st.button(label, icon=":material/undo:", key="reset-settings", on_click=_reset, args=(form,))
    _draw_outcome(task)


def _draw_field(name: str, value: Json, *, key: str, may_loosen: bool) -> None:
    label, about = name.replace("_", " ").capitalize(), _HELP[name]
    if key not in st.session_state:
        st.session_state[key] = "" if value is None else value
    if name in ("persona", "instruction"):
        st.text_area(label, key=key, help=about)
    elif name == "approve":
        options = ["never", "code"] if may_loosen else ["code"]
        st.selectbox(label, options, key=key, help=about, disabled=not may_loosen)
    elif name == "max_rounds":
        st.number_input(label, key=key, help=about, min_value=1, step=1)
    else:
        st.text_input(label, key=key, help=about)


def _draw_origin(name: str, value: Json, *, task: Task) -> None:
    """Say what a field that is set stands in the place of: a later edit of it is not heard."""
    whose = "the ghost that made this one" if task.parent_id is not None else "the file"
    st.markdown(
        soften(f"Set for this thread: what {whose} says of {plain(name)} is not heard until you reset it\\. It says:")
    )
    text = "" if value is None else str(value)
    st.code(escape(text) or "(nothing)", language=None, wrap_lines=True)


def _save(form: _Form) -> None:
    """Keep the fields. A callback: it runs before the page is drawn."""
    changed = form.read_changed()
    if changed:
        _try(form, lambda look: look.edit_ghost(form.task, changed), said="Saved.")
    else:
        st.session_state[_SAVED] = form.task.id, "Nothing was changed."


def _reset(form: _Form) -> None:
    _try(form, lambda look: look.reset_ghost(form.task), said="Nothing is set for this thread any more.")


def _try(form: _Form, act: Callable[[Inspection], None], *, said: str) -> None:
    try:
        act(Inspection(get_app()))
    except GhostOSError as exc:
        st.session_state[_TROUBLE] = form.task.id, Trouble.of(exc)
    else:
        st.session_state[_SAVED] = form.task.id, said


def _draw_outcome(task: Task) -> None:
    trouble: tuple[str, Trouble] | None = st.session_state.pop(_TROUBLE, None)
    saved: tuple[str, str] | None = st.session_state.pop(_SAVED, None)
    if trouble is not None and trouble[0] == task.id:
        draw_error(st.container(), trouble[1])
    elif saved is not None and saved[0] == task.id:
        st.success(saved[1], icon=":material/check:")
