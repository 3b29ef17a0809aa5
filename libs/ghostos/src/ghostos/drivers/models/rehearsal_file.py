"""The file of a rehearsal: what was recorded for a target, and when each part of it plays."""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ghostos.drivers.models.rehearsal_match import NO_FIT, Phrase, normalise
from ghostos.errors import ConfigError
from ghostos_moss import find_module_spec

if TYPE_CHECKING:
    import yaml
    from pydantic_core import ErrorDetails

__all__ = ["Otherwise", "RehearsalFile", "Round", "Scene", "check_rehearsal", "find_rehearsal", "read_rehearsal"]

SUFFIX = ".rehearsal.yaml"
_MAX_SIZE_BYTES = 4 * 1024 * 1024
_MAX_DEPTH = 16
_PLAIN_SCALARS = {
    "bool": r"(?:true|false|yes|no|on|off)\Z",
    "int": r"(?:0|[1-9][0-9]{0,8})\Z",
    "null": r"(?:~|null)?\Z",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Round(_Part):
    """What is played for one model call."""

    say: str = Field(default="", description="Text for the user.")
    code: str | None = Field(default=None, description="Code that runs; the `<moss>` marks are put around it.")
    expect: str | None = Field(
        default=None, min_length=1, description="Part of the code's output; where it is missing the scene stops."
    )

    @model_validator(mode="after")
    def _check_sense(self) -> "Round":
        if not self.say.strip() and not (self.code or "").strip():
            raise ValueError("a round says something or has code")
        if "moss>" in self.say or "moss>" in (self.code or ""):
            raise ValueError("the <moss> marks are put around 'code' when it plays: leave them out")
        if self.expect is not None and self.code is None:
            raise ValueError("'expect' is about the output of 'code', and there is none")
        return self


class Scene(_Part):
    """What is played for one thing that the user may say."""

    id: str = Field(min_length=1)
    when: list[str] = Field(min_length=1, description="Phrases, words in a row, or /regular expressions/.")
    needs: list[str] = Field(default_factory=list, description="Scenes that this thread must have played before.")
    rounds: list[Round] = Field(min_length=1)

    @field_validator("when")
    @classmethod
    def _check_patterns(cls, when: list[str]) -> list[str]:
        for phrase in when:
            Phrase.parse(phrase)
        return when

    @model_validator(mode="after")
    def _check_rounds(self) -> "Scene":
        for number, played in enumerate(self.rounds[:-1], start=1):
            if played.code is None:
                raise ValueError(f"round {number} has no code, so that no output calls for the rounds after it")
        return self


class Otherwise(_Part):
    """What is said where nothing was recorded."""

    say: str = ""
    offer: list[str] = Field(default_factory=list, max_length=5, description="Phrases that a scene answers.")


class RehearsalFile(_Part):
    """One `<module>.rehearsal.yaml`."""

    version: Literal[1]
    scenes: list[Scene] = Field(min_length=1)
    otherwise: Otherwise = Field(default_factory=Otherwise)

    @model_validator(mode="after")
    def _check_references(self) -> "RehearsalFile":
        seen: set[str] = set()
        for scene in self.scenes:
            if scene.id in seen:
                raise ValueError(f"two scenes have the id '{scene.id}'")
            for needed in scene.needs:
                if needed not in seen:
                    raise ValueError(f"scene '{scene.id}' needs '{needed}', and no scene before it has that id")
            seen.add(scene.id)
        heard = [Phrase.parse(phrase) for scene in self.scenes for phrase in scene.when]
        for phrase in self.otherwise.offer:
            if all(known.measure_fit(phrase, words=normalise(phrase)) == NO_FIT for known in heard):
                raise ValueError(f"no scene answers the phrase {phrase!r} that 'otherwise' offers")
        return self


def find_rehearsal(target: str) -> Path | None:
    """Return the rehearsal beside a target; None where there is none. The target is not imported.

    Args:
        target: A file's path or a module's name.
    """
    path = Path(target) if target.endswith(".py") or "/" in target else _find_module(target)
    if path is None:
        return None
    rehearsal = path.with_name(path.stem + SUFFIX)
    return rehearsal if rehearsal.is_file() else None


def _find_module(name: str) -> Path | None:
    """Return a module's file."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    spec = find_module_spec(name)
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def read_rehearsal(path: Path) -> RehearsalFile:
    """Read and check a rehearsal.

    Raises:
        ConfigError: It is no rehearsal; the first problem, with its line.
    """
    read, problems = _read(path)
    if read is None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigError(
            f"The rehearsal {problems[0]}{more}",
            advice="Correct that line; docs/usages/rehearsal.md has the format.",
        )
    return read


def check_rehearsal(path: Path) -> list[str]:
    """Return every problem of a rehearsal, `name, line N: what`; empty where it can be played."""
    return _read(path)[1]


def _read(path: Path) -> tuple[RehearsalFile | None, list[str]]:
    import yaml

    try:
        if path.stat().st_size > _MAX_SIZE_BYTES:
            return None, [f"{path.name}: it is larger than {_MAX_SIZE_BYTES} bytes"]
        node, data = _parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        return None, [f"{path.name}: it cannot be read: {exc}"]
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        return None, [f"{path.name}, line {line}: {exc.problem or 'it is no YAML'}"]
    except yaml.YAMLError as exc:
        return None, [f"{path.name}: it is no YAML: {exc}"]
    try:
        return RehearsalFile.model_validate(data), []
    except ValidationError as exc:
        return None, [_describe(error, name=path.name, node=node) for error in exc.errors()]


def _parse(text: str) -> "tuple[yaml.Node | None, object]":
    """Return the tree, which knows its lines, and the plain data of it."""
    _refuse_depth_and_tags(text)
    loader = _make_plain_loader()(text)
    try:
        node = loader.get_single_node()
        _refuse_doubles(node)
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


@functools.cache
def _make_plain_loader() -> "type[yaml.SafeLoader]":
    """Return a loader that makes nothing of a scalar but str, int, bool and None: no dates, floats or merges."""
    import yaml

    parent: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: type[yaml.SafeLoader] = type("PlainLoader", (parent,), {"yaml_implicit_resolvers": {}})
    for kind, pattern in _PLAIN_SCALARS.items():
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(pattern, re.IGNORECASE), None)
    return loader


def _refuse_depth_and_tags(text: str) -> None:
    """Refuse what the tree must not be made of: it is built by recursion, and a tag may ask for any type."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=_make_plain_loader()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="it is nested too deeply", problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem=f"tags have no meaning here: {event.tag}", problem_mark=event.start_mark)


def _refuse_doubles(root: "yaml.Node | None") -> None:
    """Refuse a key that occurs twice: YAML would silently drop the first."""
    import yaml

    pending, visited = [root], set[int]()
    while pending:
        node = pending.pop()
        if id(node) in visited:  # an alias, perhaps of what it stands in
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in seen:
                    raise yaml.MarkedYAMLError(problem=f"'{name}' occurs twice", problem_mark=key.start_mark)
                seen.add(name)
                pending.append(value)


def _describe(error: "ErrorDetails", *, name: str, node: "yaml.Node | None") -> str:
    """Return one problem in words, with the line of the place that it is about."""
    import yaml

    for step in error["loc"]:
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = node.value[step]
        else:
            found = None
        if found is None:
            break
        node = found
    line = node.start_mark.line + 1 if node is not None else 1
    place = ".".join(str(step) for step in error["loc"])
    text = error["msg"].removeprefix("Value error, ")
    return f"{name}, line {line}: {place + ': ' if place else ''}{text}"
