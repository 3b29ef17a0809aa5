"""Reading a model's reply while it streams: what is speech, and what is code that may run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ghostos_moss._reply_events import (
    CodeBlock,
    CodeDelta,
    CodeEnd,
    CodeOrigin,
    CodeStart,
    CodeWithdrawn,
    ParsedReply,
    ReplyEvent,
    TextDelta,
)
from ghostos_moss._reply_gate import GateMode, LineGate
from ghostos_moss._reply_python import JUDGED_LENGTH, PythonScanner, clean_code, could_be_code, uses_moss
from ghostos_moss._reply_text import Fence, Line, Tag, find_fence, find_reasoning_end, leading_tag
from ghostos_moss.errors import ClosedError

__all__ = ["CodeFormat", "ReplyParser", "parse_reply"]

CodeFormat = Literal["tags", "fence", "tool"]


@dataclass(slots=True)
class _OpenCode:
    """A block, or a fence that may turn out to be one, whose end has not been seen."""

    fence: Fence | None = None
    indent: str = ""
    is_first_line: bool = True
    lines: list[str] = field(default_factory=list[str])
    scanner: PythonScanner = field(default_factory=PythonScanner)

    def to_block(self, *, is_closed: bool) -> CodeBlock:
        origin: CodeOrigin = "fence" if self.fence else "tag"
        return CodeBlock(clean_code(self.lines, indent=self.indent), origin, is_closed)

    def ends_fence(self, line: str) -> bool:
        """Whether the line closes the fence. Fences inside a string of the code do not."""
        if self.fence is None or self.fence.language not in {"moss", "python"}:
            return self.fence is not None and self.fence.is_closed_by(line)
        if not self.scanner.is_in_string and self.fence.is_closed_by(line):
            return True
        self.scanner.skim(line)
        self.lines.append(line)
        return False


class ReplyParser:
    """Splits a reply into speech and code, as it arrives and however it is cut.

    - A `<moss>` outside fences, inline code, quotations (`>`) and reasoning starts a block. It may stand in the
      middle of a sentence, unless the sentence merely goes on behind it ("the <moss> tag"). Case, attributes and
      spaces inside the tag do not matter.
    - A `</moss>` alone on its line ends the block. Otherwise it does so outside Python's strings and comments (in a
      comment, if the block began on that line). A `<moss>`, `<moss-output>` or `</think>` where a line of code should
      begin shows that the end was forgotten: the block stays unclosed.
    - In a reply without `<moss>`, fences tagged `moss` run, else the only `python` fence if it defines `run` or `main`
      or uses `moss.`. That is known at the end only: until then they are speech, and `finish` reports them.
    - Nothing inside `<think>` runs, nor before a `</think>` that was never opened (some servers cut off the start).
    - A `<moss-output>` in the reply was made up: nothing behind it runs.

    Every character is looked at a bounded number of times. Whatever the text, nothing is raised.

    Args:
        code_format: What the model was asked to write. With `fence`, fences tagged `moss` are reported as code
            while they stream, and withdrawn if a `<moss>` follows. With `tool`, a `python` fence is never taken for
            code: the model would have called the tool.
    """

    def __init__(self, *, code_format: CodeFormat = "tags") -> None:
        self._format: CodeFormat = code_format
        self._mode: GateMode = "speech"
        self._gate = LineGate()
        self._events: list[ReplyEvent] = []
        self._text: list[str] = []  # of the TextDelta being put together
        self._speech: list[str] = []
        self._code = _OpenCode()
        self._blocks: list[CodeBlock] = []
        self._unclosed: list[CodeBlock] = []
        self._withdrawn: list[CodeBlock] = []
        self._fences: list[tuple[str, CodeBlock]] = []  # by language; speech so far
        self._has_begun = self._is_finished = False
        self._has_tags = self._is_fabricated = False
        self._readers: dict[GateMode, Callable[[Line], None]] = {
            "speech": self._read_speech,
            "reasoning": self._read_reasoning,
            "fence": self._read_fence,
            "code": self._read_code,
            "rest": lambda line: self._say(line.rest()),
        }

    @property
    def reply(self) -> ParsedReply:
        """What has been read so far; what runs is certain after `finish` only."""
        return ParsedReply(
            speech="".join(self._speech),
            blocks=tuple(self._blocks),
            unclosed=tuple(self._unclosed),
            withdrawn=tuple(self._withdrawn),
            fabricated_output=self._is_fabricated,
        )

    def feed(self, delta: str) -> list[ReplyEvent]:
        """Read more of the reply.

        Raises:
            ClosedError: The reply was finished.
        """
        if self._is_finished:
            raise ClosedError("reply parser", "it was finished; make a ReplyParser for each reply.")
        if delta and not self._has_begun:
            self._has_begun = True
            delta = delta.removeprefix("\ufeff")
        *ends, rest = delta.split("\n")
        for end in ends:
            self._read(self._gate.finish_line(end + "\n"))
        if rest:
            self._say(self._gate.push(rest))
        return self._take_events()

    def finish(self) -> list[ReplyEvent]:
        """Read what was held back and decide which fences run. A second call returns nothing."""
        if self._is_finished:
            return []
        self._is_finished = True
        line = self._gate.finish_line()
        if line.text or line.passed:
            self._read(line)
        if self._mode == "code":
            self._end_code(is_closed=False)
        elif self._mode == "fence":
            self._end_fence(is_closed=False)
        self._decide_fences()
        return self._take_events()

    def _read(self, line: Line) -> None:
        while True:
            self._readers[self._mode](line)
            if line.pos >= len(line.text):
                break
        self._code.is_first_line = False
        self._gate.start(self._mode)

    def _read_speech(self, line: Line) -> None:
        if line.is_whole and line.pos == 0 and (fence := find_fence(line.text)) is not None:
            self._start_fence(fence, line)
            return
        line.begin_speech()
        while not line.is_quote and (tag := line.next_tag()) is not None:
            if self._turns_at(tag, line):
                return
        self._say(line.text[line.start :])
        line.pos = len(line.text)

    def _turns_at(self, tag: Tag, line: Line) -> bool:
        """Whether the tag means something: the speech before it is said then, and the line goes on behind it."""
        if tag.name == "moss":
            return not tag.is_closing and self._start_block(tag, line)
        if tag.name == "think":
            self._say(line.text[line.start : tag.end])
            if tag.is_closing:
                self._forget_reasoning()
            else:
                self._mode = "reasoning"
            return True
        return self._start_fabrication(tag, line)

    def _start_block(self, tag: Tag, line: Line) -> bool:
        is_leading = line.is_leading(tag)
        close = _find_close_ahead(line)
        code = line.text[tag.end : min(close[0] if close else len(line.text), tag.end + JUDGED_LENGTH)]
        if not _is_meant(code, is_leading=is_leading, is_closed=close is not None):
            return False
        if not self._has_tags:
            self._has_tags = True
            self._withdraw(self._blocks)
        before = line.text[line.start : tag.start]
        self._say("" if is_leading else before)
        self._open(_OpenCode(indent=before if is_leading else ""))
        return True

    def _forget_reasoning(self) -> None:
        """A `</think>` that was never opened: the reply began inside the reasoning."""
        self._withdraw(self._blocks)
        self._withdraw(self._unclosed)
        self._fences.clear()
        self._has_tags = False

    def _start_fabrication(self, tag: Tag, line: Line) -> bool:
        if not (line.is_leading(tag) or tag.is_closing or tag.has_attributes):
            return False
        self._is_fabricated = True
        self._mode = "rest"
        self._say(line.text[line.start : tag.end])
        return True

    def _read_reasoning(self, line: Line) -> None:
        start = line.pos
        end = find_reasoning_end(line.text, start)
        if end is not None:
            self._mode = "speech"
        line.pos = len(line.text) if end is None else end
        self._say(line.text[start : line.pos])

    def _start_fence(self, fence: Fence, line: Line) -> None:
        self._code = _OpenCode(fence=fence)
        if fence.language == "moss" and self._format == "fence" and not self._has_tags:
            line.rest()
            self._open(self._code)
        else:
            self._mode = "fence"
            self._say(line.rest())

    def _read_fence(self, line: Line) -> None:
        text = line.rest()
        self._say(text)
        if self._code.ends_fence(line.passed + text):
            self._end_fence(is_closed=True)

    def _end_fence(self, *, is_closed: bool) -> None:
        self._mode = "speech"
        fence = self._code.fence
        if fence is not None and fence.language in {"moss", "python"}:
            self._fences.append((fence.language, self._code.to_block(is_closed=is_closed)))

    def _open(self, code: _OpenCode) -> None:
        self._code = code
        self._mode = "code"
        self._emit(CodeStart())

    def _read_code(self, line: Line) -> None:
        if self._code.fence is not None:
            if self._code.ends_fence(text := line.rest()):
                self._end_code(is_closed=True)
            else:
                self._emit(CodeDelta(text))
        elif not self._code.is_first_line and self._meets_tag(line):
            return
        elif (close := self._code.scanner.find_close(line, is_opening_line=self._code.is_first_line)) is None:
            self._add_code(line.rest())
        else:
            self._add_code(line.text[line.pos : close[0]])
            self._close_block(line, close[1])

    def _meets_tag(self, line: Line) -> bool:
        """Whether a tag where a line of code should begin ends the block."""
        if (found := leading_tag(line.text)) is None:
            return False
        tag, is_alone = found
        if tag.name == "moss" and tag.is_closing and is_alone:
            self._close_block(line, tag.end)
            return True
        is_cut = is_alone if tag.name == "moss" else tag.is_closing == (tag.name == "think")
        if self._code.scanner.is_in_string or not is_cut:
            return False
        self._end_code(is_closed=False)  # the tag itself is read as speech
        return True

    def _add_code(self, text: str) -> None:
        self._code.lines.append(text)
        if text and (text.strip() or not self._code.is_first_line):
            self._emit(CodeDelta(text))

    def _close_block(self, line: Line, end: int) -> None:
        line.pos = end
        line.skip_blank_end()
        self._end_code(is_closed=True)

    def _end_code(self, *, is_closed: bool) -> None:
        self._mode = "speech"
        block = self._code.to_block(is_closed=is_closed)
        self._emit(CodeEnd(block))
        self._settle(block)

    def _settle(self, block: CodeBlock) -> None:
        if not block.code:
            return
        (self._blocks if block.is_closed else self._unclosed).append(block)
        if block.is_closed and self._unclosed:
            self._withdraw([self._blocks.pop()])

    def _withdraw(self, blocks: list[CodeBlock]) -> None:
        for block in blocks:
            self._withdrawn.append(block)
            self._emit(CodeWithdrawn(block))
        blocks.clear()

    def _decide_fences(self) -> None:
        """Without a `<moss>`: the fences tagged `moss`, else the only `python` fence if it looks meant."""
        if self._has_tags:
            return
        chosen = [block for language, block in self._fences if language == "moss"]
        if not (chosen or self._blocks or self._unclosed or self._format == "tool"):
            python = [block for _, block in self._fences]
            chosen = python if len(python) == 1 and uses_moss(python[0].code) else []
        for block in chosen:
            if block.code:
                self._emit(CodeStart())
                self._emit(CodeDelta(block.code))
                self._emit(CodeEnd(block))
                self._settle(block)

    def _say(self, text: str) -> None:
        if text:
            self._text.append(text)
            self._speech.append(text)

    def _emit(self, event: ReplyEvent) -> None:
        self._flush_text()
        self._events.append(event)

    def _flush_text(self) -> None:
        if self._text:
            self._events.append(TextDelta("".join(self._text)))
            self._text.clear()

    def _take_events(self) -> list[ReplyEvent]:
        self._flush_text()
        events, self._events = self._events, []
        return events


def _find_close_ahead(line: Line) -> tuple[int, int] | None:
    """Where a block ends that begins at `line.pos`; however many tags ask, the line is searched once."""
    if line.has_close and line.close[0] < line.pos:
        close = PythonScanner().find_close(line, is_opening_line=True)
        line.close, line.has_close = close or line.close, close is not None
    return line.close if line.has_close else None


def _is_meant(code: str, *, is_leading: bool, is_closed: bool) -> bool:
    """Whether the text behind a `<moss>`, up to the end of the block or line, is code and not the sentence's rest."""
    if not code.strip():
        return is_leading or not is_closed
    if is_closed and is_leading:
        return True
    if is_closed and (code.strip().isidentifier() or not code.strip(" .…,")):
        return False
    return could_be_code(code)


def parse_reply(text: str, *, code_format: CodeFormat = "tags") -> ParsedReply:
    """Read a complete reply; see `ReplyParser` for the rules."""
    parser = ReplyParser(code_format=code_format)
    parser.feed(text)
    parser.finish()
    return parser.reply
