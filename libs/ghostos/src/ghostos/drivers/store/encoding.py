"""Text and JSON on their way to the disk, whatever a model or its code put into them."""

import msgspec

from ghostos.core.json import Json

__all__ = ["decode_json", "encode_json", "replace_surrogates", "replace_surrogates_in_json"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode_json(value: Json) -> str:
    """Return the value as compact JSON, with U+FFFD where it holds half a surrogate pair."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return _encode(replace_surrogates_in_json(value)).decode()


def decode_json(text: str) -> Json:
    """Return the value.

    Raises:
        ValueError: The text is not JSON.
    """
    return _decode(text)


def replace_surrogates(text: str) -> str:
    """Return the text with U+FFFD for each half of a surrogate pair, which UTF-8, and so no file, can hold.

    Code that a model wrote may print one; the round that shows it must still commit.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def replace_surrogates_in_json(value: Json) -> Json:
    """Return the value with every text in it, keys included, treated by `replace_surrogates`."""
    match value:
        case str():
            return replace_surrogates(value)
        case list():
            return [replace_surrogates_in_json(item) for item in value]
        case dict():
            return {replace_surrogates(key): replace_surrogates_in_json(item) for key, item in value.items()}
        case _:
            return value
