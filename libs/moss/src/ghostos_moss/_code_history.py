"""Where the source of a module stands after edits: the text that runs, its versions, and what is proposed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ghostos_moss._code_versions import (
    CodeProposal,
    CodeVersion,
    find_version,
    make_version,
    read_version,
    version_id,
)
from ghostos_moss._pycontext import PyContext
from ghostos_moss._self_updater import ModuleVersion

__all__ = ["CodeHistory"]

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class CodeHistory:
    """One state of a source. Each edit gives another one.

    Attributes:
        original: The source of the module's file as it is now; None where there is none.
        code: What runs in its place; None while the file runs.
        versions: As in a `PyContext`: those that were made or renewed last come last.
        proposal: As there.
    """

    original: str | None
    code: str | None = None
    versions: tuple[CodeVersion, ...] = ()
    proposal: CodeProposal | None = None

    @classmethod
    def load(cls, pycontext: PyContext, *, original: str | None) -> "CodeHistory":
        """What a context has; the file runs again where it has become what was edited."""
        is_in_file = pycontext.code == original and bool(pycontext.versions)
        code = None if is_in_file else pycontext.code
        return cls(original, code, tuple(pycontext.versions), pycontext.proposal)

    @property
    def text(self) -> str:
        """The source that the next compile runs."""
        return (self.original or "") if self.code is None else self.code

    @property
    def size(self) -> int:
        """Characters that the versions keep."""
        return sum(len(version.text) for version in self.versions)

    def save_to(self, pycontext: PyContext) -> PyContext:
        """The context with this in it; the same object where nothing was ever edited."""
        if not self.versions and self.code == pycontext.code:
            return pycontext
        update = {"code": self.code, "versions": list(self.versions), "proposal": self.proposal}
        return pycontext.model_copy(update=update)

    def edit(self, text: str, *, note: str, now: datetime) -> "CodeHistory":
        """With another text, which is a new version; a text that was there before is renewed."""
        began = _begun(self, now=now)
        base = _base(began)
        known = find_version(began.versions, version_id(text))
        if known is None:
            parent = version_id(began.text)
            made = make_version(text, parent=parent, parent_text=began.text, base=base, note=note, created_at=now)
        else:  # its parent stays: made from another one, a version could be its own ancestor
            made = known.model_copy(update={"base": base, "note": note, "created_at": now})
        others = (version for version in began.versions if version.id != made.id)
        return replace(_with_code(began, text), versions=(*others, made))

    def restore(self, id: str, *, now: datetime) -> "CodeHistory":
        """With the text of a version.

        Raises:
            CodeVersionError: There is none of that id.
        """
        return _with_code(_begun(self, now=now), read_version(self.versions, id))

    def propose(self, *, note: str, now: datetime) -> "CodeHistory":
        """With the present text proposed."""
        began = _begun(self, now=now)
        return replace(began, proposal=CodeProposal(version=version_id(self.text), note=note, created_at=now))

    def list_versions(self) -> list[ModuleVersion]:
        """The versions as a model sees them."""
        current = version_id(self.text)
        proposed = self.proposal.version if self.proposal else None
        return [
            ModuleVersion(
                id=version.id,
                note=version.note,
                created_at=version.created_at or _LONG_AGO,
                parent=version.parent,
                is_current=version.id == current,
                is_proposed=version.id == proposed,
            )
            for version in self.versions
        ]


def _begun(history: CodeHistory, *, now: datetime) -> CodeHistory:
    """With the present text among the versions: what edits begin with is kept whole."""
    id = version_id(history.text)
    if find_version(history.versions, id) is not None:
        return history
    made = make_version(history.text, base=id, note="before the edits", created_at=now)
    return replace(history, versions=(*history.versions, made))


def _with_code(history: CodeHistory, text: str) -> CodeHistory:
    return replace(history, code=None if text == history.original else text)


def _base(history: CodeHistory) -> str:
    """The id of what the file held when the present text was made from it."""
    current = find_version(history.versions, version_id(history.text))
    return version_id(history.text) if history.code is None or current is None else current.base
