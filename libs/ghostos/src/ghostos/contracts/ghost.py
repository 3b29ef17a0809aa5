"""What an agent is (`Ghost`: data) and what it does (`GhostDriver`: behaviour)."""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from ghostos.contracts.session import Session
from ghostos.core.json import JsonObject
from ghostos.core.operator import Operator


class GhostDriver(Protocol):
    """The behaviour of one ghost on one task. What lasts is in the task: a driver keeps only what it can make anew."""

    async def on_event(self, session: Session) -> Operator:
        """Handle the session's event: one round.

        Returns:
            What comes next. `Observe` asks for one more round in this turn.

        Raises:
            GhostOSError: The round failed; the thread shows it, what was said so far stays as `partial`, and the task
                waits for the next event.
        """
        ...


class Ghost(BaseModel, ABC):
    """The definition of an agent: plain data, stored with its task.

    A kind of ghost is a subclass with its fields, a `kind` and `create_driver`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    """Names the kind in the database."""

    ContextType: ClassVar[type[BaseModel] | None] = None
    """What it must be given to work with, if anything."""

    ArtifactType: ClassVar[type[BaseModel] | None] = None
    """What it promises to make; None is any JSON, or what it says."""

    name: str = Field(default="", description="What the ghost is called.")
    description: str = Field(default="", description="What it is for, in one line, for people and other ghosts.")
    model: str | None = Field(default=None, description="`provider:model`; None is the workspace's default.")

    @property
    def origin(self) -> str:
        """What its threads belong to where nobody says which file or module it was made from."""
        return f"python:{self.kind}:{self.name}"

    @abstractmethod
    def create_driver(self) -> GhostDriver:
        """Return the behaviour of this ghost."""

    def dump(self) -> JsonObject:
        """Return the definition as stored: its kind and its fields."""
        return {"type": self.kind, **self.model_dump(mode="json")}
