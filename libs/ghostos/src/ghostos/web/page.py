"""The page: who is talked with, the thread, and where the user types. Runs from top to bottom after every input."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.abcd import Conversation
from ghostos.core.message import Message
from ghostos.core.permission import Scope
from ghostos.errors import GhostOSError, ThreadNotFoundError
from ghostos.web.app import ModelInfo, QueuedInput, WebApp
from ghostos.web.approval_card import ApprovalCard, CodeReply
from ghostos.web.body_panel import BodyPanel, follow_bodies
from ghostos.web.markdown import escape_markdown
from ghostos.web.message_drawing import draw_error, draw_user_text, open_bubble
from ghostos.web.permission_cards import PermissionCards
from ghostos.web.running import get_app
from ghostos.web.thread_menu import draw_thread_menu
from ghostos.web.thread_view import ThreadView
from ghostos.web.turn_feed import TurnFeed

__all__ = ["draw_page"]

_THREAD = "thread"
_UNSAID = "unsaid"
_REFUSED = "refused"
_BEGAN = "began"
_TURNS = "turns"

_ICON = "👻"
"""An emoji: Streamlit's own icons are fetched from elsewhere, and a picture costs the import of numpy."""

_LOOK_S = 0.1
"""Longest time without a look at what the user did."""
_DRAW_EVERY_S = 0.04
_DRAWN_PER_S = 400_000
"""Characters a second that a browser is sent at most: a long text is drawn less often."""
_WATCH_EVERY_S = 2.0
_COMMITTED_AFTER_S = 0.3
"""A round that has put something out is committed by then, in general, or looked at again so much later: from its
commit on, what it was refused can be answered."""
_THREADS_LISTED = 20
_SIDEBAR_WIDTH = 380
_TURNS_SHOWN = 30
"""A browser takes a second for a hundred turns: earlier ones are shown when they are asked for."""

_STOP_HELP = "Stops this turn, and what waits behind it. What was said stays in the thread."


@dataclass(frozen=True, slots=True)
class _Unsaid:
    """What the user typed and could not be stored, and why."""

    text: str
    error: GhostOSError


def draw_page() -> None:
    """Draw the page for the thread that its address names, and stay with the turn that runs, if one does."""
    app = get_app()
    sidebar = _SIDEBAR_WIDTH if app.bodies.look().states else "auto"
    st.set_page_config(
        page_title=f"{app.title} · GhostOS", page_icon=_ICON, layout="centered", initial_sidebar_state=sidebar
    )
    try:
        name = _thread_name(app)
        model = app.describe_model()
        _draw_head(app, model=model, thread=name)
        profile = st.empty()
        _draw_profile(profile, app, thread=name)
        if model.missing_key is not None:
            _draw_missing_key(app, model=model)
        conversation = app.find_conversation(name) if name else None
        st.chat_input("Say something", key="said", on_submit=_say_typed, disabled=model.missing_key is not None)
        panel = BodyPanel(app.bodies, area=st.sidebar, on_stop=_stop)
        panel.draw()
        part = _ThreadPart(app, conversation=conversation, model=model, panel=panel)
        is_well = part.draw()
        _draw_profile(profile, app, thread=name)  # again: what a click allowed has come into effect since
        if is_well and name is not None:
            _watch(app, thread=name, next_seq=part.next_seq, body_news=None if panel.is_live else panel.number)
        if panel.is_live:
            panel.hand_over()
            with st.sidebar:
                follow_bodies(panel)
    except GhostOSError as exc:
        draw_error(st.container(), exc.happened, advice=exc.advice)


def _thread_name(app: WebApp) -> str | None:
    """Return the thread of the page's address; a page that was opened without one begins with the application's."""
    if not st.session_state.get(_BEGAN):
        st.session_state[_BEGAN] = True
        if _THREAD not in st.query_params and app.first_thread is not None:
            st.query_params[_THREAD] = app.first_thread
    return st.query_params.get(_THREAD) or None


def _say_typed() -> None:
    _say(st.session_state["said"])


def _say(text: str) -> None:
    """Store what the user said. A callback: it runs before anything can interrupt the page."""
    app = get_app()
    _forget_errors()
    if not text.strip():
        return
    try:
        conversation = app.open_conversation(st.query_params.get(_THREAD) or None)
        conversation.talk(text)
    except GhostOSError as exc:
        st.session_state[_UNSAID] = _Unsaid(text, exc)
    else:
        st.query_params[_THREAD] = conversation.thread


def _allow(request_id: str, scope: Scope) -> None:
    """Allow what a card shows. A callback, like `_say`: the id is all that it knows, the conversation looks it up."""
    _forget_errors()
    try:
        _get_conversation(st.query_params.get(_THREAD) or "").allow(request_id, scope=scope)
    except GhostOSError as exc:
        st.session_state[_REFUSED] = exc


