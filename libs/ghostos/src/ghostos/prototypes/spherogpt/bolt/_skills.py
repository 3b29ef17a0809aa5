"""Moves that a ghost has learned: by name, with what they are for, kept in a file."""

import logging
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field, ValidationError

from ghostos.config import AppSettings
from ghostos.libraries.atomic_files import folder_locked, write_atomically
from ghostos.prototypes.spherogpt.bolt._motions import Motion
from ghostos_container import Container

__all__ = ["Skill", "Skills", "kept_in_workspace"]

_MAX_NAME_CHARS: Final = 80
_MAX_DESCRIPTION_CHARS: Final = 500
_MAX_SKILLS: Final = 500

_logger = logging.getLogger(__name__)


class Skill(BaseModel):
    """A move that was learned."""

    description: str
    motions: tuple[Motion, ...]


class _File(BaseModel):
    version: Literal[1] = 1
    skills: dict[str, Skill] = Field(default_factory=dict)


class Skills:
    """The moves that one ghost knows. From any thread, and while other processes use the same file.

    Args:
        path: The file; None keeps them in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept = _File()
        self._read_as: object = None
        self._changing = threading.RLock()

    def save(self, name: str, skill: Skill) -> None:
        """Learn a move, or another one of the same name.

        Raises:
            ValueError: The name is empty, it or the description too long, there is no motion in the move, or there are
                too many moves.
        """
        _check_skill(name, skill)
        with self._change() as known:
            known.skills[name.strip()] = skill
            _check_count(known)

    def get(self, name: str) -> Skill:
        """Return a move.

        Raises:
            KeyError: It is not known; the message says which are.
        """
        return _find(self._read(), name)

    def delete(self, name: str) -> None:
        """Forget a move.

        Raises:
            KeyError: As `get`.
        """
        with self._change() as known:
            _find(known, name)
            del known.skills[name.strip()]

    def describe(self) -> dict[str, str]:
        """Return what each move is for, by its name."""
        return {name: each.description for name, each in self._read().skills.items()}

    def export_to(self, path: Path, *, names: Iterable[str] | None = None) -> None:
        """Write moves into a file of their own, which `import_from` reads.

        Args:
            path: The file; one that is there is replaced.
            names: Which; None: all.

        Raises:
            KeyError: One of them is not known.
        """
        known = self._read()
        chosen = known.skills if names is None else {name: _find(known, name) for name in names}
        write_atomically(path, _dump(_File(skills=dict(chosen))))

    def import_from(self, path: Path, *, replaces: bool = False) -> list[str]:
        """Learn the moves of a file that `export_to` made, or that another ghost keeps; all of them or none.

        Args:
            path: The file.
            replaces: Whether they take the place of moves of the same name.

        Returns:
            The names that were learned: without `replaces` those that were not known.

        Raises:
            ValueError: It is no such file, or something in it could not be learned.
        """
        new = _parse(path)
        for name, skill in new.skills.items():
            _check_skill(name, skill)
        with self._change() as known:
            learned = [name for name in new.skills if replaces or name not in known.skills]
            known.skills.update({name: new.skills[name] for name in learned})
            _check_count(known)
        return learned

    @contextmanager
    def _change(self) -> Generator[_File]:
        """Change what is known, on top of what others have learned meanwhile; nothing changes where this raises."""
        with self._changing:
            if self._path is None:
                known = _File(skills=dict(self._kept.skills))
                yield known
                self._kept = known
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with folder_locked(self._path.parent):
                known = _File(skills=dict(self._read().skills))
                yield known
                write_atomically(self._path, _dump(known))

    def _read(self) -> _File:
        """Return what is known; not to be modified."""
        if self._path is None:
            return self._kept
        with self._changing:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                return _File()
            state = status.st_ino, status.st_mtime_ns, status.st_size
            if state != self._read_as:
                self._kept, self._read_as = _parse(self._path), state
            return self._kept


def kept_in_workspace(ghost: str) -> Callable[[Container], Path]:
    """Return what says where in the workspace a ghost's learned moves are kept: `learned/<ghost>.json`."""
    return lambda container: container.force_fetch(AppSettings).workspace.learned / f"{ghost}.json"


def _parse(path: Path) -> _File:
    try:
        return _File.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        first = exc.errors()[0]
        _logger.warning("%s cannot be read: %s", path, exc)
        raise ValueError(
            f"The file of learned moves {path.name} cannot be read ({first['msg']}). Its owner must mend it, or move "
            "it away: then nothing is known at first."
        ) from exc


def _dump(known: _File) -> bytes:
    return known.model_dump_json(indent=1).encode()


def _find(known: _File, name: str) -> Skill:
    if name.strip() not in known.skills:
        raise KeyError(f"No move {name!r} was learned; there are: {', '.join(known.skills) or 'none'}.")
    return known.skills[name.strip()]


def _check_skill(name: str, skill: Skill) -> None:
    if not 0 < len(name.strip()) <= _MAX_NAME_CHARS or not name.isprintable():
        raise ValueError(f"A move has a name of 1 to {_MAX_NAME_CHARS} characters on one line, not {name[:100]!r}.")
    if len(skill.description) > _MAX_DESCRIPTION_CHARS:
        raise ValueError(f"A description is at most {_MAX_DESCRIPTION_CHARS} characters long.")
    if not skill.motions:
        raise ValueError("There is nothing in this move yet: add motions to it before it is saved.")


def _check_count(known: _File) -> None:
    if len(known.skills) > _MAX_SKILLS:
        raise ValueError(f"More than {_MAX_SKILLS} moves are too many: forget some first.")
