"""The agent of the crash suite: an object that writes down outside of GhostOS what it was told to do, and when."""

import os
import time
from pathlib import Path

from ghostos.ghosts.chatbot import Chatbot  # noqa: F401  # pyright: ignore[reportUnusedImport] - for the model's code
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.subtasks import Subtasks
from ghostos_container import Provider, provide
from ghostos_moss import Moss as Parent


class Book:
    """A list on paper: what is written there stays."""

    def write(self, word: str, slowly_s: float = 0) -> int:
        """Write a word down; return how many there are."""
        raise NotImplementedError


class Moss(Parent):
    book: Book
    subtasks: Subtasks
    seen: list[str] = []  # noqa: RUF012 - a default of a Moss


# <moss-hide>
class PaperBook(Book):
    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, word: str, slowly_s: float = 0) -> int:
        time.sleep(slowly_s)
        with self._path.open("ab") as file:
            file.write(f"{word}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        return len(self._path.read_bytes().splitlines())


def __matrix_providers__() -> list[Provider[Book]]:
    return [provide(Book)(lambda container: PaperBook(Path(os.environ["CRASH_BOOK"])))]


__ghost__ = MossAgent(__file__, name="clerk")
# </moss-hide>
