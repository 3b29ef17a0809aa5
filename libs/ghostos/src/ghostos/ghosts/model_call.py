"""One model call, shown in the thread while it comes."""

from contextlib import aclosing
from dataclasses import dataclass

from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.session import MessageWriter, Session
from ghostos.core.json import JsonObject
from ghostos.core.message import MessageType
from ghostos.core.prompt import FinishReason, ModelDelta, Prompt
from ghostos.errors import ModelResponseError, ModelStreamCutError
from ghostos.ghosts.measured_call import stream_reply
from ghostos_moss import (
    CodeDelta,
    CodeEnd,
    CodeStart,
    CodeWithdrawn,
    ParsedReply,
    ReplyEvent,
    ReplyParser,
    TextDelta,
)

_CUT_REASONS: dict[FinishReason, str] = {
    "length": "the reply was cut at the model's limit of length",
    "filter": "the reply was cut by a content filter of the model's service",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A model's whole reply.

    Attributes:
        text: As it came.
        parsed: Its speech and code; None where code is not looked for.
        finish_reason: Why it ended.
    """

    text: str
    parsed: ParsedReply | None
    finish_reason: FinishReason

    @property
    def cut_reason(self) -> str:
        """Why it is not whole, as a part of a sentence; "" for one that the model ended itself."""
        return _CUT_REASONS.get(self.finish_reason, "")


async def call_model(
    session: Session, *, model: ModelDriver, prompt: Prompt, parser: ReplyParser | None = None
) -> Reply:
    """Send a prompt and stream the reply into the thread. One that was cut is followed by a message that says so.

    Args:
        session: The round.
        model: Who is asked.
        prompt: What is sent.
        parser: Finds code in the reply. None: all of it is speech.

    Raises:
        ModelError: The service failed, or the reply has no end or no text; what had come is left open in the session,
            which marks it partial.
    """
    writer = _ReplyWriter(session)
    received: list[str] = []
    end: ModelDelta | None = None
    async with aclosing(stream_reply(session, model=model, prompt=prompt)) as deltas:
        async for delta in deltas:
            if delta.kind == "text":
                received.append(delta.text)
                for event in parser.feed(delta.text) if parser else [TextDelta(delta.text)]:
                    writer.show(event)
            elif delta.kind == "reasoning":
                writer.think(delta.text)
            elif delta.kind == "done":
                end = delta
    text = "".join(received)
    finish_reason = _check_end(end, text=text, label=model.label)
    for event in parser.finish() if parser else []:
        writer.show(event)
    writer.close(raw=text)
    reply = Reply(text=text, parsed=parser.reply if parser else None, finish_reason=finish_reason)
    if reply.cut_reason:
        session.add(f"{reply.cut_reason.capitalize()}.", role="system", type="text")
    return reply


def _check_end(end: ModelDelta | None, *, text: str, label: str) -> FinishReason:
    if end is None:
        raise ModelStreamCutError(
            f"The reply of {label} ended half-way: its service never said that it was whole.",
            advice="Say it again; what had come is kept, and no code of it was run.",
        )
    if not text.strip():
        why = _CUT_REASONS.get(end.finish_reason, "it has no text at all")
        raise ModelResponseError(
            f"The reply of {label} is empty: {why}.", advice="Say it again, in other words, or choose another model."
        )
    return end.finish_reason


class _ReplyWriter:
    """Turns the parts of a reply into messages.

    A message begins with its first text and ends when the next one begins. The last one carries the reply verbatim,
    where that is more than all their texts together: it is what goes back to the model.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._type: MessageType | None = None
        self._writer: MessageWriter | None = None
        self._is_begun = False
        self._blank = ""
        self._said: list[str] = []
        self._data: JsonObject = {}

    def show(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta(text):
                self._speak(text)
            case CodeStart():
                self._begin("code")
            case CodeDelta(text):
                if self._type != "code":  # reasoning came between
                    self._begin("code")
                self._write(text)
            case CodeEnd(block):
                if self._is_begun and not block.is_closed:
                    self._data["is_closed"] = False
            case CodeWithdrawn():
                self._data["withdrawn"] = True

    def think(self, text: str) -> None:
        if self._type != "reasoning":
            self._begin("reasoning")
        self._write(text)

    def close(self, *, raw: str) -> None:
        if raw != "".join(self._said):
            if self._writer is None:  # a block without code is all there is
                self._begin("code")
                self._write("\n")
            self._data["raw"] = raw
        self._end()

    def _speak(self, text: str) -> None:
        if self._type != "text":
            # Blank lines around code are no message of their own.
            self._blank += text
            if not self._blank.strip():
                return
            text, self._blank = self._blank, ""
            self._begin("text")
        self._write(text)

    def _begin(self, type: MessageType) -> None:
        self._type = type
        self._is_begun = False

    def _write(self, text: str) -> None:
        if not text or self._type is None:
            return
        if not self._is_begun:
            self._end()
            self._writer = self._session.begin(role="assistant", type=self._type)
            self._is_begun = True
        if self._writer is not None:
            self._writer.write(text)
        if self._type != "reasoning":
            self._said.append(text)

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close(data=self._data or None)
        self._writer = None
        self._data = {}
