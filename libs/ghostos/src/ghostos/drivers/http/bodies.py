"""Bodies of answers: read up to a bound, also where a few bytes unpack to many."""

import zlib
from collections.abc import AsyncIterable
from typing import Final

__all__ = ["MAX_BODY_BYTES", "BodyTooLargeError", "UnknownEncodingError", "find_charset", "read_body"]

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""Of one answer, unpacked. What a worker is sent may be twice that, with what it takes to write bytes as text."""

_GZIP_OR_ZLIB: Final = 47  # zlib's: the largest window, and the header says which
_RAW: Final = -15
_NO_TEXT: Final = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})


class BodyTooLargeError(Exception):
    """A body is longer than `MAX_BODY_BYTES`. The rest was not read."""


class UnknownEncodingError(Exception):
    """A body is packed in a way that was not asked for, or damaged.

    Args:
        encoding: As the server names it.
    """

    def __init__(self, encoding: str) -> None:
        super().__init__(encoding)
        self.encoding = encoding


async def read_body(parts: AsyncIterable[bytes], *, encoding: str) -> bytes:
    """Return a body, unpacked.

    Args:
        parts: As they arrive.
        encoding: The header Content-Encoding; "" where there is none.

    Raises:
        BodyTooLargeError: It is over the bound.
        UnknownEncodingError: It cannot be unpacked, or its end is missing.
    """
    unpacker = _choose(encoding.strip().lower())
    body = bytearray()
    async for part in parts:
        body += part if unpacker is None else unpacker.unpack(part, max_bytes=MAX_BODY_BYTES + 1 - len(body))
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLargeError
    if unpacker is not None:
        unpacker.finish()
    return bytes(body)


def find_charset(named: str | None) -> str:
    """Return the encoding of a text that a server names, if it is one of texts; otherwise UTF-8."""
    if named is None or named.replace("-", "_").lower() in _NO_TEXT:
        return "utf-8"
    try:
        b"a".decode(named)
    except (LookupError, ValueError):
        return "utf-8"
    return named


class _Unpacker:
    """Unpacks gzip and deflate, which some servers send without the header that belongs to it."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._is_begun = False

    def unpack(self, part: bytes, *, max_bytes: int) -> bytes:
        """Return what a part unpacks to, up to a bound."""
        try:
            return self._unpack(part, max_bytes)
        except zlib.error as exc:
            if self._is_begun or self._encoding != "deflate":
                raise UnknownEncodingError(self._encoding) from exc
            self._stream = zlib.decompressobj(_RAW)
        try:
            return self._unpack(part, max_bytes)
        except zlib.error as exc:
            raise UnknownEncodingError(self._encoding) from exc

    def finish(self) -> None:
        """Say that nothing more comes. A body of no bytes is one: that of an answer to HEAD.

        Raises:
            UnknownEncodingError: The end is missing.
        """
        if self._is_begun and not self._stream.eof:
            raise UnknownEncodingError(self._encoding)

    def _unpack(self, part: bytes, max_bytes: int) -> bytes:
        unpacked = b""
        while part and len(unpacked) < max_bytes:
            if self._stream.eof:  # gzip may go on with a further member, and be filled up with zeros; deflate may not
                part = b"" if self._encoding == "deflate" else part.lstrip(b"\0")
                if not part:
                    break
                self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            unpacked += self._stream.decompress(part, max_bytes - len(unpacked))
            self._is_begun = True
            part = self._stream.unused_data
        return unpacked


def _choose(encoding: str) -> _Unpacker | None:
    if encoding in ("", "identity"):
        return None
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise UnknownEncodingError(encoding)
    return _Unpacker(encoding)
