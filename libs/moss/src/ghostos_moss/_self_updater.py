"""The contract through which a model edits the module that it works in. Its docstrings are prompt text."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

__all__ = ["ModuleVersion", "SelfUpdater"]


@dataclass(frozen=True, slots=True)
class ModuleVersion:
    """A version of the module's source."""

    id: str
    note: str
    created_at: datetime
    parent: str | None
    is_current: bool
    is_proposed: bool


class SelfUpdater(ABC):
    """Edits the source of this module.

    An edit takes effect in your next reply, if the edited module compiles and its tests (functions `test_*`) pass;
    otherwise it raises and nothing changes. Edits of code that fails are undone. What is hidden from you,
    `__moss_permissions__` and functions marked `@on_host` cannot be edited.
    """

    @abstractmethod
    def append(self, code: str) -> str:
        """Add code at the end of the module."""

    @abstractmethod
    def replace(self, name: str, code: str) -> str:
        """Put code in the place of a definition, its decorators included; "" removes it.

        `name` is `function`, `Class`, `Class.method` or `VARIABLE`.
        """

    @abstractmethod
    def rewrite(self, code: str) -> str:
        """Put code in the place of the whole source that you see."""

    @abstractmethod
    def getsource(self, name: str = "") -> str:
        """The source with the edits so far: of one definition, or all that you see."""

    @abstractmethod
    def diff(self) -> str:
        """What the edits change in the user's file; "" for nothing."""

    @abstractmethod
    def propose(self, note: str = "") -> str:
        """Ask the user to take the edits over into the file; until then they last for this conversation."""

    @abstractmethod
    def versions(self) -> list[ModuleVersion]:
        """Every version so far, the oldest first."""

    @abstractmethod
    def restore(self, id: str) -> str:
        """Go back to a version."""
