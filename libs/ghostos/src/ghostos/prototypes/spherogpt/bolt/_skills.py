"""Moves that a ghost has learned: by name, with what they are for, kept in a file."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from ghostos.prototypes.spherogpt.bolt._motions import Motion

__all__ = ["Skill", "Skills"]

_MAX_NAME_CHARS = 80
_MAX_DESCRIPTION_CHARS = 500


class Skill(BaseModel):
    """A move that was learned."""

    description: str
    motions: tuple[Motion, ...]


class _File(BaseModel):
    version: Literal[1] = 1
    skills: dict[str, Skill] = Field(default_factory=dict)


class Skills:
    """The moves that one ghost knows. Read anew for each use: another process may have learned meanwhile.

    Args:
        path: The file; None keeps them in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept = _File()

    def save(self, name: str, skill: Skill) -> None:
        """Learn a move, or another one of the same name.

        Raises:
            ValueError: The name or the description is empty or too long, or there is no motion in it.
        """
        if not 0 < len(name.strip()) <= _MAX_NAME_CHARS or not name.isprintable():
            raise ValueError(f"A move has a name of 1 to {_MAX_NAME_CHARS} characters on one line, not {name[:100]!r}.")
        if len(skill.description) > _MAX_DESCRIPTION_CHARS:
            raise ValueError(f"A description is at most {_MAX_DESCRIPTION_CHARS} characters long.")
        if not skill.motions:
            raise ValueError("There is nothing in this move yet: add motions to it before it is saved.")
        known = self._read()
        known.skills[name.strip()] = skill
        self._write(known)

    def get(self, name: str) -> Skill:
        """Return a move.

        Raises:
            KeyError: It is not known; the message says which are.
        """
        known = self._read().skills
        if name.strip() not in known:
            raise KeyError(f"No move {name!r} was learned; there are: {', '.join(known) or 'none'}.")
        return known[name.strip()]

    def delete(self, name: str) -> None:
        """Forget a move.

        Raises:
            KeyError: As `get`.
        """
        self.get(name)
        known = self._read()
        del known.skills[name.strip()]
        self._write(known)

    def describe(self) -> dict[str, str]:
        """Return what each move is for, by its name."""
        return {name: each.description for name, each in self._read().skills.items()}

    def _read(self) -> _File:
        if self._path is None or not self._path.exists():
            return self._kept
        try:
            return _File.model_validate_json(self._path.read_bytes())
        except ValidationError as exc:
            raise ValueError(
                f"The file of learned moves {self._path} cannot be read: {exc.errors()[0]['msg']}. "
                "Mend it, or move it away: the ghost then begins anew."
            ) from exc

    def _write(self, known: _File) -> None:
        self._kept = known
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        written = self._path.with_suffix(".new")
        written.write_text(known.model_dump_json(indent=1), encoding="utf-8")
        written.replace(self._path)
