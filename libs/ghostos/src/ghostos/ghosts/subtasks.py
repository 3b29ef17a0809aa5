"""The contract that lets a ghost have others work for it. Its docstrings are prompt text."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ghostos.core.json import Json
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent


@dataclass(frozen=True, slots=True)
class Subtask:
    """How one stands."""

    id: str
    name: str
    state: str
    """new, running, waiting, parked, finished, failed or cancelled"""


class Subtasks(ABC):
    """Other ghosts that work for you, at the same time as you and each other.

    What you ask for here begins when your code has ended. You are told, in a turn of its own, when one finishes, fails
    or waits for you: until then just end your turn. A MossAgent works in a module that your file names; it may do what
    you may.
    """

    @abstractmethod
    def create(self, ghost: Chatbot | MossAgent, instruction: str) -> str:
        """Start a ghost on a task. Returns the task's id."""

    @abstractmethod
    def send(self, id: str, text: str) -> None:
        """Say something to it."""

    @abstractmethod
    def cancel(self, id: str, reason: str = "") -> None:
        """End it, and all that it has started."""

    @abstractmethod
    def result(self, id: str) -> Json:
        """What it has made, or else said last. Raises RuntimeError while it is at work, and if it failed."""

    @abstractmethod
    async def call(self, ghost: Chatbot | MossAgent, instruction: str, *, timeout_s: float = 600) -> Json:
        """Start a ghost and wait for its result: `await moss.subtasks.call(...)`. Use asyncio.gather for several."""

    @abstractmethod
    async def wait(self, id: str, *, timeout_s: float = 600) -> Json:
        """Wait for the result of one that you created."""

    @abstractmethod
    def list(self) -> list[Subtask]:
        """All that you have started, the oldest first."""
