"""What rounds changed of the values of `moss`, as diffs."""

from typing import Final

import streamlit as st

from ghostos.contracts.task_records import ChangingRound
from ghostos.core.escaping import escape
from ghostos.core.task import Task
from ghostos.ghosts.values_text import diff_pycontexts, list_value_lines
from ghostos.web.inspection import Inspection
from ghostos.web.markdown import soften
from ghostos.web.moments import name_moment
from ghostos_moss import PyContext

__all__ = ["draw_values"]

_NONE_YET: Final = "No round has changed a value of moss yet."
_OF_FORK: Final = (
    "No round of this thread has changed a value of moss: it began with those of the thread that it was forked from."
)
_LISTED: Final = 200
_CHARS_SHOWN: Final = 200_000


def draw_values(look: Inspection, task: Task) -> None:
    """Draw the values as they are, and the diff of a chosen round."""
    with st.expander("Values of moss now", key=f"values-{task.id}"):
        _draw_now(task)
    rounds = look.list_changing_rounds(task, limit=_LISTED)
    if not rounds:
        st.markdown(soften(_OF_FORK if task.forked_from is not None and task.pycontext else _NONE_YET))
        return
    chosen: ChangingRound = st.selectbox(
        "Rounds that changed something", rounds, format_func=_name_round, key=f"values-round-{task.id}-{len(rounds)}"
    )
    if len(rounds) == _LISTED:
        st.markdown(soften(f"Only the last {_LISTED} are listed."))
    change = look.find_change(task, number=chosen.round)
    if change is None:
        st.markdown(soften("This round is not there any more."))
        return
    for side, known in (("before", change.before), ("after", change.after)):
        if known is None:
            st.markdown(
                soften(f"What there was {side} it is not known: it took more than a million characters, or is too old.")
            )
    diff = diff_pycontexts(change.before, change.after)
    st.code(escape(diff[:_CHARS_SHOWN]) or "(no difference)", language="diff")
    if len(diff) > _CHARS_SHOWN:
        st.markdown(soften(f"{len(diff) - _CHARS_SHOWN:,} more characters are not shown."))


def _draw_now(task: Task) -> None:
    values = PyContext.model_validate(task.pycontext or {}).values
    lines = [line for name, value in values.items() for line in list_value_lines(name, value)]
    st.code(escape("\n".join(lines)[:_CHARS_SHOWN]) or "(none is stored)", language="python", wrap_lines=True)


def _name_round(changed: ChangingRound) -> str:
    rewound = " (rewound)" if changed.is_rewound else ""
    return f"turn {changed.turn}, round {changed.round}{rewound} · {name_moment(changed.committed_at)}"
