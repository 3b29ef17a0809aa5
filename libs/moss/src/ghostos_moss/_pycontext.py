"""What survives of a module between rounds."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from ghostos_moss._code_versions import CodeProposal, CodeVersion, read_version

__all__ = ["FORMAT", "Json", "PyContext"]

FORMAT: Final = 2
"""The newest format that this version knows."""

Json = JsonValue


def _migrate(found: Any) -> Any:  # noqa: ANN401 - whatever stands there; the field's own type checks it
    """Format 1 had no versions and no proposal: it is format 2 without any."""
    return FORMAT if type(found) is int and found == 1 else found


class PyContext(BaseModel):
    """Module, code and values of one `moss`, as JSON. Every field has a default.

    Fields that this version does not know are kept, so that reading and writing a context loses nothing of it.
    """

    model_config = ConfigDict(defer_build=True, extra="allow")  # built when first used: importing is to be fast

    format: Annotated[int, BeforeValidator(_migrate)] = Field(
        default=FORMAT, ge=1, description="Version of this format; older ones are migrated, a compiler refuses newer."
    )
    module: str | None = Field(default=None, description="Name of the module that was compiled.")
    code: str | None = Field(default=None, description="Source that runs instead of the module's file.")
    values: dict[str, Json] = Field(
        default_factory=dict[str, Json],
        description="Public attributes of moss that are not injected, in the tagged JSON of ghostos_common.codec.",
    )
    source_hash: str = Field(default="", description="SHA-256 of the source that made the values; empty if none did.")
    versions: list[CodeVersion] = Field(
        default_factory=list[CodeVersion], description="Every version that code was, and those they came from."
    )
    proposal: CodeProposal | None = Field(default=None, description="The version that the user is asked to accept.")

    def read_version(self, id: str) -> str:
        """The whole text of one of the versions.

        Raises:
            CodeVersionError: There is none of that id, or it is damaged.
        """
        return read_version(self.versions, id)

    def settle_proposal(self) -> "PyContext":
        """The context after the proposed version was written into the file.

        The file runs again where nothing was edited since; edits that came after it count as made on the new file.
        """
        if self.proposal is None:
            return self
        accepted = self.proposal.version
        earlier = next((version.base for version in self.versions if version.id == accepted), None)
        return self.model_copy(
            update={
                "code": None if self.code == self.read_version(accepted) else self.code,
                "proposal": None,
                "versions": [
                    version.model_copy(update={"base": accepted}) if version.base == earlier else version
                    for version in self.versions
                ],
            }
        )
