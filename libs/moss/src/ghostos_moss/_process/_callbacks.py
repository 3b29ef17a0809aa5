"""Functions of the worker, as objects of the host get and call them."""

from collections.abc import Callable
from typing import Protocol

from ghostos_moss._process._crossing import Node
from ghostos_moss._process._frames import PeerClosedError
from ghostos_moss._process._link import RemoteError
from ghostos_moss.errors import CallbackGoneError

__all__ = ["Callback", "CallbackPeer"]


class CallbackPeer(Protocol):
    """The worker, to whom the functions belong."""

    def call_back(self, number: int, arguments: list[Node]) -> Node:
        """Call a function and wait for what it returns.

        Raises:
            RemoteError: It raised.
            PeerClosedError: The worker has ended.
        """
        ...


class Callback:
    """A function of the worker. Calling it runs the function there, and waits.

    Args:
        peer: Whose function it is.
        number: Which of its functions.
        shown: Its repr.
        write: Makes an argument ready to cross.
        read: Makes the result a value of the host.

    Raises:
        CallbackGoneError: The worker has ended.
        RuntimeError: The function raised.
    """

    def __init__(
        self,
        peer: CallbackPeer,
        number: int,
        shown: str,
        *,
        write: Callable[[object], Node],
        read: Callable[[Node], object],
    ) -> None:
        self._peer = peer
        self._number = number
        self._shown = shown
        self._write = write
        self._read = read

    def __repr__(self) -> str:
        return self._shown

    def __call__(self, *args: object) -> object:
        nodes = [self._write(value) for value in args]
        try:
            node = self._peer.call_back(self._number, nodes)
        except RemoteError as exc:
            text = f"the callback raised {exc}"
            raise RuntimeError(text) from None
        except PeerClosedError:
            raise CallbackGoneError(self._shown) from None
        return self._read(node)
