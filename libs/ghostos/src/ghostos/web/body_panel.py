"""Bodies beside the talk: each as the picture that its own drawing makes of it, or as a line of text.

A picture is an image, not a part of the page: nothing in it can run, or reach anything.
"""

import base64
import logging
import math
import time
from collections.abc import Callable
from html import escape
from typing import Final
from xml.etree import ElementTree

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.body_feed import BodyFeed
from ghostos.core.body_state import BodyState
from ghostos.web.markdown import escape_markdown

__all__ = ["BodyPanel", "follow_bodies"]

_DRAW_EVERY_S: Final = 0.3
_LOOK_EVERY_S: Final = 0.4
_RESTS_AFTER_S: Final = 3.0

_logger = logging.getLogger(__name__)


class BodyPanel:
    """The bodies of the application, in one run of the page.

    Args:
        bodies: Where they say how they are.
        area: Where they are drawn; nothing is, where there is none.
        on_stop: Stops them, and the turn that runs: its code would set them in motion again.
    """

    def __init__(self, bodies: BodyFeed, *, area: DeltaGenerator, on_stop: Callable[[], None]) -> None:
        self._bodies = bodies
        self._number = -1
        self._drawn_at = self._changed_at = -math.inf
        self._place: DeltaGenerator | None = None
        if bodies.look().states:
            area.button(
                "Stop moving",
                key="stop-bodies",
                on_click=on_stop,
                icon=":material/front_hand:",
                help="Stops what moves, and the turn that runs.",
            )
            self._place = area.empty()

    @property
    def number(self) -> int:
        """The news that were drawn."""
        return max(0, self._number)

    @property
    def is_live(self) -> bool:
        """Whether something moves, or has just changed: it is worth to look often."""
        is_recent = time.monotonic() - self._changed_at < _RESTS_AFTER_S
        return self._place is not None and (is_recent or self._bodies.look().is_busy)

    def draw(self) -> None:
        """Draw them, where they have changed; at most some three times a second."""
        if self._place is None or time.monotonic() - self._drawn_at < _DRAW_EVERY_S:
            return
        if self._bodies.look().number != self._number:
            self._draw_all(self._place.container())

    def hand_over(self) -> None:
        """Draw no more in the area: `follow_bodies` does now."""
        if self._place is not None:
            self._place.empty()

    def draw_again(self) -> None:
        """Draw them in the fragment that runs: it begins with nothing each time."""
        self._draw_all(st.container())

    def _draw_all(self, box: DeltaGenerator) -> None:
        news = self._bodies.look()
        self._drawn_at = time.monotonic()
        if news.number != self._number:
            self._changed_at = self._drawn_at if self._number >= 0 else -math.inf  # what is seen first may be old
            self._number = news.number
        for state in news.states:
            picture = self._picture(state)
            if picture:
                data = base64.b64encode(picture.encode()).decode()
                box.html(f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(state.text)}" width="100%">')
            else:
                box.caption(escape_markdown(state.text))

    def _picture(self, state: BodyState) -> str:
        drawing = self._bodies.find_drawing(state.body)
        try:
            picture = drawing.draw_svg(state) if drawing is not None else ""
            if picture:
                ElementTree.fromstring(picture)  # noqa: S314 - the user's own; a browser shows a broken one as such
            return picture
        except Exception:  # a drawing of the user's own
            _logger.exception("the body %s cannot be drawn: its text is shown", state.body)
            return ""


@st.fragment(run_every=_LOOK_EVERY_S)
def follow_bodies(panel: BodyPanel) -> None:
    """Draw bodies while they move; a page on which they have come to rest is run again, and looks less often."""
    panel.draw_again()
    if not panel.is_live:
        st.rerun()
