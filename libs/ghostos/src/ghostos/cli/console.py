"""`ghostos console`: a chat in the terminal."""

import asyncio
import importlib
import re
import select
import shlex
import sys
from contextlib import nullcontext

from ghostos.abcd import Receiver
from ghostos.cli.application import Client, open_client
from ghostos.cli.approval_commands import ApprovalCommands, is_answer
from ghostos.cli.bodies import stop_bodies, wait_until_at_rest
from ghostos.cli.body_area import BodyArea, can_draw
from ghostos.cli.failures import show_failure
from ghostos.cli.missed_turns import MissedTurns
from ghostos.cli.options import Common
from ghostos.cli.permission_commands import PermissionCommands, is_allow
from ghostos.cli.streams import write_note
from ghostos.cli.text_view import open_text_view
from ghostos.cli.thread_text import render_summaries
from ghostos.cli.turns import follow_turn
from ghostos.core.escaping import escape_line
from ghostos.drivers.models.rehearsal import RehearsalModel
from ghostos.errors import GhostOSError

_PROMPT = "> "
_PASTE_PAUSE_S = 0.05
_THREADS_SHOWN = 20
_COMMAND = re.compile(r"/[a-z]+")

_HELP = """\
/help     this list
/threads  the threads of this workspace
/allow    what the code was refused, and how to allow it: /allow once, /allow thread, /allow always
/approve  run the code that waits (with --approve code); also /reject [WHY], /edit FILE
/quit     leave; so does Ctrl-D

Everything else is said to the agent; several lines pasted at once are one message.
What is said in this thread elsewhere meanwhile is shown when you press Enter.
Ctrl-C while it works stops the turn. It is kept: press Enter to let it go on.
Ctrl-C stops a body that moves, too."""


def chat(target: str, *, common: Common) -> None:
    """Talk with a target until the user leaves.

    Raises:
        GhostOSError: The conversation cannot be opened.
    """
    with open_client(target, common=common) as client:
        if sys.stdin.isatty():
            importlib.import_module("readline")  # gives input() its editing and history
        bodies = client.conversation.bodies
        with BodyArea(bodies) if can_draw() else nullcontext():
            _Chat(client).run()
        if not sys.stdin.isatty():
            wait_until_at_rest(bodies)
        name = escape_line(client.conversation.thread)
        write_note(f"thread: {name}, go on with --thread {shlex.quote(name)}")


class _Chat:
    def __init__(self, client: Client) -> None:
        self._client = client
        latest = asyncio.run(client.store.list_latest_messages(client.conversation.task_id, count=1))
        self._turns = MissedTurns(open_text_view(client.files), seq=latest[-1].seq if latest else 0)
        self._permissions = PermissionCommands()
        self._approvals = ApprovalCommands()

    def run(self) -> None:
        self._greet()
        if not self._finish_turn():
            self._show_requests()
        while (text := self._read()) is not None:
            self._show_missed()
            match text.strip():
                case "/quit":
                    return
                case "/help":
                    write_note(_HELP)
                case "/threads":
                    summaries = asyncio.run(self._client.store.list_threads(limit=_THREADS_SHOWN))
                    write_note(render_summaries(summaries).rstrip("\n"))
                case command if is_allow(command):
                    self._allow(command)
                case command if is_answer(command):
                    self._answer(command)
                case command if _COMMAND.fullmatch(command):
                    write_note(f"There is no command {command}; /help lists them.")
                case "":
                    self._finish_turn()
                case _:
                    self._finish_turn()
                    self._say(text)

    def _greet(self) -> None:
        write_note(f"Thread {escape_line(self._client.conversation.thread)}. /help lists commands, Ctrl-D leaves.")
        model = self._client.model
        if isinstance(model, RehearsalModel):
            phrases = "".join(f"\n  {escape_line(phrase)}" for phrase in model.rehearsal.phrases())
            write_note(f"This is a rehearsal: recorded replies, no model. It knows for example:{phrases}")

    def _read(self) -> str | None:
        """Return what the user typed or pasted; None when they leave."""
        while True:
            try:
                lines = [input(_PROMPT) if sys.stdin.isatty() else input()]
                while sys.stdin.isatty() and select.select([sys.stdin], [], [], _PASTE_PAUSE_S)[0]:
                    lines.append(input())
            except EOFError:
                return None
            except KeyboardInterrupt:
                self._stop_bodies()
            else:
                return "\n".join(lines)

    def _stop_bodies(self) -> None:
        """Ctrl-C where no turn runs."""
        bodies = self._client.conversation.bodies
        if bodies.look().is_busy:
            stop_bodies(bodies)
            write_note("\nStopped what moved. Ctrl-D leaves.")
        else:
            write_note("\nCtrl-D leaves.")

    def _say(self, text: str) -> None:
        try:
            _, receiver = self._client.conversation.talk(text)
        except GhostOSError as exc:
            show_failure(exc, with_traceback=False)
            return
        self._listen(receiver)

    def _allow(self, command: str) -> None:
        """Allow what was refused. For a person alone: lines that are piped in may be anybody's."""
        if not sys.stdin.isatty():
            write_note("/allow needs a terminal; start with the --allow option that is named instead.")
            return
        try:
            receiver = self._permissions.allow(self._client.conversation, command)
        except GhostOSError as exc:
            show_failure(exc, with_traceback=False)
            return
        if receiver is not None:
            self._listen(receiver)

    def _answer(self, command: str) -> None:
        """Answer code that waits. For a person alone, as above."""
        if not sys.stdin.isatty():
            write_note(
                "/approve, /edit and /reject need a terminal; from a script: ghostos send THREAD approve --id ID"
            )
            return
        try:
            receiver = self._approvals.answer(self._client.conversation, command)
        except GhostOSError as exc:
            show_failure(exc, with_traceback=False)
            return
        self._listen(receiver)

    def _show_missed(self) -> None:
        """Show what was said elsewhere. To a person: who pipes lines in wants the answers to them."""
        if not sys.stdin.isatty():
            return
        try:
            has_missed = self._turns.show_missed(self._client.store, self._client.conversation.task_id)
        except GhostOSError as exc:
            show_failure(exc, with_traceback=False)
            return
        if has_missed:
            self._show_requests()

    def _show_requests(self) -> None:
        if not sys.stdin.isatty():
            return
        try:
            self._permissions.show(self._client.conversation)
            self._approvals.show(self._client.conversation)
        except GhostOSError as exc:
            show_failure(exc, with_traceback=False)

    def _finish_turn(self) -> bool:
        """Let a turn that was left over go on; return whether there was one."""
        receiver = self._client.find_unfinished_turn()
        if receiver is not None:
            self._listen(receiver)
        return receiver is not None

    def _listen(self, receiver: Receiver) -> None:
        try:
            follow_turn(receiver, view=self._turns)
        except GhostOSError as exc:
            show_failure(exc, with_traceback=False)
        except KeyboardInterrupt:
            stop_bodies(self._client.conversation.bodies)
            self._client.stop_turn()
            self._turns.leave_turn()
            write_note("\nStopped; the turn is kept. Enter lets it go on, /quit leaves.")
            return
        self._show_requests()