def _answer_code(reply: CodeReply) -> None:
    """Say what shall become of the code that a card shows. A callback, like `_say`."""
    _forget_errors()
    try:
        conversation = _get_conversation(st.query_params.get(_THREAD) or "")
        conversation.answer_code(reply.id, reply.decision, code_hash=reply.hash, code=reply.code, reason=reply.reason)
    except GhostOSError as exc:
        st.session_state[_REFUSED] = exc


def _stop() -> None:
    """Stop the turn that runs, if one does, and what moves. A callback, like `_say`."""
    _forget_errors()
    try:
        try:
            if (conversation := get_app().find_conversation(st.query_params.get(_THREAD) or "")) is not None:
                conversation.cancel()
        finally:
            get_app().stop_bodies()
    except GhostOSError as exc:
        st.session_state[_REFUSED] = exc


def _get_conversation(thread: str) -> Conversation:
    conversation = get_app().find_conversation(thread)
    if conversation is None:
        raise ThreadNotFoundError(thread)
    return conversation


def _begin_thread() -> None:
    _open_thread(None)


def _open_thread(name: str | None) -> None:
    """Show another thread, None is a new one. A callback, like `_say`."""
    if name is None:
        st.query_params.pop(_THREAD, None)
    else:
        st.query_params[_THREAD] = name
    st.session_state.pop(_TURNS, None)
    _forget_errors()


def _forget_errors() -> None:
    st.session_state.pop(_UNSAID, None)
    st.session_state.pop(_REFUSED, None)


def _show_earlier() -> None:
    st.session_state[_TURNS] = _turns_shown() + 2 * _TURNS_SHOWN


def _turns_shown() -> int:
    return int(st.session_state.get(_TURNS, _TURNS_SHOWN))


def _draw_head(app: WebApp, *, model: ModelInfo, thread: str | None) -> None:
    top = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    top.markdown(f"### {escape_markdown(app.title)}", anchors=False, width="content")
    right = top.container(horizontal=True, width="content", vertical_alignment="center", gap="xsmall")
    menu = right.popover("Threads", type="tertiary", icon=":material/history:", key=f"threads-of-{thread}")
    draw_thread_menu(menu, app.list_threads(limit=_THREADS_LISTED), current=thread, on_open=_open_thread)
    right.button("New thread", on_click=_begin_thread, type="tertiary", icon=":material/add:", disabled=thread is None)
    st.caption(escape_markdown(app.target.ghost.description or app.target.name))
    labels = st.container(horizontal=True, gap="xsmall")
    if model.is_rehearsal:
        labels.badge("rehearsal: recorded replies, no model", color="orange", icon=":material/theater_comedy:")
    else:
        labels.badge(escape_markdown(model.label), color="gray", icon=":material/neurology:")
    if thread is not None:
        labels.badge(f"thread {escape_markdown(thread)}", color="gray", icon=":material/forum:")


def _draw_profile(place: DeltaGenerator, app: WebApp, *, thread: str | None) -> None:
    """Say how code runs."""
    if app.runs_unconfined():
        place.error("Model-written code runs UNCONFINED in this process.", icon=":material/warning:")
    elif profile := app.describe_profile(app.find_task(thread) if thread else None):
        place.caption(f":material/shield: {escape_markdown(profile)}")


def _draw_missing_key(app: WebApp, *, model: ModelInfo) -> None:
    if model.missing_key is None:
        return
    st.warning(f"**No key is configured for {escape_markdown(model.label)}.**", icon=":material/key_off:")
    st.markdown("Put it into the workspace's file of keys, or into the environment, and start `ghostos web` again:")
    st.code(f"# {app.env_file}\n{model.missing_key.variable}=...", language="bash")
    st.code(f"export {model.missing_key.variable}=...", language="bash")


