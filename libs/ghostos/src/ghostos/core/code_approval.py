"""Code that waits for a person: what is asked, and what is answered, as data in messages and events."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message

CodeDecision = Literal["approve", "edit", "reject"]
DECISIONS: tuple[CodeDecision, ...] = ("approve", "edit", "reject")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCode:
    """Code that waits.

    Attributes:
        id: UUIDv7; the answer's event has it, too, so that one answer counts.
        blocks: The code, block by block; they run as one.
    """

    id: str
    blocks: tuple[str, ...]

    @property
    def code(self) -> str:
        """All of it, as people read it."""
        return "\n\n".join(self.blocks)

    @property
    def hash(self) -> str:
        """What an answer names, so that nobody approves something else than was shown: SHA-256, in hex."""
        return hashlib.sha256("\0".join(self.blocks).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAnswer:
    """What a person says to it.

    Attributes:
        id: That of the code.
        hash: That of the code that they were shown.
        decision: What shall become of it.
        code: What shall run in its place, of an edit.
        reason: For the model, of a rejection.
    """

    id: str
    hash: str
    decision: CodeDecision
    code: str = ""
    reason: str = ""


def dump_pending(pending: PendingCode) -> JsonObject:
    """Return the facts of the message that asks."""
    return {"code": {"id": pending.id, "hash": pending.hash, "blocks": [*pending.blocks]}}


def dump_answer(answer: CodeAnswer) -> JsonObject:
    """Return the payload of the event that answers."""
    facts: JsonObject = {"id": answer.id, "hash": answer.hash, "decision": answer.decision}
    if answer.decision == "edit":
        facts["code"] = answer.code
    if answer.reason:
        facts["reason"] = answer.reason
    return {"code": facts}


def load_answer(payload: JsonObject) -> CodeAnswer | None:
    """Read an answer; None for what is none."""
    facts = payload.get("code")
    if not isinstance(facts, dict) or facts.get("decision") not in DECISIONS:
        return None
    return CodeAnswer(
        id=_text(facts, "id"),
        hash=_text(facts, "hash"),
        decision=cast("CodeDecision", facts["decision"]),
        code=_text(facts, "code"),
        reason=_text(facts, "reason"),
    )


def find_pending(thread: Sequence[Message]) -> PendingCode | None:
    """Return the code that waits in a thread: the last that was asked about, not answered, with nothing said since."""
    for message in reversed(thread):
        if message.role == "user" or (
            message.role == "environment" and message.type == "approval" and _code_of(message)
        ):
            return None
        facts = _code_of(message)
        if message.role == "system" and message.type == "approval" and facts is not None:
            blocks = facts.get("blocks")
            if isinstance(blocks, list):
                return PendingCode(id=_text(facts, "id"), blocks=tuple(str(block) for block in blocks))
    return None


def _code_of(message: Message) -> JsonObject | None:
    facts: Json = message.data.get("code") if isinstance(message.data, dict) else None
    return facts if isinstance(facts, dict) else None


def _text(facts: JsonObject, key: str) -> str:
    value = facts.get(key)
    return value if isinstance(value, str) else ""
