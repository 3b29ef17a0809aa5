"""Moves that a ghost has learned: by name, with what they are for, kept in a file."""

import logging
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from ghostos.config import AppSettings
from ghostos.libraries.atomic_files import folder_locked, write_atomically
from ghostos.prototypes.spherogpt.bolt._skills_file import (
    Skill,
    SkillsFile,
    check_skill,
    dump_skills,
    explain,
    load_skills,
)
from ghostos_container import Container

__all__ = ["Skill", "Skills", "kept_in_workspace"]

_MAX_FILE_NAME_CHARS: Final = 80
_MAX_NAMED: Final = 20

_logger = logging.getLogger(__name__)


class Skills:
    """The moves that one ghost knows. From any thread, and while other processes use the same file.

    What a model calls names no folder where it fails; the log does.

    Args:
        path: The file; None keeps them in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept = SkillsFile()
        self._fault: str | None = None
        """Why the file cannot be read, as it was when it was last looked at."""
        self._read_as: object = None
        self._changing = threading.RLock()
        self._reading = threading.Lock()
        """Of its own: who reads does not wait for other processes that change the file."""

    def save(self, name: str, skill: Skill) -> None:
        """Learn a move, or another one of the same name.

        Raises:
            ValueError: The name or the move does not fit (see `check_skill`), there are too many moves, or what is
                known cannot be read.
            OSError: It cannot be written; what was known is as before.
        """
        check_skill(name, skill)
        with self._change() as known:
            known.skills[name.strip()] = skill

    def get(self, name: str) -> Skill:
        """Return a move.

        Raises:
            KeyError: It is not known; the message says which are.
            ValueError: What is known cannot be read.
        """
        return _find(self._read(), name)

    def delete(self, name: str) -> None:
        """Forget a move.

        Raises:
            KeyError: As `get`.
            ValueError: As `get`.
            OSError: As `save`.
        """
        with self._change() as known:
            _find(known, name)
            del known.skills[name.strip()]

    def describe(self) -> dict[str, str]:
        """Return what each move is for, by its name.

        Raises:
            ValueError: As `get`.
        """
        return {name: each.description for name, each in self._read().skills.items()}

    def find_descriptions(self) -> dict[str, str] | None:
        """As `describe`; None where what is known cannot be read."""
        try:
            return self.describe()
        except ValueError:  # the log says why
            return None

    def export_to(self, path: Path, *, names: Iterable[str] | None = None) -> None:
        """Write moves into a file of their own, which `import_from` reads.

        Args:
            path: The file; one that is there is replaced.
            names: Which; None: all.

        Raises:
            KeyError: One of them is not known.
            ValueError: As `get`.
            OSError: The file cannot be written.
        """
        known = self._read()
        chosen = known.skills if names is None else {name.strip(): _find(known, name) for name in names}
        try:
            write_atomically(path, dump_skills(SkillsFile(skills=dict(chosen))))
        except OSError as exc:
            raise OSError(f"The learned moves cannot be exported to {path}: {explain(exc)}.") from exc

    def import_from(self, path: Path, *, replaces: bool = False) -> list[str]:
        """Learn the moves of a file that `export_to` made, or that another ghost keeps; all of them or none.

        Args:
            path: The file.
            replaces: Whether they take the place of moves of the same name.

        Returns:
            The names that were learned: without `replaces` those that were not known.

        Raises:
            ValueError: The file cannot be read, or something in it could not be learned.
            OSError: As `save`.
        """
        try:
            new = load_skills(path)
        except ValueError as exc:
            raise ValueError(
                f"{path} cannot be read: {exc}. Give a file that export_to has written, or a ghost's own."
            ) from exc
        with self._change() as known:
            learned = [name for name in new.skills if replaces or name not in known.skills]
            known.skills.update({name: new.skills[name] for name in learned})
        return learned

    @contextmanager
    def _change(self) -> Generator[SkillsFile]:
        """Change what is known, on top of what others have learned meanwhile; nothing changes where this raises."""
        with self._changing:
            if self._path is None:
                known = SkillsFile(skills=dict(self._kept.skills))
                yield known
                dump_skills(known)  # as much as a file may hold
                self._kept = known
                return
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with folder_locked(self._path.parent):
                    known = SkillsFile(skills=dict(self._read().skills))
                    yield known
                    write_atomically(self._path, dump_skills(known))
            except OSError as exc:
                _logger.warning("%s cannot be written: %s", self._path, exc)
                # without its cause, whose text holds the path: a model is told of causes
                raise OSError(f"The learned moves cannot be written: {explain(exc)}. They are as before.") from None

    def _read(self) -> SkillsFile:
        """Return what is known; not to be modified."""
        if self._path is None:
            return self._kept
        with self._reading:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                return SkillsFile()
            except OSError as exc:
                state: object = exc.errno
            else:
                state = status.st_ino, status.st_mtime_ns, status.st_size
            if state != self._read_as:
                self._load(self._path)
                self._read_as = state
            if self._fault is not None:
                raise ValueError(self._fault)
            return self._kept

    def _load(self, path: Path) -> None:
        self._fault = None
        try:
            self._kept = load_skills(path)
        except ValueError as exc:
            _logger.warning("%s cannot be read: %s", path, exc)
            self._fault = (
                f"The file of learned moves {path.name} cannot be read ({exc}). Its owner must mend it, or move it "
                "away: then nothing is known at first."
            )


def kept_in_workspace(ghost: str) -> Callable[[Container], Path]:
    """Return what says where in the workspace a ghost's learned moves are kept: `learned/<ghost>.json`.

    Raises:
        ValueError: The name of the ghost is none that a file can have.
    """
    is_fit = 0 < len(ghost) <= _MAX_FILE_NAME_CHARS and ghost.isprintable() and ghost == ghost.strip()
    if not is_fit or ghost.startswith(".") or not set(ghost).isdisjoint('/\\:*?"<>|'):
        raise ValueError(
            f"What {ghost[:100]!r} has learned cannot be kept in a file of that name: give 1 to {_MAX_FILE_NAME_CHARS} "
            'characters on one line, no dot first, and none of / \\ : * ? " < > |.'
        )
    return lambda container: container.force_fetch(AppSettings).workspace.learned / f"{ghost}.json"


def _find(known: SkillsFile, name: str) -> Skill:
    if name.strip() not in known.skills:
        named = ", ".join(islice(known.skills, _MAX_NAMED)) or "none"
        more = f" and {len(known.skills) - _MAX_NAMED} more" if len(known.skills) > _MAX_NAMED else ""
        raise KeyError(f"No move {name!r} was learned; there are: {named}{more}.")
    return known.skills[name.strip()]
