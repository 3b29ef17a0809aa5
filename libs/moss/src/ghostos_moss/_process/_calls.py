"""The calls of one run as they crossed: kept as they are, and put into words when somebody wants to read them."""

from collections.abc import Sequence
from typing import Any, Final, cast

from ghostos_moss._executor import HostCall
from ghostos_moss._failure import safe_repr
from ghostos_moss._process._crossing import Node, plain_value
from ghostos_moss._redact import is_secret_name

__all__ = ["Call", "describe_completed", "show_error"]

_MAX_SHOWN_CHARS: Final = 200
_MAX_TOLD: Final = 8
_NOT_RETURNED: Final = "it had not returned when the run ended"
_SECRET: Final = ["s", "(secret)"]


class Call:
    """One use of an object. Small values are kept as they crossed and put into words later; others at once.

    Args:
        contract, method: What is called.
        nodes, named: With what.
        parameters: Names of the values in `nodes`: those of secrets are not kept.
    """

    __slots__ = ("contract", "duration_s", "error", "method", "named", "nodes", "result")

    def __init__(
        self, contract: str, method: str, nodes: list[Node], named: dict[str, Node], *, parameters: Sequence[str] = ()
    ) -> None:
        self.contract = contract
        self.method = method
        names = (*parameters, *("" for _ in nodes[len(parameters) :]))
        self.nodes = [_kept(node, name=name) for node, name in zip(nodes, names, strict=False)]
        self.named = {key: _kept(node, name=key) for key, node in named.items()} if named else named
        self.result: Node = []
        self.error: str | None = _NOT_RETURNED
        self.duration_s = 0.0

    def complete(self, result: Node) -> Node:
        """Keep what it came to."""
        self.result = _kept(result, name=self.method)
        self.error = None
        return result

    def to_record(self) -> HostCall:
        """The call in words."""
        arguments = [*map(_show, self.nodes), *(f"{key}={_show(node)}" for key, node in self.named.items())]
        result = None if self.error is not None else _show(self.result)
        return HostCall(self.contract, self.method, ", ".join(arguments), result, self.error, self.duration_s)


def describe_completed(calls: Sequence[HostCall]) -> str:
    """What a model is told when its code failed: the calls that were completed before, the last ones in full."""
    done = [call for call in calls if call.error is None]
    if not done:
        return ""
    shown = ", ".join(f"{call.contract}.{call.method}({call.arguments})" for call in done[-_MAX_TOLD:])
    more = f"{len(done) - _MAX_TOLD:,} calls, then " if len(done) > _MAX_TOLD else ""
    return f"Done before that, and not undone: {more}{shown}."


def show_error(error: BaseException) -> str:
    """Type and message of an exception, bounded."""
    try:
        return f"{type(error).__name__}: {error}"[:_MAX_SHOWN_CHARS]
    except Exception:  # noqa: BLE001 - the message of somebody's own class
        return type(error).__name__


class _Words:
    """Has a repr of somebody else's making."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _kept(node: Node, *, name: str) -> Node:
    """A value as it is kept: a whole run's calls must not hold all that crossed, and none of them a secret."""
    if name and is_secret_name(name):
        return _SECRET
    plain = plain_value(node)
    if plain is node:
        return ["s", _show(node)]
    if isinstance(plain, str) and len(plain) > _MAX_SHOWN_CHARS:
        return ["s", safe_repr(plain, max_chars=_MAX_SHOWN_CHARS)]
    return node


def _show(node: Node) -> str:
    """A value that crossed, in words: a reference by what it is to."""
    return safe_repr(_readable(node), max_chars=_MAX_SHOWN_CHARS)


def _readable(node: Node) -> object:
    match node:
        case ["v", data]:
            return _untagged(data)
        case ["s", str() as text]:
            return _Words(text)
        case ["l", list()]:
            return [_readable(part) for part in node[1]]
        case ["t", list()]:
            return tuple(_readable(part) for part in node[1])
        case ["d", dict()]:
            return {key: _readable(_SECRET if is_secret_name(key) else part) for key, part in node[1].items()}
        case ["c", *_]:
            return _Words("<function>")
        case ["i", *_]:
            return _Words("<iterator>")
        case ["o", _, name]:
            return _Words(f"<{name}>")
        case _:
            return _Words("…")


def _untagged(data: Any) -> object:  # noqa: ANN401 - JSON
    """Stored data as a reader of Python knows it: `Pose(x=1)` for a model, `set([1])` for a set."""
    match data:
        case {"$type": "obj", "class": name, "value": dict()}:
            fields = _untagged_fields(cast("dict[str, Any]", data["value"]))
            return _Words(f"{name}({', '.join(f'{key}={value!r}' for key, value in fields.items())})")
        case {"$type": "enum", "class": name, "name": member}:
            return _Words(f"{name}.{member}")
        case {"$type": str() as kind, "value": value}:
            return _Words(f"{kind}({_untagged(value)!r})")
        case dict():
            return _untagged_fields(cast("dict[str, Any]", data))
        case list():
            return [_untagged(value) for value in cast("list[Any]", data)]
        case _:
            return data


def _untagged_fields(fields: dict[str, Any]) -> dict[str, object]:
    return {key: _Words("(secret)") if is_secret_name(key) else _untagged(value) for key, value in fields.items()}
