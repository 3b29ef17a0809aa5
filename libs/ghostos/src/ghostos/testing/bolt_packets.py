"""The packets that a Sphero BOLT takes and sends, from its side: version 2 of its maker's protocol.

start  flags  [target  source]  device  command  number  [error]  data...  checksum  end
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Self

__all__ = ["Packet", "PacketReader"]

_START, _END, _ESCAPE = 0x8D, 0xD8, 0xAB
_ESCAPED: Final = {_ESCAPE: 0x23, _START: 0x05, _END: 0x50}
_UNESCAPED: Final = {second: first for first, second in _ESCAPED.items()}
_IS_ANSWER, _WANTS_ANSWER, _HAS_TARGET, _HAS_SOURCE = 1, 2, 16, 32
_NOTIFICATION: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet.

    Attributes:
        did, cid: Device and command.
        number: Counts commands; an answer has that of its command.
        data: What belongs to the command.
        flags: See the protocol.
        target, source: Which processor it is for and from, where it says so.
        at: When it came.
    """

    did: int
    cid: int
    number: int
    data: bytes = b""
    flags: int = _NOTIFICATION
    target: int | None = None
    source: int | None = None
    at: float = 0.0

    @property
    def wants_answer(self) -> bool:
        """Whether it is to be answered."""
        return bool(self.flags & _WANTS_ANSWER)

    def stamped(self, at: float) -> Self:
        """Return it with the time at which it came."""
        return replace(self, at=at)

    def answer(self, *, error: int, data: bytes) -> bytes:
        """Return the bytes that answer it."""
        back = replace(self, flags=_IS_ANSWER | (self.flags & (_HAS_TARGET | _HAS_SOURCE)), data=bytes([error]) + data)
        return replace(back, target=self.source, source=self.target).build()

    def build(self) -> bytes:
        """Return it as bytes."""
        ends = [end for end in (self.target, self.source) if end is not None]
        body = bytes([self.flags, *ends, self.did, self.cid, self.number]) + self.data
        escaped = b"".join(
            bytes([_ESCAPE, _ESCAPED[byte]]) if byte in _ESCAPED else bytes([byte]) for byte in body + _checksum(body)
        )
        return bytes([_START]) + escaped + bytes([_END])


class PacketReader:
    """Finds packets in bytes that come in pieces.

    Args:
        take: Gets each command.
    """

    def __init__(self, take: Callable[[Packet], object]) -> None:
        self._take = take
        self._bytes: list[int] | None = None
        self._is_escaped = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            ValueError: The checksum of a packet is wrong.
        """
        for byte in data:
            if byte == _START:
                self._bytes = []
            elif byte == _END and self._bytes is not None:
                body, self._bytes = bytes(self._bytes), None
                self._take(_parse(body))
            elif byte == _ESCAPE:
                self._is_escaped = True
            elif self._bytes is not None:
                self._bytes.append(_UNESCAPED[byte] if self._is_escaped else byte)
                self._is_escaped = False


def _parse(body: bytes) -> Packet:
    if _checksum(body[:-1]) != body[-1:]:
        raise ValueError(f"The checksum of {body.hex()} is wrong")
    flags, rest = body[0], list(body[1:-1])
    target = rest.pop(0) if flags & _HAS_TARGET else None
    source = rest.pop(0) if flags & _HAS_SOURCE else None
    did, cid, number, *data = rest
    return Packet(did=did, cid=cid, number=number, data=bytes(data), flags=flags, target=target, source=source)


def _checksum(body: bytes) -> bytes:
    return bytes([0xFF - (sum(body) & 0xFF)])
