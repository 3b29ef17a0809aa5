"""Messages on a stream socket: a length, then msgpack. The peer is not trusted: every frame is bounded and checked."""

import socket
import struct
import threading
from contextlib import suppress
from typing import Any, Final, TypeAlias

import msgspec

from ghostos_moss._process._parts import has_more_parts

__all__ = [
    "MAX_FRAME_BYTES",
    "MAX_PARTS",
    "UNANSWERED",
    "Answer",
    "Failure",
    "FrameError",
    "FrameSocket",
    "Message",
    "PeerClosedError",
    "Request",
]

MAX_FRAME_BYTES: Final = 32 * 1024 * 1024

MAX_PARTS: Final = 1_000_000
"""Scalars, texts, lists, dicts and keys of one message: what bounds the memory that it takes when it is read."""

UNANSWERED: Final = 0
"""The number of a request that wants no answer."""

_SMALL_BYTES: Final = 256 * 1024
_LENGTH: Final = struct.Struct("<I")
_READ_BYTES: Final = 64 * 1024


class Request(msgspec.Struct, array_like=True, forbid_unknown_fields=True, tag=0, gc=False):
    """Wants an answer or a failure with the same number, unless that is `UNANSWERED`."""

    number: int
    name: str
    arguments: list[Any]


class Answer(msgspec.Struct, array_like=True, forbid_unknown_fields=True, tag=1, gc=False):
    """What a request came to, as plain data."""

    number: int
    value: Any


class Failure(msgspec.Struct, array_like=True, forbid_unknown_fields=True, tag=2, gc=False):
    """What a request raised: name of the exception's class, its text, and more of it as plain data."""

    number: int
    kind: str
    message: str
    facts: dict[str, Any]


Message: TypeAlias = Request | Answer | Failure


class FrameError(Exception):
    """What came is no message, or one over the limit."""


class PeerClosedError(Exception):
    """The other process has ended, or closed its end."""


class FrameSocket:
    """Sends from any thread; received by one at a time.

    Args:
        connection: A connected stream socket, taken over.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._sending = threading.Lock()
        self._encode = msgspec.msgpack.Encoder().encode_into
        self._outgoing = bytearray(_LENGTH.size)
        self._decode = msgspec.msgpack.Decoder(Message).decode
        self._buffer = bytearray()

    def send(self, message: Message) -> None:
        """Send a message whole; blocks while the peer does not read.

        Raises:
            FrameError: It is over the limit. Nothing was sent.
            PeerClosedError: Nobody is there.
        """
        with self._sending:
            frame = self._outgoing
            self._encode(message, frame, _LENGTH.size)
            length = len(frame) - _LENGTH.size
            if len(frame) > _READ_BYTES:
                self._outgoing = bytearray(_LENGTH.size)  # what was needed once is not kept
            if length > MAX_FRAME_BYTES:
                text = f"a message of {length:,} bytes is over the limit of {MAX_FRAME_BYTES:,}"
                raise FrameError(text)
            _LENGTH.pack_into(frame, 0, length)
            try:
                self._socket.sendall(frame)
            except OSError as exc:
                self._hang_up()  # half a message may have gone; and who waits to send need not find out, too
                raise PeerClosedError from exc

    def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            FrameError: It is no message.
            PeerClosedError: There is none, and there will be none.
        """
        buffer = self._buffer
        if not buffer:  # mostly one message comes alone and whole
            chunk = self._read(_READ_BYTES)
            if len(chunk) > _LENGTH.size and _LENGTH.unpack_from(chunk)[0] == len(chunk) - _LENGTH.size:
                return self._parse(memoryview(chunk)[_LENGTH.size :])
            buffer += chunk
        while len(buffer) < _LENGTH.size:
            buffer += self._read(_READ_BYTES)
        (length,) = _LENGTH.unpack_from(buffer)
        if length > MAX_FRAME_BYTES:
            text = f"a message of {length:,} bytes is over the limit of {MAX_FRAME_BYTES:,}"
            raise FrameError(text)
        end = _LENGTH.size + length
        while len(buffer) < end:
            buffer += self._read(max(_READ_BYTES, end - len(buffer)))
        body = bytes(memoryview(buffer)[_LENGTH.size : end])
        del buffer[:end]
        return self._parse(body)

    def close(self) -> None:
        """End the connection; who waits for a message is told. Harmless twice."""
        self._hang_up()
        self._socket.close()

    def _hang_up(self) -> None:
        with suppress(OSError):  # the peer was quicker, or it is closed already: nobody is left to tell
            self._socket.shutdown(socket.SHUT_RDWR)

    def _parse(self, body: bytes | memoryview) -> Message:
        if len(body) > _SMALL_BYTES and has_more_parts(body, MAX_PARTS):
            text = f"a message of more than {MAX_PARTS:,} parts is over the limit"
            raise FrameError(text)
        try:
            return self._decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
            text = f"a message cannot be read: {exc}"
            raise FrameError(text) from exc

    def _read(self, most: int) -> bytes:
        """Wait for more; what there is."""
        try:
            chunk = self._socket.recv(most)
        except OSError as exc:
            raise PeerClosedError from exc
        if not chunk:
            raise PeerClosedError
        return chunk
