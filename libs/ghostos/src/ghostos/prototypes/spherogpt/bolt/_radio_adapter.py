"""What carries the packets of a ball: an adapter as spherov2 has them, and what its failures are to a user."""

# spherov2 has no types: what it gives is unknown, as in any driver.
# pyright: reportMissingTypeStubs=none, reportUnknownMemberType=none, reportUnknownArgumentType=none

import importlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

from spherov2 import scanner
from spherov2.toy.bolt import BOLT

from ghostos.prototypes.spherogpt.bolt._radio_codec import HANDSHAKE, WRITES_TO
from ghostos.prototypes.spherogpt.bolt._radio_words import Failure

__all__ = [
    "FoundBall",
    "NotThereError",
    "RadioAdapter",
    "RadioAdapters",
    "connect",
    "find_ball",
    "load_adapters",
    "write_packet",
]

_MAX_WRITE: Final = 20
"""Bytes: what every Bluetooth Low Energy connection takes at once."""


class RadioAdapter(Protocol):
    """A connection to one ball. Its methods are called on one thread; what it hears may come on another one."""

    def write(self, uuid: str, data: bytes) -> object:
        """Send bytes, 20 at most; return when they have arrived. Raises what it likes when they do not."""
        ...

    def set_callback(self, uuid: str, cb: Any) -> object:  # noqa: ANN401 - called with something and the bytes
        """Have somebody told of bytes from the ball."""
        ...

    def close(self) -> object:
        """Disconnect."""
        ...


class RadioAdapters(Protocol):
    """A class of adapters, by spherov2's protocol."""

    def scan_toys(self, timeout: float = 5.0) -> Any:  # noqa: ANN401 - things with a name and an address
        """Return what is near."""
        ...

    def scan_toy(self, name: str, timeout: float = 5.0) -> Any:  # noqa: ANN401 - one of them, or None
        """Return what has that name, as soon as it is found."""
        ...

    def __call__(self, address: str) -> RadioAdapter:
        """Connect."""
        ...


@dataclass(frozen=True, slots=True)
class FoundBall:
    """A ball that is near.

    Attributes:
        name: What it is called.
        address: Where it is connected.
    """

    name: str
    address: str


class NotThereError(Exception):
    """There is no ball that could be connected."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.happened)
        self.failure = failure


def load_adapters(spec: str) -> RadioAdapters:
    """Return adapters by `module:attribute`; with `=argument` behind it they are what that attribute makes of it."""
    place, _, argument = spec.partition("=")
    module, _, attribute = place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    return found(argument) if argument else found


def find_ball(adapters: RadioAdapters, *, name: str | None, scan_s: float) -> FoundBall:
    """Look for a ball.

    Args:
        adapters: Look.
        name: What it is called; None: the first that is found.
        scan_s: How long to look.

    Raises:
        NotThereError: There is none.
    """
    try:
        names = {} if name is None else {"toy_names": [name]}
        found = scanner.find_toys(timeout=scan_s, toy_types=[BOLT], adapter=adapters, **names)
    except Exception as exc:
        raise NotThereError(_explain(exc)) from exc
    if not found:
        raise NotThereError(_describe_silence(name))
    return min((FoundBall(str(toy.name), str(toy.address)) for toy in found), key=lambda each: each.name)


def connect(adapters: RadioAdapters, found: FoundBall) -> RadioAdapter:
    """Connect a ball that was found.

    Raises:
        NotThereError: It cannot be connected.
    """
    try:
        adapter = adapters(found.address)
        for uuid, data in HANDSHAKE:
            adapter.write(uuid, data)
        return adapter
    except Exception as exc:
        raise NotThereError(
            Failure(
                happened=f"The ball {found.name} was found, but cannot be connected: {type(exc).__name__}: {exc}",
                advice="Close other apps that use it, bring it nearer, or put it on its charger for a moment.",
            )
        ) from exc


def write_packet(adapter: RadioAdapter, packet: bytes) -> None:
    """Send a packet, in as many pieces as it takes."""
    for at in range(0, len(packet), _MAX_WRITE):
        adapter.write(WRITES_TO, packet[at : at + _MAX_WRITE])


def _explain(exc: Exception) -> Failure:
    """Return what a failure of Bluetooth itself is to a user."""
    reason = getattr(getattr(exc, "reason", None), "name", "")
    said = f"{type(exc).__name__}: {exc}"
    if reason == "POWERED_OFF":
        return Failure(happened="Bluetooth is switched off on this machine.", advice="Switch it on, and try again.")
    if reason.startswith("DENIED"):
        return Failure(
            happened="This program may not use Bluetooth.",
            advice="Allow it in the system's settings for privacy, to the terminal too that it runs in.",
        )
    is_missing = reason.startswith("NO_") or isinstance(exc, OSError) or "No Bluetooth adapters" in said
    if is_missing:
        return Failure(
            happened=f"This machine has no Bluetooth that could be used ({said}).",
            advice="Plug in an adapter for Bluetooth Low Energy; on Linux have the service bluetooth (BlueZ) run. "
            "Or use simulated_bolt().",
        )
    return Failure(
        happened=f"Bluetooth failed: {said}", advice="Switch Bluetooth off and on again, and bring the ball nearer."
    )


def _describe_silence(name: str | None) -> Failure:
    who = "No Sphero BOLT" if name is None else f"No Sphero BOLT named {name!r}"
    advice = (
        "Wake it (take it off its charger, or shake it), bring it near, and close other apps that are connected to it."
    )
    if name is not None:
        advice += " Its name, SB- and four characters, is what Sphero's apps show."
    return Failure(happened=f"{who} was found.", advice=advice)
