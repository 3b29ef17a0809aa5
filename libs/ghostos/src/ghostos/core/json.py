"""The JSON values that cross every boundary of the product."""

from typing import TypeAlias

from pydantic import JsonValue

Json: TypeAlias = JsonValue
"""What a JSON document can hold; objects have string keys."""

JsonObject: TypeAlias = dict[str, JsonValue]
