"""What survives of a module between rounds."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = ["FORMAT", "Json", "PyContext"]

FORMAT: Final = 1
"""The newest format that this version knows."""

Json = JsonValue


class PyContext(BaseModel):
    """Module, code and values of one `moss`, as JSON. Every field has a default.

    Fields that this version does not know are kept, so that reading and writing a context loses nothing of it.
    """

    model_config = ConfigDict(defer_build=True, extra="allow")  # built when first used: importing is to be fast

    format: int = Field(default=FORMAT, ge=1, description="Version of this format; a compiler refuses newer ones.")
    module: str | None = Field(default=None, description="Name of the module that was compiled.")
    code: str | None = Field(default=None, description="Source that runs instead of the module's file.")
    values: dict[str, Json] = Field(
        default_factory=dict[str, Json],
        description="Public attributes of moss that are not injected, in the tagged JSON of ghostos_common.codec.",
    )
    source_hash: str = Field(default="", description="SHA-256 of the source that made the values; empty if none did.")
