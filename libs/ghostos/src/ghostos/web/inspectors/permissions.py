"""What the code of a thread may touch now, and who says so."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ghostos.core.permission import Grant
from ghostos.core.permission_words import describe_permission, describe_scope
from ghostos.core.task import Task
from ghostos.libraries.permission_levels import KindDecision, Level
from ghostos.libraries.profiles import describe_profile
from ghostos.web.inspection import HeldNow, Inspection
from ghostos.web.markdown import plain, soften

__all__ = ["draw_permissions"]

_KIND_WORDS: Final = {
    "net": "network",
    "read": "reading files",
    "write": "writing files",
    "env": "environment variables",
    "run": "starting programs",
}
_LEVEL_WORDS: Final[dict[Level, str]] = {
    "command line": "the command line",
    "module": "the module: __moss_permissions__",
    "workspace": "the workspace: ghostos.toml",
    "nobody": "nobody: refused",
}


def draw_permissions(look: Inspection, task: Task) -> None:
    """Draw the profile, who decides each kind, and the user's clicks."""
    held = look.find_permissions(task)
    if held is None:
        st.markdown(soften("This ghost only talks: it runs no code."))
        return
    profile = {"executor": look.app.executor, "permissions": held.permissions.to_dict()}
    st.markdown(f"**{plain(describe_profile(profile))}**")
    if look.app.executor == "off":
        st.markdown(soften("Nothing below is enforced: code runs in this process (--sandbox off)."))
    if held.is_bound:
        st.markdown(
            soften("Another task made this one: it may do at most what that one might, whatever is said below.")
        )
    rows = ["| kind | decided by | allows |", "| :-- | :-- | :-- |", *(_row(each) for each in held.decisions)]
    st.markdown("\n".join(rows))
    _draw_grants("Allowed with a click", held.grants, task=task)
    _draw_grants("Clicks that hold no more", held.gone, task=task)
    _draw_left_out(held)


def _row(decision: KindDecision) -> str:
    cells = [_KIND_WORDS[decision.kind], _LEVEL_WORDS[decision.level], _describe_said(decision)]
    return f"| {' | '.join(plain(cell) for cell in cells)} |"


def _describe_said(decision: KindDecision) -> str:
    if isinstance(decision.said, bool):
        return "all" if decision.said else "nothing"
    return ", ".join(decision.said) or "nothing"


def _draw_grants(title: str, grants: Sequence[Grant], *, task: Task) -> None:
    if not grants:
        return
    st.markdown(f"**{title}**")
    lines = [f"- {plain(_describe_grant(grant, task))}" for grant in grants]
    st.markdown("\n".join(lines))


def _describe_grant(grant: Grant, task: Task) -> str:
    what = describe_permission(grant.permission)
    if grant.turn:
        over = " (it has)" if grant.turn < task.turn or task.state == "waiting" else ""
        return f"{what}: until turn {grant.turn} ends{over}"
    return f"{what}: {describe_scope(grant.scope)}"


def _draw_left_out(held: HeldNow) -> None:
    if not held.left_out:
        return
    st.markdown("**Named in ghostos\\.toml, and not granted**")
    st.markdown("\n".join(f"- {plain(each)}" for each in held.left_out))
