"""The JSON values that cross every boundary of the product."""

from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""What a JSON document can hold; objects have string keys."""

JsonObject: TypeAlias = dict[str, Json]
