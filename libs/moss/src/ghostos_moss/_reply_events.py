"""What is found in a reply: while it streams, and when it is complete."""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CodeBlock",
    "CodeDelta",
    "CodeEnd",
    "CodeOrigin",
    "CodeStart",
    "CodeWithdrawn",
    "ParsedReply",
    "ReplyEvent",
    "TextDelta",
]

CodeOrigin = Literal["tag", "fence", "tool"]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One piece of code in a reply.

    Attributes:
        code: What would run: without marks around it, common indentation and blank lines at both ends.
        origin: The mark that it was written in.
        is_closed: False when the reply ended, or went on with something else, before the closing mark: it may be
            cut short anywhere and never runs.
    """

    code: str
    origin: CodeOrigin
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More speech; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeStart:
    """A block begins."""


@dataclass(frozen=True, slots=True)
class CodeDelta:
    """More of the block, as written: the code of `CodeEnd` has its marks and indentation removed."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeEnd:
    """The block is complete, or known never to be (`block.is_closed`)."""

    block: CodeBlock


@dataclass(frozen=True, slots=True)
class CodeWithdrawn:
    """A block that was shown as code will not run: what followed it says that it was not meant to."""

    block: CodeBlock


ReplyEvent = TextDelta | CodeStart | CodeDelta | CodeEnd | CodeWithdrawn


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """A reply, read to its end.

    Attributes:
        speech: Everything but live code and its marks, verbatim: the same as all `TextDelta` together. Fences and
            reasoning are part of it, also the fence that is found to run at the end.
        blocks: What runs, in order, as one run. All are closed.
        unclosed: Code whose end is missing. Tell the model; code behind it was withdrawn, code before it stands.
        withdrawn: Complete code that must not run: it follows unclosed code, was part of the reasoning, or is a
            fence in a reply that uses `<moss>`.
        fabricated_output: The model wrote a `<moss-output>` itself. All that follows it is speech.
    """

    speech: str
    blocks: tuple[CodeBlock, ...] = ()
    unclosed: tuple[CodeBlock, ...] = ()
    withdrawn: tuple[CodeBlock, ...] = ()
    fabricated_output: bool = False
