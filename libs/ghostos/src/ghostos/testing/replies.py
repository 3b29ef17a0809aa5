"""What the local model server answers, one class per way of answering. All of it can be written as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from ghostos.drivers.models.pieces import split_pieces

__all__ = ["ErrorReply", "ModelReply", "NoReply", "RawReply", "Script", "StreamReply"]


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StreamReply(_Reply):
    """A reply as the service streams it."""

    kind: Literal["stream"] = "stream"
    text: str = Field(default="", description="The whole text; streamed word by word unless `chunks` is given.")
    chunks: Sequence[str] | None = Field(default=None, description="The pieces of the text, in place of `text`.")
    reasoning: str = Field(default="", description="Streamed before the text, as `reasoning_content`.")
    first_delay_s: float = Field(default=0.0, ge=0, description="Wait before the answer begins, seconds.")
    delay_s: float = Field(default=0.0, ge=0, description="Wait before each further piece; 0 sends all at once.")
    usage: dict[str, object] | None = Field(
        default=None, description="Sent where the request asked for it; None counts pieces as tokens."
    )
    finish_reason: str | None = Field(default="stop", description="None leaves it out: the reply never says its end.")
    cut_after: int | None = Field(default=None, ge=0, description="The connection breaks after that many pieces.")

    @property
    def pieces(self) -> Sequence[str]:
        """The pieces of the text, in order."""
        return split_pieces(self.text) if self.chunks is None else self.chunks


class ErrorReply(_Reply):
    """A refusal, in the form of the service's own error bodies."""

    kind: Literal["error"] = "error"
    status: int = Field(ge=400, le=599)
    message: str = "made-up failure"
    type: str | None = None
    code: str | int | None = None
    param: str | None = None
    headers: dict[str, str] = Field(default_factory=dict, description="Sent besides the usual ones: `retry-after: 0`.")


class RawReply(_Reply):
    """Anything else, as it stands: a proxy's HTML page, half a JSON object."""

    kind: Literal["raw"] = "raw"
    body: str
    status: int = 200
    content_type: str = "text/html; charset=utf-8"


class NoReply(_Reply):
    """No answer at all."""

    kind: Literal["none"] = "none"
    close: bool = Field(default=True, description="Close the connection; False leaves the client waiting.")


ModelReply: TypeAlias = Annotated[StreamReply | ErrorReply | RawReply | NoReply, Field(discriminator="kind")]


class Script(_Reply):
    """A script as a file holds it; a reply that is only a text may be written as a string."""

    replies: list[str | ModelReply] = Field(default_factory=list["str | ModelReply"])
    repeat: str | ModelReply | None = Field(default=None, description="Answers every request after the replies.")
