"""Every setting of `configs/ghostos.toml` by its name, as people write it: what it is, and what a text for it means."""

import difflib
import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Final, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ghostos.config import ModelSettings, ServiceSettings, Settings
from ghostos.errors import UsageError
from ghostos.libraries.settings_text import SettingValue

__all__ = [
    "Counts",
    "Setting",
    "check_value",
    "describe_fault",
    "find_path",
    "find_setting",
    "list_fields",
    "list_named",
    "list_settings",
    "parse_value",
    "read_value",
]

Counts: TypeAlias = Literal["turn", "start"]
"""From when on a changed setting counts: from the next turn, or from the next start of GhostOS."""

_AT_START: Final = (("code", "sandbox"), ("code", "limits"), ("store",), ("assets",))
_NAMED: Final[dict[str, type[BaseModel]]] = {"services": ServiceSettings, "models": ModelSettings}
"""Tables whose names are free, and what stands in each."""


_FIELD: Final = re.compile(r"[a-z_]+")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        path: The names that lead to it in the file.
        field: Its type, bounds, default and description.
    """

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def name(self) -> str:
        """As people write it: `code.timeout_s`, `models.openai:gpt-4o.input_price`."""
        return ".".join(self.path)

    @property
    def counts(self) -> Counts:
        """From when on a change of it counts."""
        return "start" if any(self.path[: len(each)] == each for each in _AT_START) else "turn"

    @property
    def default(self) -> object:
        """What holds where it is not set."""
        return self.field.get_default(call_default_factory=True)

    @property
    def choices(self) -> tuple[str, ...]:
        """All that it may be, where that is a few words."""
        annotation = self.field.annotation
        return tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()

    @property
    def kinds(self) -> frozenset[object]:
        """The types that its value may have, `None` aside."""
        annotation = self.field.annotation
        is_union = get_origin(annotation) in (Union, UnionType)
        return frozenset(get_args(annotation) if is_union else (annotation,)) - {NoneType}

    @property
    def takes_list(self) -> bool:
        """Whether it may be a list of texts."""
        return list[str] in self.kinds


def list_settings(services: Sequence[str], models: Sequence[str]) -> list[Setting]:
    """Return all settings, in the order of the documentation, with those of the services and models that are named."""
    named = {"services": services, "models": models}
    found = list(list_fields(Settings))
    return [*found, *(each for group in _NAMED for name in named[group] for each in list_named(group, name))]


def list_fields(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Yield the settings of a table and of those below it, without tables whose names are free."""
    for name, field in model.model_fields.items():
        below = field.annotation
        if isinstance(below, type) and issubclass(below, BaseModel):
            yield from list_fields(below, (*path, name))
        elif (*path, name) != ("version",) and (path or name not in _NAMED):
            yield Setting((*path, name), field)


def list_named(group: str, name: str) -> Iterator[Setting]:
    """Yield the settings of one service (`group` is `services`) or model (`models`)."""
    return list_fields(_NAMED[group], (group, name))


def find_setting(name: str) -> Setting:
    """Return the setting that a name means.

    Raises:
        UsageError: There is none of that name.
    """
    path = find_path(name)
    known = {each.path: each for each in _list_beside(path)}
    if path in known:
        return known[path]
    if path in {each[: len(path)] for each in known} or (len(path) <= 2 and name.partition(".")[0] in _NAMED):
        below = next((each.name for each in known.values() if each.path[: len(path)] == path), f"{name}.NAME")
        raise UsageError(f"'{name}' is a group of settings.", advice=f"Name one of them, like {below}")
    raise _unknown(name, [each.name for each in known.values()])


def find_path(name: str) -> tuple[str, ...]:
    """Return the names that lead to a setting or to a group of settings. Names of services and models may hold dots.

    Raises:
        UsageError: Nothing has that name.
    """
    group, _, rest = name.partition(".")
    if group not in _NAMED or not rest:
        path = tuple(name.split("."))
        known = {each.path[:length] for each in list_fields(Settings) for length in range(1, len(each.path) + 1)}
        if path in known or path in {(each,) for each in _NAMED}:
            return path
        raise _unknown(name, [".".join(each) for each in known])
    own, _, field = rest.rpartition(".")
    if own and field in _NAMED[group].model_fields:
        return group, own.strip("\"'"), field
    if not own or not _FIELD.fullmatch(field):  # the dot is one of the name: openai:gpt-4.1
        return group, rest.strip("\"'")
    raise _unknown(name, [f"{group}.{own}.{each}" for each in _NAMED[group].model_fields])


def read_value(path: Sequence[str], *, settings: BaseModel) -> object:
    """Return what settings say; None where they have no such service or model."""
    found: object = settings
    for name in path:
        found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else getattr(found, name, None)
    return found


def parse_value(setting: Setting, text: str) -> SettingValue:
    """Return the value that a text means for a setting: as TOML writes it, bare, or as a list with commas.

    Raises:
        UsageError: It cannot be that.
    """
    refused: ValidationError | None = None
    for candidate in _list_readings(setting, text):
        try:
            return check_value(setting, candidate)
        except ValidationError as exc:
            refused = refused or exc
    raise _cannot_be(setting, text, refused=refused)


def check_value(setting: Setting, value: object) -> SettingValue:
    """Return a value as it is stored.

    Raises:
        ValidationError: The setting cannot be that.
    """
    nested: object = value
    for name in reversed(setting.path):
        nested = {name: nested}
    return cast("SettingValue", read_value(setting.path, settings=Settings.model_validate(nested)))


def _list_readings(setting: Setting, text: str) -> Iterator[object]:
    with suppress(tomllib.TOMLDecodeError):  # bare words
        yield tomllib.loads(f"value = {text}")["value"]
    yield text
    if setting.takes_list:
        yield [part.strip() for part in text.split(",") if part.strip()]


def _list_beside(path: tuple[str, ...]) -> list[Setting]:
    if len(path) > 1 and path[0] in _NAMED:
        return list(list_named(path[0], path[1]))
    return list(list_fields(Settings))


def _cannot_be(setting: Setting, text: str, *, refused: ValidationError | None) -> UsageError:
    message = describe_fault(refused) if refused else "it has no value"
    return UsageError(
        f"{setting.name} cannot be {text!r:.80}: {message}.",
        advice=f"{setting.field.description or ''} Not set: ghostos config unset {setting.name}".strip(),
    )


def describe_fault(refused: ValidationError) -> str:
    """Return what is wrong with a value, as a part of a sentence."""
    message = str(refused.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
    return message.replace("Input should", "it should", 1).rstrip(".")


def _unknown(name: str, known: Sequence[str]) -> UsageError:
    last = name.rpartition(".")[2]
    ends = {each.rpartition(".")[2]: each for each in known}
    close = difflib.get_close_matches(name, known, n=1) or [
        ends[each] for each in difflib.get_close_matches(last, list(ends), n=1)
    ]
    meant = f" Did you mean {close[0]}?" if close else ""
    return UsageError(f"There is no setting '{name}'.{meant}", advice="All of them: ghostos config --all")
