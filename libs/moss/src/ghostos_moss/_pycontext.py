"""What survives of a module between rounds."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = ["Json", "PyContext"]

Json = JsonValue


class PyContext(BaseModel):
    """Module, code and values of one `moss`, as JSON. Every field has a default."""

    model_config = ConfigDict(defer_build=True)  # built when first used: importing is to be fast

    format: Literal[1] = Field(default=1, description="Version of this format.")
    module: str | None = Field(default=None, description="Name of the module that was compiled.")
    code: str | None = Field(default=None, description="Source that runs instead of the module's file.")
    values: dict[str, Json] = Field(
        default_factory=dict[str, Json],
        description="Public attributes of moss that are not injected, in the tagged JSON of ghostos_common.codec.",
    )
    source_hash: str = Field(default="", description="SHA-256 of the source that made the values; empty if none did.")
