"""Values that crossed, in words: bounded, however large they are, and without secrets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from ghostos_moss._failure import safe_repr
from ghostos_moss._process._crossing import Node, plain_value
from ghostos_moss._redact import bounded, is_secret_name
from ghostos_moss._secrets import HIDDEN, SecretMask

__all__ = ["ShownValues"]

_MAX_CHARS: Final = 200
"""Of one value."""
_MAX_TEXT_CHARS: Final = 150
"""Of a text in it, so that it is cut once, with the words that say so."""
_MAX_PARTS: Final = 100
"""Of one value: more of them do not fit into that many characters."""
_MAX_DEPTH: Final = 8
_MAX_NAME_CHARS: Final = 60
_PAIR: Final = 2

_Read = Callable[[Any, int], object]


class ShownValues:
    """Puts values into words.

    Args:
        mask: Takes secrets out of texts. Values with the name of a secret are left out whole.
    """

    def __init__(self, mask: SecretMask) -> None:
        self._mask = mask

    def show(self, node: Node, *, name: str = "") -> str:
        """Return a value that crossed as one reads it in Python; a reference by what it is to.

        Args:
            node: The value.
            name: What it is called where it stands; "" for nothing.
        """
        if name and is_secret_name(name):
            return HIDDEN
        plain = plain_value(node)
        if plain is node:
            return safe_repr(_Reader(self._mask).read(node, 0), max_chars=_MAX_CHARS)
        return bounded(
            repr(self._mask.shorten(plain, _MAX_TEXT_CHARS) if isinstance(plain, str) else plain), _MAX_CHARS
        )

    def show_error(self, error: BaseException) -> str:
        """Return type and message of an exception."""
        try:
            message = str(error)
        except Exception:  # noqa: BLE001 - the message of somebody's own class
            message = ""
        kind = self.show_name(type(error).__name__)
        return f"{kind}: {self._mask.shorten(message, _MAX_CHARS)}" if message else kind

    def show_name(self, name: str) -> str:
        """Return a name that may be any text."""
        return self._mask.shorten(name, _MAX_NAME_CHARS)


class _Words:
    """Has a repr of somebody else's making."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


_HIDDEN: Final = _Words(HIDDEN)
_MORE: Final = _Words("…")


class _Reader:
    """Makes what has the repr of one value. Looks at no more of it than can be shown."""

    def __init__(self, mask: SecretMask) -> None:
        self._mask = mask
        self._left = _MAX_PARTS

    def read(self, node: Node, depth: int) -> object:
        """What has the repr of a node."""
        match node:
            case ["v", data]:
                return self._read_data(data, depth)
            case ["l", list()]:
                return self._items(node[1], self.read, depth)
            case ["t", list()]:
                return tuple(self._items(node[1], self.read, depth))
            case ["d", dict()]:
                return self._fields(node[1], self.read, depth)
            case ["s", str() as text]:
                return _Words(self._mask.shorten(text, _MAX_TEXT_CHARS))
            case ["c", *_]:
                return _Words("<function>")
            case ["i", *_]:
                return _Words("<iterator>")
            case ["o", _, str() as name]:
                return _Words(f"<{self._name(name)}>")
            case _:
                return _MORE

    def _read_data(self, data: Any, depth: int) -> object:  # noqa: ANN401 - JSON
        """Stored data as a reader of Python knows it: `Pose(x=1)` for a model, `set([1])` for a set."""
        match data:
            case str():
                return self._mask.shorten(data, _MAX_TEXT_CHARS)
            case list():
                return self._items(cast("list[Any]", data), self._read_data, depth)
            case {"$type": "obj", "class": str() as name, "value": dict()}:
                fields = self._fields(cast("dict[str, Any]", data["value"]), self._read_data, depth)
                return _Words(f"{self._name(name)}({', '.join(f'{key}={part!r}' for key, part in fields.items())})")
            case {"$type": "enum", "class": str() as name, "name": str() as member}:
                return _Words(f"{self._name(name)}.{self._name(member)}")
            case {"$type": "bytes" | "bytearray" | "str" as kind, "value": str() as encoded}:
                return _Words(f"<{kind}: {len(encoded) * 3 // 4:,} bytes>")
            case {"$type": "tuple", "value": list()}:
                return tuple(self._items(cast("list[Any]", data["value"]), self._read_data, depth))
            case {"$type": str() as kind, "value": value}:
                return _Words(f"{self._name(kind)}({self._read_data(value, depth + 1)!r})")
            case dict():
                return self._fields(cast("dict[str, Any]", data), self._read_data, depth)
            case _:
                return data

    def _items(self, parts: Sequence[Any], read: _Read, depth: int) -> list[object]:
        if len(parts) == _PAIR and _is_name_of_secret(parts[0]):  # a header, an item of a mapping
            return [read(parts[0], depth), _HIDDEN]
        shown: list[object] = []
        for part in parts:
            if not self._has_more(depth):
                return [*shown, _MORE]
            shown.append(read(part, depth + 1))
        return shown

    def _fields(self, fields: Mapping[str, Any], read: _Read, depth: int) -> dict[str, object]:
        shown: dict[str, object] = {}
        for key, part in fields.items():
            if not self._has_more(depth):
                return {**shown, "…": _MORE}
            shown[self._name(key)] = _HIDDEN if is_secret_name(key) else read(part, depth + 1)
        return shown

    def _has_more(self, depth: int) -> bool:
        self._left -= 1
        return self._left >= 0 and depth < _MAX_DEPTH

    def _name(self, name: str) -> str:
        return self._mask.shorten(name, _MAX_NAME_CHARS)


def _is_name_of_secret(part: object) -> bool:
    text = plain_value(part)
    return isinstance(text, str) and is_secret_name(text)
