"""A file of learned moves: what it holds, how much of it, and why it cannot be read."""

import json
import os
import stat
import unicodedata
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from ghostos.prototypes.spherogpt.bolt._motions import Motion

__all__ = ["Skill", "SkillsFile", "check_skill", "dump_skills", "explain", "load_skills"]

_MAX_NAME_CHARS: Final = 80
_MAX_DESCRIPTION_CHARS: Final = 500
_MAX_MOTIONS: Final = 10_000
"""As many as may wait to be played."""
_MAX_MOVE_KIB: Final = 256
"""A path of ten minutes fits."""
_MAX_SKILLS: Final = 500
_MAX_FILE_MIB: Final = 8
_MAX_REASON_CHARS: Final = 200


class Skill(BaseModel):
    """A move that was learned; its description is one line."""

    description: str
    motions: tuple[Motion, ...]

    @field_validator("description")
    @classmethod
    def _join(cls, description: str) -> str:
        return " ".join(description.split())


class SkillsFile(BaseModel):
    """All that is in the file: moves by their names."""

    version: Literal[1] = 1
    skills: dict[str, Skill] = Field(default_factory=dict)


def load_skills(path: Path) -> SkillsFile:
    """Read a file. What is in it has passed the checks of what is saved.

    Raises:
        ValueError: It cannot be read; the message is the reason, without the path.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no file")  # a pipe would keep the reader waiting
        if status.st_size > _MAX_FILE_MIB << 20:
            raise ValueError(f"it is larger than {_MAX_FILE_MIB} MiB")
        known = SkillsFile.model_validate_json(path.read_bytes())
    except OSError as exc:
        raise ValueError(explain(exc)) from None  # its text holds the path, and a model is told of causes
    except ValidationError as exc:
        raise ValueError(_describe(exc)) from None  # as above
    return SkillsFile(skills=_check_all(known.skills))


def dump_skills(known: SkillsFile) -> bytes:
    """Return what the file is to hold: a line for each move.

    Raises:
        ValueError: It would be too much.
    """
    if len(known.skills) > _MAX_SKILLS:
        raise ValueError(f"More than {_MAX_SKILLS} moves are too many: forget some first.")
    lines = ",\n".join(f"{json.dumps(name)}:{skill.model_dump_json()}" for name, skill in known.skills.items())
    dumped = f'{{"version":{known.version},"skills":{{\n{lines}\n}}}}\n'.encode()
    if len(dumped) > _MAX_FILE_MIB << 20:
        raise ValueError(f"All moves together take up more than {_MAX_FILE_MIB} MiB: forget some first.")
    return dumped


def check_skill(name: str, skill: Skill) -> None:
    """See that a move can be learned by a name.

    Raises:
        ValueError: The name is not one line of some length, the description too long, there is no motion in the move,
            or more than can be played or kept.
    """
    if not 0 < len(name.strip()) <= _MAX_NAME_CHARS or not name.isprintable():
        raise ValueError(f"A move has a name of 1 to {_MAX_NAME_CHARS} characters on one line, not {name[:100]!r}.")
    if len(skill.description) > _MAX_DESCRIPTION_CHARS:
        raise ValueError(f"A description is at most {_MAX_DESCRIPTION_CHARS} characters long.")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in skill.description):
        raise ValueError("There are control characters in this description: leave them out.")
    if not skill.motions:
        raise ValueError("There is nothing in this move yet: add motions to it before it is saved.")
    if len(skill.motions) > _MAX_MOTIONS:
        raise ValueError(f"A move has at most {_MAX_MOTIONS:,} motions, not {len(skill.motions):,}: make it shorter.")
    if (size_bytes := len(skill.model_dump_json().encode())) > _MAX_MOVE_KIB << 10:
        raise ValueError(
            f"A move takes up at most {_MAX_MOVE_KIB} KiB, and this one {size_bytes >> 10} KiB: make it shorter, or "
            "save its parts as moves of their own."
        )


def explain(error: OSError) -> str:
    """Return why a file cannot be used: in the system's words, which name no path."""
    if isinstance(error, TimeoutError):
        return "another process has kept them locked for too long"
    return os.strerror(error.errno) if error.errno else type(error).__name__


def _check_all(skills: dict[str, Skill]) -> dict[str, Skill]:
    checked = dict[str, Skill]()
    for written, skill in skills.items():
        name = written.strip()
        if name in checked:
            raise ValueError(f"two of its moves are called {name[:_MAX_NAME_CHARS]!r}")
        check_skill(name, skill)
        checked[name] = skill
    return checked


def _describe(error: ValidationError) -> str:
    """The first thing that is wrong, on one line."""
    first = error.errors()[0]
    if first["loc"] == ("version",):
        return "it is of another version than 1: a newer GhostOS reads it"
    said = ": ".join([*map(str, first["loc"][-1:]), first["msg"]])
    return " ".join(said.split())[:_MAX_REASON_CHARS]