class _ThreadPart:
    """The thread, what waits to be taken up, and what may be said at a click."""

    def __init__(self, app: WebApp, *, conversation: Conversation | None, model: ModelInfo, panel: BodyPanel) -> None:
        self._app = app
        self._panel = panel
        self._conversation = conversation
        self._model = model
        self._earlier = st.empty()
        label = "" if model.is_rehearsal else model.label
        self._view = ThreadView(st.container(), model=label, files=app.files)
        self._cards = PermissionCards(st.container(), on_allow=_allow)
        self._approval = ApprovalCard(st.empty(), on_answer=_answer_code)
        at_work = st.container(horizontal=True, vertical_alignment="center", gap="small")
        self._status, self._stop = at_work.empty(), at_work.empty()
        self._is_stop_shown = False
        self._queue = st.empty()
        self._below = st.empty()

    @property
    def next_seq(self) -> int:
        """The `seq` after the last message that is drawn."""
        return self._view.next_seq

    def draw(self) -> bool:
        """Draw it all, and stay until no turn is left to be done; return whether that went well."""
        error = self._follow(self._conversation) if self._conversation is not None else None
        self._status.empty()
        self._stop.empty()
        self._queue.empty()
        below = self._below.container()
        refused: GhostOSError | None = st.session_state.get(_REFUSED)
        for each in (error, refused):
            if each is not None:
                draw_error(below, each.happened, advice=each.advice)
        unsaid: _Unsaid | None = st.session_state.get(_UNSAID)
        if unsaid is not None:
            draw_error(below, unsaid.error.happened, advice=unsaid.error.advice)
            below.caption("This was not said:")
            below.code(unsaid.text, language=None, wrap_lines=True)
        phrases = self._app.find_phrases(self._conversation)
        if self._view.is_empty and self._model.missing_key is None and not phrases:
            below.caption("Nothing was said in this thread yet: type below to begin.")
        if phrases:
            self._offer_phrases(below, phrases)
        return error is None

    def _follow(self, conversation: Conversation) -> GhostOSError | None:
        """Draw the thread, and every turn of it until nothing is left to be done.

        Returns:
            An error that the thread does not show: the turn was not taken up, and will be when the page is drawn again.
        """
        while True:
            attached = conversation.attach()  # before looking: nothing that is said from here on is missed
            is_at_work = conversation.resume() is not None
            self._add_history(conversation.history())
            queued = self._app.list_queued(conversation)
            self._view.draw()
            self._cards.show(conversation.list_requests())
            self._approval.show(conversation.pending_code())
            if not is_at_work:
                attached.close()
                return None
            self._show_stop()
            before = self._view.next_seq
            with TurnFeed(attached) as feed:
                self._stream(feed, conversation=conversation, queued=queued)
            if feed.error is not None and not (self._view.ends_in_error and self._view.next_seq > before):
                return feed.error

    def _show_stop(self) -> None:
        if not self._is_stop_shown:  # once in a run of the page, however many turns it follows
            self._is_stop_shown = True
            self._stop.button("Stop", key="stop", on_click=_stop, icon=":material/stop_circle:", help=_STOP_HELP)

    def _add_history(self, messages: list[Message]) -> None:
        """Show the latest turns, and offer those before them."""
        latest = messages[-1].turn if messages else 0
        hidden = latest - _turns_shown()
        if hidden > 0 and self._view.is_empty:
            self._earlier.button(f"Show earlier turns ({hidden})", key="earlier", on_click=_show_earlier)
        self._view.add_history(message for message in messages if message.turn > hidden)

    def _stream(self, feed: TurnFeed, *, conversation: Conversation, queued: list[QueuedInput]) -> None:
        started = time.monotonic()
        is_under_way = False
        put_out, look_again_at = 0, 0.0
        while (deltas := feed.take(timeout_s=_LOOK_S)) is not None:
            if seqs := [delta.seq for delta in deltas if delta.type in ("output", "approval")]:
                put_out, look_again_at = max(seqs), time.monotonic() + _COMMITTED_AFTER_S
            elif put_out and look_again_at < time.monotonic():
                look_again_at = time.monotonic() + _COMMITTED_AFTER_S
                if conversation.get_task().next_seq > put_out:
                    self._cards.show(conversation.list_requests())
                    put_out = 0
            is_under_way = is_under_way or bool(deltas)
            self._view.add(deltas)
            size = self._view.draw()
            self._panel.draw()
            self._status.caption(f":material/pending: working · {time.monotonic() - started:.0f} s")
            self._draw_queue([said for said in queued if not self._view.has(said.id)], behind_turn=is_under_way)
            time.sleep(max(_DRAW_EVERY_S, size / _DRAWN_PER_S) if deltas else 0)

    def _draw_queue(self, queued: list[QueuedInput], *, behind_turn: bool) -> None:
        if not queued:
            self._queue.empty()
            return
        box = self._queue.container()
        for number, said in enumerate(queued):
            bubble = open_bubble(box, "user")
            draw_user_text(bubble, said.text)
            if behind_turn or number > 0:
                bubble.caption("queued: answered next")

    def _offer_phrases(self, below: DeltaGenerator, phrases: Sequence[str]) -> None:
        below.caption("The rehearsal answers these:")
        row = below.container(horizontal=True)
        for number, phrase in enumerate(phrases):
            row.button(escape_markdown(phrase), key=f"phrase-{number}", on_click=_say, args=(phrase,))


@st.fragment(run_every=_WATCH_EVERY_S)
def _watch(app: WebApp, *, thread: str, next_seq: int, body_news: int | None) -> None:
    """Draw the page again when somebody else, another tab or another process, has said something in this thread.

    Also when a body has been set in motion, unless the page follows that by itself.
    """
    if body_news is not None and app.bodies.look().number != body_news:
        st.rerun()
    try:
        task = app.find_task(thread)
    except GhostOSError as exc:
        draw_error(st.container(), exc.happened, advice=exc.advice)
        return
    if task is not None and (task.next_seq != next_seq or task.state == "running"):
        st.rerun()
