"""A value that a ghost has saved, as a page shows it: as a table where it is one, else as Python would."""

from collections.abc import Mapping
from typing import Final, cast

from ghostos.core.json import Json, JsonObject
from ghostos.core.variable import Variable
from ghostos.ghosts.moss_protocol import render_value

__all__ = ["show_variable"]

_MAX_ROWS: Final = 200
_MAX_COLUMNS: Final = 40
_MAX_CELL_CHARS: Final = 500
_MAX_CHARS: Final = 200_000
_KEY, _VALUE = "key", "value"


def show_variable(variable: Variable) -> JsonObject:
    """Return `columns`, `rows` and how many rows are `left_out`, all texts; or `text`, where it is no table.

    Tables are lists of dicts (a column for each key), lists of lists of one length, and dicts of plain values.
    """
    value = variable.value
    for find in (_find_records, _find_rows, _find_pairs):
        if (table := find(value)) is not None:
            columns, rows = table
            shown: list[Json] = [[*map(_cell, row)] for row in rows[:_MAX_ROWS]]
            return {"columns": [*columns], "rows": shown, "left_out": max(0, len(rows) - _MAX_ROWS)}
    text = render_value(value)
    return {"text": text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}… {len(text) - _MAX_CHARS} more"}


def _find_records(value: Json) -> tuple[list[str], list[list[Json]]] | None:
    if not isinstance(value, list) or not value or not all(_is_plain_dict(each) for each in value):
        return None
    records = cast("list[dict[str, Json]]", value)
    columns = [*dict.fromkeys(key for record in records for key in record)]
    if len(columns) > _MAX_COLUMNS:
        return None
    return columns, [[record.get(column) for column in columns] for record in records]


def _find_rows(value: Json) -> tuple[list[str], list[list[Json]]] | None:
    if not isinstance(value, list) or not value or not all(isinstance(each, list) for each in value):
        return None
    rows = cast("list[list[Json]]", value)
    width = len(rows[0])
    if not 0 < width <= _MAX_COLUMNS or any(len(row) != width for row in rows):
        return None
    return [str(number) for number in range(width)], rows


def _find_pairs(value: Json) -> tuple[list[str], list[list[Json]]] | None:
    if not _is_plain_dict(value) or not value:
        return None
    pairs = cast("Mapping[str, Json]", value)
    if any(isinstance(each, list | dict) for each in pairs.values()):
        return None
    return [_KEY, _VALUE], [[key, each] for key, each in pairs.items()]


def _is_plain_dict(value: Json) -> bool:
    return isinstance(value, dict) and "$type" not in value


def _cell(value: Json) -> str:
    text = "" if value is None else value if isinstance(value, str) else render_value(value)
    return text if len(text) <= _MAX_CELL_CHARS else f"{text[:_MAX_CELL_CHARS]}…"
