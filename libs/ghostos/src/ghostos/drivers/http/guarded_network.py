"""Connections to allowed hosts and no others. What is connected to is what was judged: a name, a look-up, an address.

A name is looked up here once, its addresses are judged, and one of those is connected to. So a server of names that
gives another answer later, or an address of this machine, does not get anywhere.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any, Final, TypeAlias, cast

import httpcore2
import httpx2
from typing_extensions import override

from ghostos_moss import Permissions, is_public_address, name_host, normalize_host
from ghostos_moss.errors import HostRefusedError

__all__ = ["GuardedTransport", "judge_url"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = 65535
_MAX_CONNECTIONS: Final = 20
_KEEPALIVE_S: Final = 15.0
_MAX_ADDRESSES: Final = 8
_CONNECT_TIMEOUT_S: Final = 5.0
"""For one of several addresses, before the next is tried."""


def judge_url(url: httpx2.URL, *, permissions: Permissions, note: str = "") -> httpx2.URL:
    """Return a URL with its host in the one form that is connected to.

    Args:
        url: As the code wrote it, or as a server redirects to it.
        permissions: What the code may do.
        note: What led there, for the text of a refusal.

    Raises:
        HostRefusedError: The code may not ask that host.
        ValueError: It is no URL of the web, or one that can be misread.
    """
    port = _PORTS.get(url.scheme, 0) if url.port is None else url.port
    if url.scheme not in _PORTS or not url.raw_host:
        message = "a URL begins with https:// or http:// and names a host"
        raise ValueError(message)
    if url.userinfo:
        message = "a URL with a user name in it (name@host) is not sent: give an Authorization header"
        raise ValueError(message)
    if not 0 < port <= _MAX_PORT:
        message = f"there is no port {port}"
        raise ValueError(message)
    try:
        host = normalize_host(url.raw_host.decode("ascii"))
    except ValueError as exc:
        message = f"its host is {url.raw_host.decode('ascii')!r:.100}: {exc}"
        raise ValueError(message) from exc
    if not permissions.allows_host(host, port):
        raise HostRefusedError(name_host(host, port), note=note)
    return url.copy_with(host=host)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends requests over connections to allowed hosts.

    Args:
        permissions: What the code may do.
        trust: For https.
    """

    def __init__(self, permissions: Permissions, *, trust: SSLContext) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=_GuardedNetwork(permissions),
        )

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        async with _in_words_of_httpx():
            answer = await self._pool.handle_async_request(sent)
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    @override
    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._answer.stream
        if isinstance(stream, AsyncIterable):
            async with _in_words_of_httpx():
                async for part in stream:
                    yield part

    @override
    async def aclose(self) -> None:
        await self._answer.aclose()


@asynccontextmanager
async def _in_words_of_httpx() -> AsyncGenerator[None]:
    """Only two kinds matter: the code's own request was wrong, or the connection was."""
    try:
        yield
    except httpcore2.LocalProtocolError as exc:
        raise httpx2.LocalProtocolError(str(exc)) from exc
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as exc:
        raise httpx2.NetworkError(str(exc) or type(exc).__name__) from exc


class _GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens the connections of a pool. Nothing else does, so what is refused here is reached in no way."""

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions
        self._network = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        if not self._permissions.allows_host(normalize_host(host), port):
            raise HostRefusedError(name_host(normalize_host(host), port))
        addresses = _select(await _look_up(host, port), host=host, port=port, permissions=self._permissions)
        *others, last = addresses
        for address in others:
            try:
                return await self._network.connect_tcp(str(address), port, timeout=_CONNECT_TIMEOUT_S)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(str(last), port, timeout=timeout)

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _look_up(host: str, port: int) -> list[Address]:
    """The addresses of a host, in the system's order; an address is its own.

    Raises:
        ConnectError: There is no such host.
    """
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        message = f"there is no host {host}, or its address cannot be looked up"
        raise httpcore2.ConnectError(message) from exc
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))[:_MAX_ADDRESSES]


def _select(addresses: Sequence[Address], *, host: str, port: int, permissions: Permissions) -> list[Address]:
    """The addresses of an allowed host that may be connected to.

    Raises:
        HostRefusedError: There is none: it is this machine or in its network, which was not named itself.
    """
    allowed = [each for each in addresses if _is_allowed(each, host=host, port=port, permissions=permissions)]
    if not allowed:
        first = str(addresses[0])
        note = f"{host} has the address {first}, which is of this machine or its own network."
        raise HostRefusedError(name_host(first, port), note=note)
    return allowed


def _is_allowed(address: Address, *, host: str, port: int, permissions: Permissions) -> bool:
    if permissions.everything or permissions.net is True or is_public_address(address):
        return True
    if address.is_loopback and permissions.allows_host("localhost", port):
        return True
    try:
        return permissions.allows_host(normalize_host(str(address)), port)
    except ValueError:  # with a zone, which nobody can name
        return False
