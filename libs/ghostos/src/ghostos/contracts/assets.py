"""The port to files by id that a file asks for on its `Moss`. Its docstrings are prompt text."""

from abc import ABC, abstractmethod
from pathlib import Path


class Assets(ABC):
    """Files that others get by id, such as those that the user attached, and images that you show to the user.

    Paths are in your current folder.
    """

    @abstractmethod
    def save_file(self, path: str | Path) -> str:
        """Keep a copy of a file as it is now. Returns the id."""

    @abstractmethod
    def show(self, id: str) -> None:
        """Show an image, or audio, when your code has ended. To look at it yourself, go on: `moss.flow.observe()`."""

    @abstractmethod
    def load(self, id: str, path: str | Path) -> None:
        """Put a copy into your folder. LookupError where there is none, or it was not given to you."""

    @abstractmethod
    def give(self, id: str, thread: str) -> None:
        """Let another thread use it: a thread's name, or the id of a subtask."""
