"""Messages on a stream socket: a length, then msgpack. The peer is not trusted: every frame is bounded and checked."""

import socket
import struct
import threading
from typing import Any, Final

import msgspec

__all__ = ["MAX_FRAME_BYTES", "FrameError", "FrameSocket", "PeerClosedError"]

MAX_FRAME_BYTES: Final = 32 * 1024 * 1024

_LENGTH: Final = struct.Struct("<I")
_READ_BYTES: Final = 64 * 1024


class FrameError(Exception):
    """What came is no frame, or one over the limit."""


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
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder().decode
        self._buffer = bytearray()

    def send(self, message: list[Any]) -> None:
        """Send a message whole; blocks while the peer does not read.

        Raises:
            FrameError: It is over the limit. Nothing was sent.
            PeerClosedError: Nobody is there.
        """
        body = self._encode(message)
        if len(body) > MAX_FRAME_BYTES:
            text = f"a message of {len(body):,} bytes is over the limit of {MAX_FRAME_BYTES:,}"
            raise FrameError(text)
        try:
            with self._sending:
                self._socket.sendall(_LENGTH.pack(len(body)) + body)
        except OSError as exc:
            raise PeerClosedError from exc

    def receive(self) -> Any:  # noqa: ANN401 - whatever the peer sent
        """Wait for the next message.

        Raises:
            FrameError: It is no message.
            PeerClosedError: There is none, and there will be none.
        """
        buffer = self._buffer
        while len(buffer) < _LENGTH.size:
            self._read(_LENGTH.size)
        (length,) = _LENGTH.unpack_from(buffer)
        if length > MAX_FRAME_BYTES:
            text = f"a message of {length:,} bytes is over the limit of {MAX_FRAME_BYTES:,}"
            raise FrameError(text)
        end = _LENGTH.size + length
        while len(buffer) < end:
            self._read(end - len(buffer))
        body = bytes(buffer[_LENGTH.size : end])
        del buffer[:end]
        try:
            return self._decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
            text = f"a message cannot be read: {exc}"
            raise FrameError(text) from exc

    def close(self) -> None:
        """End the connection; who waits for a message is told. Harmless twice."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # the peer was quicker, or it is closed already: nobody is left to tell
            self._buffer.clear()
        self._socket.close()

    def _read(self, wanted: int) -> None:
        """Wait for more, and add it to the buffer; as much as is wanted, or what there is."""
        try:
            chunk = self._socket.recv(max(_READ_BYTES, wanted))
        except OSError as exc:
            raise PeerClosedError from exc
        if not chunk:
            raise PeerClosedError
        self._buffer += chunk
