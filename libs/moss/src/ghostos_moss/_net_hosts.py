"""Hosts that code may ask through a client on `Moss`: how they are written, compared and refused.

The system that confines code knows no names of hosts, so no name opens a socket to it: a client on the host does that,
and asks `Permissions.allows_host` first.
"""

import ipaddress
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

__all__ = ["HostRefusedError", "NetHost", "is_public_address", "name_host", "normalize_host", "read_hosts"]

_FORMS: Final = "api.example.com, api.example.com:8443, *.example.com, 192.0.2.1:80 or [2001:db8::1]"
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_MAX_HOST_CHARS: Final = 253
_MAX_PORT: Final = 65535
_USUAL_PORTS: Final = (80, 443)
_WILDCARD: Final = "*."
_TRANSLATED: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
_TRANSLATED_LOCALLY: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_OF_A_CLOUD: Final = ipaddress.IPv4Address("168.63.129.16")  # Azure's own services, inside each of its machines


class HostRefusedError(PermissionError):
    """A client was to ask a host that its code may not reach. Nothing was sent to it.

    Its text is for a model and for people alike, in the words of all refusals.

    Args:
        host: As `Permissions(net=[...])` takes it.
        note: What led there, as a sentence.
    """

    def __init__(self, host: str, *, note: str = "") -> None:
        option = f"--allow-net={shlex.quote(host)}"
        said = f"The code tried to open a network connection to {host}: allow it with {option}."
        super().__init__(f"{note} {said}" if note else said)
        self.host = host


@dataclass(frozen=True, slots=True)
class NetHost:
    """What one entry of `Permissions(net=[...])` allows.

    Attributes:
        host: In the form of `normalize_host`.
        port: None: any.
        is_wildcard: Whether the subdomains of `host` are meant, and not `host` itself.
    """

    host: str
    port: int | None = None
    is_wildcard: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `api.example.com`, `api.example.com:8443`, `*.example.com`, `192.0.2.1`, `[2001:db8::1]:443`.

        Raises:
            ValueError: It is none of these; the text says how to write it.
        """
        if text == "*":
            raise _malformed(text, "every host is allowed by --allow-net alone, or net=True")
        if "/" in text:
            raise _malformed(text, "write the host alone, without https:// and path; networks cannot be named")
        is_wildcard = text.startswith(_WILDCARD)
        host, port = _split(text.removeprefix(_WILDCARD), whole=text)
        try:
            normal = normalize_host(host)
        except ValueError as exc:
            raise _malformed(text, str(exc)) from exc
        if is_wildcard and ("." not in normal or _find_address(normal) is not None):
            raise _malformed(text, "after *. comes a domain of two parts or more")
        return cls(normal, port, is_wildcard)

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The address that it is; None for a name."""
        return _find_address(self.host)

    def covers(self, host: str, port: int) -> bool:
        """Whether a host in the form of `normalize_host` is allowed by this at a port."""
        if self.port not in (None, port):
            return False
        return host.endswith(f".{self.host}") if self.is_wildcard else host == self.host

    def __str__(self) -> str:
        host = f"{_WILDCARD}{self.host}" if self.is_wildcard else self.host
        return _join(host, self.port)


def normalize_host(host: str) -> str:
    """Return the one form of a host by which it is compared, and to which a connection is opened.

    Names are in lower case, without the dot at their end; addresses as Python writes them, an IPv4 address that is
    written as an IPv6 one as IPv4.

    Args:
        host: A name in ASCII, an IPv4 address or an IPv6 address without brackets.

    Raises:
        ValueError: It is no host, or an address that programs read in different ways; the text is a part of a sentence.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _normalize_name(host)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.scope_id is not None:
        message = "an address with a zone (%) cannot be used"
        raise ValueError(message)
    return str(address.ipv4_mapped or address)


def name_host(host: str, port: int) -> str:
    """Return a host in the form of `normalize_host` as a permission for it is written; the usual ports are left out."""
    return _join(host, None if port in _USUAL_PORTS else port)


def is_public_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the public internet, also where it carries an IPv4 address to be translated to."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and address != _OF_A_CLOUD
    if address.ipv4_mapped is not None:
        return is_public_address(address.ipv4_mapped)
    if address.is_site_local or address.is_multicast or address in _TRANSLATED_LOCALLY or not address.is_global:
        return False
    if any(address in network for network in _TRANSLATED):
        return is_public_address(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.sixtofour is None or is_public_address(address.sixtofour)


def read_hosts(entries: Iterable[str]) -> tuple[str, ...]:
    """Return entries of a permission in their normal form, each once.

    Raises:
        ValueError: One cannot be read.
    """
    return tuple(dict.fromkeys(str(NetHost.parse(entry)) for entry in entries))


def _normalize_name(host: str) -> str:
    if not host.isascii():
        message = "write it in its ASCII form, which begins with xn--"
        raise ValueError(message)
    name = host.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _MAX_HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        message = "it is no name of a host and no address"
        raise ValueError(message)
    if _NUMBER.fullmatch(labels[-1]):
        message = "it is a number: write the address as four decimal numbers, like 192.0.2.1"
        raise ValueError(message)
    return name


def _split(text: str, *, whole: str) -> tuple[str, int | None]:
    """The host of an entry, without brackets, and its port."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise _malformed(whole, "in brackets stands an IPv6 address")
        return host, _read_port(rest[1:], whole=whole) if rest else None
    host, colon, port = text.partition(":")
    if ":" in port:
        raise _malformed(whole, "an IPv6 address is written in brackets, like [2001:db8::1]")
    return host, _read_port(port, whole=whole) if colon else None


def _read_port(text: str, *, whole: str) -> int:
    if not _PORT.fullmatch(text) or not 0 < int(text) <= _MAX_PORT:
        raise _malformed(whole, "its port is no number from 1 to 65535")
    return int(text)


def _join(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _find_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _malformed(text: str, why: str) -> ValueError:
    return ValueError(f"{text!r:.120} names no host: {why}. Write it like {_FORMS}")
