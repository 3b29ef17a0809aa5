"""One model call, shown in the thread while it comes."""

from contextlib import aclosing
from dataclasses import dataclass

from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.session import MessageWriter, Session
from ghostos.core.json import JsonObject
from ghostos.core.message import MessageType
from ghostos.core.prompt import FinishReason, ModelDelta, Prompt
from ghostos_moss import (
    CodeBlock,
    CodeDelta,
    CodeEnd,
    CodeStart,
    CodeWithdrawn,
    ParsedReply,
    ReplyEvent,
    ReplyParser,
    TextDelta,
)


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


async def call_model(
    session: Session, *, model: ModelDriver, prompt: Prompt, parser: ReplyParser | None = None
) -> Reply:
    """Send a prompt and stream the reply into the thread.

    Args:
        session: The round.
        model: Who is asked.
        prompt: What is sent.
        parser: Finds code in the reply. None: all of it is speech.

    Raises:
        ModelError: The service failed; what had come is left open in the session, which marks it partial.
    """
    writer = _ReplyWriter(session)
    received: list[str] = []
    last = ModelDelta(kind="done")
    async with aclosing(model.stream(prompt)) as deltas:
        async for delta in deltas:
            if delta.kind == "text":
                received.append(delta.text)
                for event in parser.feed(delta.text) if parser else [TextDelta(delta.text)]:
                    writer.show(event)
            elif delta.kind == "reasoning":
                writer.think(delta.text)
            elif delta.usage is not None:
                session.add_usage(delta.usage, model=model.label)
            else:
                last = delta
    for event in parser.finish() if parser else []:
        writer.show(event)
    text = "".join(received)
    writer.close(raw=text)
    return Reply(text=text, parsed=parser.reply if parser else None, finish_reason=last.finish_reason)


class _ReplyWriter:
    """Turns the parts of a reply into messages.

    A message ends when the next one begins. The last one carries the reply verbatim, where it is more than that
    message's own text: that is what goes back to the model.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._writer: MessageWriter | None = None
        self._type: MessageType | None = None
        self._is_in_code = False
        self._blank = ""
        self._written: list[str] = []
        self._data: JsonObject = {}

    def show(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta(text):
                self._speak(text)
            case CodeStart():
                self._begin("code")
                self._is_in_code = True
            case CodeDelta(text):
                self._write(text)
            case CodeEnd(block):
                self._end_code(block)
            case CodeWithdrawn():
                self._data["withdrawn"] = True

    def think(self, text: str) -> None:
        if self._type != "reasoning":
            self._begin("reasoning")
        self._write(text)

    def close(self, *, raw: str) -> None:
        if raw != "".join(self._written):
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

    def _end_code(self, block: CodeBlock) -> None:
        if not self._is_in_code:
            # A fence that proved to be code at the end of the reply; it was shown as speech before.
            self._begin("code")
            self._write(block.code)
            self._data["in_text"] = True
        elif not block.is_closed:
            self._data["is_closed"] = False
        self._is_in_code = False

    def _begin(self, type: MessageType) -> None:
        self._end()
        self._type = type
        self._writer = self._session.begin(role="assistant", type=type)

    def _write(self, text: str) -> None:
        if self._writer is not None:
            self._writer.write(text)
            self._written.append(text)

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close(data=self._data or None)
        self._writer = None
        self._written = []
        self._data = {}
