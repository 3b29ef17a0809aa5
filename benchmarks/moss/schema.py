"""The compact OpenAI schema of a contract's methods: what a model would be given as JSON tools."""

import inspect
import json
import re
import typing
from typing import Any

from pydantic import Field, TypeAdapter, create_model

__all__ = ["Tool", "make_tools", "render_tools"]

Tool = dict[str, Any]
_ARGUMENT = re.compile(r"^ {4}(\w+): (.*)$")


def make_tools(contract: type) -> list[Tool]:
    """One tool for each public method: name, description, and the JSON schema of its parameters."""
    return [
        _make_tool(name, function)
        for name, function in vars(contract).items()
        if not name.startswith("_") and inspect.isfunction(function)
    ]


def render_tools(tools: list[Tool]) -> str:
    """The list as it is sent, without a blank."""
    return json.dumps(tools, separators=(",", ":"), ensure_ascii=False)


def _make_tool(name: str, function: Any) -> Tool:  # noqa: ANN401 - any method
    description, arguments = _split_doc(inspect.getdoc(function) or "")
    hints = typing.get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        is_many = parameter.kind is parameter.VAR_POSITIONAL
        hint = list[hints[parameter.name]] if is_many else hints[parameter.name]
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hint, Field(default, description=arguments.get(parameter.name)))
    schema = TypeAdapter(create_model(name, **fields)).json_schema()
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": _without_titles(schema)},
    }


def _split_doc(doc: str) -> tuple[str, dict[str, str]]:
    """The description without its arguments, and those by name."""
    head, _, rest = doc.partition("\n\nArgs:\n")
    arguments: dict[str, str] = {}
    for line in rest.splitlines():
        if found := _ARGUMENT.match(line):
            arguments[found[1]] = found[2]
    returns = rest.partition("\nReturns:\n")[2].strip()
    return (f"{head} Returns: {returns}" if returns else head), arguments


def _without_titles(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Leave out the titles that only repeat a name."""
    if isinstance(schema, dict):
        return {key: _without_titles(value) for key, value in schema.items() if not _is_title(key, value)}
    return [_without_titles(item) for item in schema] if isinstance(schema, list) else schema


def _is_title(key: str, value: object) -> bool:
    return key == "title" and isinstance(value, str)
