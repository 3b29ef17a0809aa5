"""Code that waits for a person, with what can be said to it."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.core.code_approval import CodeDecision, PendingCode

__all__ = ["ApprovalCard", "CodeReply"]


class CodeReply:
    """What the fields of a card say when one of its buttons is clicked.

    Args:
        pending: The code that the card showed.
        decision: What the button stands for.
    """

    def __init__(self, pending: PendingCode, decision: CodeDecision) -> None:
        self.id = pending.id
        self.hash = pending.hash
        self.decision: CodeDecision = decision

    @property
    def code(self) -> str:
        """What shall run in its place; of an edit."""
        return self._read("edited") if self.decision == "edit" else ""

    @property
    def reason(self) -> str:
        """Why not; of a rejection."""
        return self._read("reason").strip() if self.decision == "reject" else ""

    def _read(self, field: str) -> str:
        return str(st.session_state.get(f"{field}-{self.id}") or "")


class ApprovalCard:
    """Shows the code that waits, as long as it does; drawn once in a run of the page.

    Args:
        place: A placeholder: it holds one element.
        on_answer: What a click does.
    """

    def __init__(self, place: DeltaGenerator, *, on_answer: Callable[[CodeReply], None]) -> None:
        self._place = place
        self._on_answer = on_answer
        self._shown: str | None = None

    def show(self, pending: PendingCode | None) -> None:
        """Draw what waits, and take away what does not any more."""
        if pending is None:
            self._place.empty()
        elif pending.id != self._shown:
            self._draw(self._place.container(border=True, gap="small"), pending)
        self._shown = pending.id if pending else None

    def _draw(self, card: DeltaGenerator, pending: PendingCode) -> None:
        card.markdown(":material/pan_tool: **The agent wants to run this code.**")
        card.code(pending.code, language="python", wrap_lines=True)
        card.button(
            "Approve",
            key=f"approve-{pending.id}",
            type="primary",
            on_click=self._on_answer,
            args=(CodeReply(pending, "approve"),),
        )
        with card.form(f"answer-{pending.id}", border=False):
            st.text_input("Why not? For the agent", key=f"reason-{pending.id}")
            st.form_submit_button("Reject", on_click=self._on_answer, args=(CodeReply(pending, "reject"),))
        with card.expander("Run other code in its place"), st.form(f"edit-{pending.id}", border=False):
            st.text_area("Code", value=pending.code, key=f"edited-{pending.id}", height="content")
            st.form_submit_button("Run this instead", on_click=self._on_answer, args=(CodeReply(pending, "edit"),))
        card.markdown(":small[:gray[If you say something else instead, it is not run.]]")
