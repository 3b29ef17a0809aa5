"""The port to values by id that a file asks for on its `Moss`. Its docstrings are prompt text."""

from abc import ABC, abstractmethod
from typing import Any


class Variables(ABC):
    """Values that others get by id: the user's programs, and the threads that you give them to.

    A value is data: JSON, and also tuples, sets, bytes, dates, Decimal. Once saved it does not change.
    """

    @abstractmethod
    def save(self, value: Any, description: str = "") -> str:  # noqa: ANN401 - whatever is data
        """Returns the id."""

    @abstractmethod
    def get(self, id: str) -> Any:  # noqa: ANN401 - whatever was saved
        """LookupError where there is none, or it was not given to you."""

    @abstractmethod
    def give(self, id: str, thread: str) -> None:
        """Let another thread get it: a thread's name, or the id of a subtask."""
