"""What several pages draw. What models, their code and users wrote is never HTML, and never the page's own markup."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.store import ThreadSummary
from ghostos.contracts.thread_search import FoundThread
from ghostos.core.permission_words import show_hidden
from ghostos.errors import GhostOSError
from ghostos.web.markdown import plain

__all__ = ["Trouble", "draw_error", "name_thread", "titled"]

_WORDS: Final = 48
_WIDTH: Final = 880
_MADE_NAME: Final = re.compile(r"t-[0-9a-f-]{8,}(?P<fork>(?:~\d+)*)")
"""A name that nobody has chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong, as a session keeps it: an error itself would keep all that its frames hold, a key even.

    Attributes:
        happened: What happened.
        advice: What to do about it; may be empty.
    """

    happened: str
    advice: str = ""

    @classmethod
    def of(cls, error: GhostOSError) -> Self:
        """Take what an error says."""
        return cls(happened=error.happened, advice=error.advice)


@contextmanager
def titled(title: str) -> Generator[None]:
    """Draw a page's title, and what is drawn meanwhile below it: all pages but the talk have one look and width."""
    with st.container(width=_WIDTH):
        st.markdown(f"### {title}", anchors=False)
        yield


def draw_error(place: DeltaGenerator, error: GhostOSError | Trouble) -> None:
    """Draw what went wrong and what to do about it."""
    lines = [f"**{plain(error.happened)}**", plain(error.advice)]
    place.error("\n\n".join(line for line in lines if line), icon=":material/error:")


def name_thread(thread: ThreadSummary | FoundThread, *, most: int = _WORDS) -> str:
    """Return what a thread is called on one line, as Markdown: the name that it was given, else what was said first.

    What is kept of it, by going back, has its number behind that.
    """
    made = _MADE_NAME.fullmatch(thread.name)
    words = (show_hidden(" ".join(thread.begins.split())) if made else "") or thread.name
    suffix = f" {made['fork']}" if made and made["fork"] else ""
    return plain((words if len(words) <= most else f"{words[: most - 1]}…") + suffix)
