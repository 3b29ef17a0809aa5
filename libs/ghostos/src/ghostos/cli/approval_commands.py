"""`/approve`, `/edit` and `/reject` in the console, and `ghostos send`: the user's answer to code that waits."""

import shlex
from pathlib import Path

from ghostos.abcd import Conversation, Receiver
from ghostos.cli.streams import write_note
from ghostos.core.code_approval import CodeDecision, PendingCode
from ghostos.core.escaping import escape, escape_line
from ghostos.errors import ApprovalError, UsageError

_DECISIONS: dict[str, CodeDecision] = {"/approve": "approve", "/edit": "edit", "/reject": "reject"}
_USAGE = "Type /approve, /reject [WHY] or /edit FILE, which runs the file's code in its place."


def is_answer(text: str) -> bool:
    """Whether something that was typed is one of the commands, whatever stands behind its name."""
    return "\n" not in text and text.split(maxsplit=1)[:1] in ([name] for name in _DECISIONS)


class ApprovalCommands:
    """The code that waits, as it was last shown: only that is answered."""

    def __init__(self) -> None:
        self._shown: PendingCode | None = None

    def show(self, conversation: Conversation) -> None:
        """Show the code that waits, and what can be typed about it; nothing where none does."""
        self._shown = conversation.pending_code()
        if self._shown is not None:
            for line in self._shown.code.split("\n"):
                write_note(f"  {escape(line)}")
            write_note(f"This code waits for you. {_USAGE}")

    def answer(self, conversation: Conversation, text: str) -> Receiver:
        """Do what the command says; return the turn that comes of it.

        Raises:
            ApprovalError: Nothing waits, or something else than was shown.
            UsageError: The file cannot be read.
        """
        shown = self._shown
        if shown is None:
            raise ApprovalError("No code waits for approval.", advice="Say something to the agent.")
        word, _, rest = text.partition(" ")
        decision = _DECISIONS[word]
        code = read_code_file(Path(rest.strip()).expanduser()) if decision == "edit" else ""
        reason = rest.strip() if decision == "reject" else ""
        _, receiver = conversation.answer_code(shown.id, decision, code_hash=shown.hash, code=code, reason=reason)
        return receiver


def describe_waiting(pending: PendingCode, *, thread: str) -> str:
    """Return how code that waits is answered from a shell."""
    words = shlex.join(["ghostos", "send", thread])
    return f"code waits: {escape_line(words)} approve --id {pending.id} (or: reject, or: edit --code FILE)"


def read_code_file(path: Path) -> str:
    """Return the code in a file.

    Raises:
        UsageError: It is missing, or no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise UsageError(f"The code in {str(path)!r} cannot be read: {reason}.", advice="Name a Python file.") from exc
