"""Which pieces of messages were shown, so that each is shown once, from wherever it is learnt."""

from collections.abc import Sequence
from dataclasses import replace

from ghostos.contracts.journal import JournalStep
from ghostos.core.message import STREAMED_TYPES, Delta, Message, last_delta, whole_deltas


class ShownMessages:
    """What was shown of some messages: how far their text, and whether their end."""

    def __init__(self) -> None:
        self._lengths: dict[str, int] = {}
        self._ended: set[str] = set()
        self._open: dict[int, tuple[Message, int]] = {}

    def is_new(self, message: Message) -> bool:
        """Whether nothing of a message was shown."""
        return message.id not in self._lengths and message.id not in self._ended

    def begin_journal(self) -> None:
        """Say that what follows is read from the beginning of a journal."""
        self._open.clear()

    def take_step(self, step: JournalStep) -> Sequence[Delta]:
        """Return what a line of a journal adds to what was shown; it counts as shown from now on."""
        if step.message is None:
            return self._take_text(step.seq, step.text)
        if step.is_whole:
            self._open.pop(step.seq, None)
            return self.take(step.message)
        self._open[step.seq] = (replace(step.message, content=""), 0)
        return self._take_text(step.seq, step.message.content)

    def take(self, message: Message) -> Sequence[Delta]:
        """Return what was not shown of a message that is whole, or will not go on; it counts as shown from now on."""
        if message.id in self._ended:
            return ()
        self._ended.add(message.id)
        shown = self._lengths.get(message.id)
        if shown is None or message.type not in STREAMED_TYPES:
            return whole_deltas(message)
        rest = message.content[shown:]
        return (_text_delta(message, rest, offset=shown), last_delta(message)) if rest else (last_delta(message),)

    def _take_text(self, seq: int, text: str) -> Sequence[Delta]:
        if seq not in self._open or not text:
            return ()
        message, offset = self._open[seq]
        end = offset + len(text)
        self._open[seq] = (message, end)
        shown = self._lengths.get(message.id, 0)
        if end <= shown or message.id in self._ended:
            return ()
        self._lengths[message.id] = end
        begin = max(offset, shown)
        return (_text_delta(message, text[begin - offset :], offset=begin),)


def _text_delta(message: Message, text: str, *, offset: int) -> Delta:
    return Delta(seq=message.seq, type=message.type, role=message.role, content=text, offset=offset)
