"""Which facts of a contract's JSON schemas are not in a text: names, descriptions, defaults, limits, choices."""

import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any, cast

from benchmarks.moss.schema import Tool

__all__ = ["find_facts", "missing_facts"]

_BY_NAME = ("properties", "$defs")
_OWN = ("enum", "default", "description")
_VALUES = ("default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxLength", "minLength", "pattern")


def missing_facts(tools: list[Tool], contract: type, text: str) -> list[str]:
    """The facts that the text does not say."""
    flat = _flatten(text)
    return [fact for fact in find_facts(tools, contract) if _flatten(fact) not in flat]


def find_facts(tools: list[Tool], contract: type) -> list[str]:
    """What the schemas say, and what the methods return; each once, in order."""
    found: dict[str, None] = {}
    for tool in tools:
        function = cast("Mapping[str, Any]", tool["function"])
        found |= dict.fromkeys([function["name"], *_sentences(function["description"])])
        found |= dict.fromkeys(_of_schema(function["parameters"]))
        found |= dict.fromkeys(_returned(getattr(contract, function["name"])))
    return [*found]


def _of_schema(schema: object) -> Iterator[str]:
    """What a schema says, and what the schemas in it say."""
    if isinstance(schema, list):
        for part in cast("list[object]", schema):
            yield from _of_schema(part)
    elif isinstance(schema, dict):
        named = cast("Mapping[str, Any]", schema)
        yield from _own_facts(named)
        for key, part in named.items():
            if key in _BY_NAME:
                yield from _of_schema([*part.values()])
            elif key not in _OWN:
                yield from _of_schema(part)


def _own_facts(schema: Mapping[str, Any]) -> Iterator[str]:
    for key in _BY_NAME:
        yield from schema.get(key, ())
    for value in schema.get("enum", []):
        yield f'"{value}"' if isinstance(value, str) else f"= {value}"
    if isinstance(schema.get("description"), str):
        yield from _sentences(schema["description"])
    for key in _VALUES:
        if isinstance(schema.get(key), (int, float)) and not isinstance(schema[key], bool):
            yield f"{schema[key]}"


def _returned(function: Any) -> Iterator[str]:  # noqa: ANN401 - any method
    """The return annotation's classes, and the fields of those."""
    pending = [typing.get_type_hints(function).get("return")]
    seen: list[object] = []
    while pending:
        hint = pending.pop()
        if hint in seen:
            continue
        seen.append(hint)
        pending.extend(typing.get_args(hint))
        fields = getattr(hint, "model_fields", None)
        if inspect.isclass(hint) and fields is not None:
            yield f"class {hint.__name__}"
            for name, field in fields.items():
                yield name
                yield from _sentences(field.description or "")
                pending.append(field.annotation)


def _sentences(text: str) -> list[str]:
    text = text.replace(" Returns: ", ". ")
    return [part for part in re.split(r"(?<=[.;:])\s+", text) if part.strip(" .")]


def _flatten(text: str) -> str:
    """Without what only lays a text out: white space, and the full stop at the end."""
    return " ".join(text.split()).rstrip(".").lower()
