"""Makes the official SDK's client: imported when first used, one connection pool per event loop."""

import asyncio
import ssl
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ghostos.core.collector import collector_paused
from ghostos.drivers.models.service import Service
from ghostos.errors import ConfigError

if TYPE_CHECKING:
    import openai

__all__ = ["ClientPool", "service_headers"]

_CONNECT_TIMEOUT_S = 15.0
_CLOSING_S = 3.0
_KEEPALIVE_S = 60.0
"""How long an idle connection is kept: people think longer between two messages than the SDK's 5 s."""


class ClientPool:
    """The SDK's clients for one service. A pool of connections belongs to the event loop that opened them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._trust: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, openai.AsyncOpenAI] = WeakKeyDictionary()
        self._users = 0
        self._is_retired = False
        self._closing: list[tuple[asyncio.AbstractEventLoop, Future[None]]] = []

    @property
    def is_warm(self) -> bool:
        """Whether `warm_up` has been done."""
        return self._trust is not None

    def warm_up(self) -> None:
        """Import the SDK and load the certificates: nearly all that the first call would wait for. Any thread may."""
        self._load()

    def get(self) -> "openai.AsyncOpenAI":
        """Return the client of the running event loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                client = self._clients[loop] = self._create()
            return client

    @contextmanager
    def held(self) -> Generator[None]:
        """Keep the clients open meanwhile, whoever retires them."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self._close_unused()

    def retire(self) -> None:
        """Close the clients as soon as nobody holds them, each on its own loop. Any thread may."""
        with self._lock:
            self._is_retired = True
            self._close_unused()

    @property
    def is_closed(self) -> bool:
        """Whether they were retired, and all are closed."""
        with self._lock:
            is_idle = not self._users and not self._clients
            return self._is_retired and is_idle and not self._list_under_way()

    async def aclose(self) -> None:
        """Close the clients of all loops, those that can be within seconds. Harmless twice."""
        with self._lock:
            self._begin_closing()
            closing = [asyncio.wrap_future(each) for each in self._list_under_way()]
            self._closing.clear()
        if not closing:
            return
        done, _ = await asyncio.wait(closing, timeout=_CLOSING_S)
        for each in done:
            if not each.cancelled():  # by the end of its loop
                each.result()

    def _list_under_way(self) -> list[Future[None]]:
        """Return what waits for clients that are being closed; a loop that has ended will not do so any more."""
        return [closing for loop, closing in self._closing if loop.is_running() and not closing.done()]

    def _close_unused(self) -> None:
        if self._is_retired and not self._users:
            self._begin_closing()

    def _begin_closing(self) -> None:
        """A loop that has ended took its connections with it."""
        while self._clients:
            loop, client = self._clients.popitem()
            if loop.is_running():
                self._closing.append((loop, asyncio.run_coroutine_threadsafe(client.close(), loop)))

    def _load(self) -> ssl.SSLContext:
        """Import the SDK; return what connections trust: the system's certificates, or nobody where none are needed."""
        if self._trust is not None:
            return self._trust
        with collector_paused():
            import httpx2
            import openai

            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # empty: a redirect to https fails
            if self._service.is_encrypted:
                trust = httpx2.create_ssl_context()  # reads the system's certificates: 30 ms
            # The first client imports half of what a call needs; this one opens nothing.
            openai.DefaultAsyncHttpx2Client(verify=trust, trust_env=False)
        self._trust = trust
        return trust

    def _create(self) -> "openai.AsyncOpenAI":
        trust = self._load()
        import httpx2
        import openai

        service = self._service
        timeout = httpx2.Timeout(service.timeout_s, connect=min(service.timeout_s, _CONNECT_TIMEOUT_S))
        try:
            http_client = openai.DefaultAsyncHttpx2Client(
                proxy=service.proxy.get_secret_value() if service.proxy else None,
                timeout=timeout,
                limits=httpx2.Limits(
                    max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_KEEPALIVE_S
                ),
                verify=trust,
                trust_env=not service.is_local,
            )
        except ValueError as exc:  # a proxy of a kind that httpx does not know; our own was checked before
            raise ConfigError(
                f"The proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used: {service.redact(str(exc))}",
                advice="Each starts with http:// or socks5://, like socks5://127.0.0.1:1080",
            ) from exc
        return openai.AsyncOpenAI(
            base_url=service.base_url,
            api_key=service.key.get_secret_value() if service.key else "none",
            max_retries=service.max_retries,
            timeout=timeout,
            http_client=http_client,
        )


def service_headers(client: "openai.AsyncOpenAI", service: Service) -> "dict[str, str | openai.Omit]":
    """Return the headers that a request needs beside the SDK's own.

    They keep from other vendors what the SDK reads for OpenAI: `OPENAI_ORG_ID`, `OPENAI_CUSTOM_HEADERS` and kin.
    """
    import openai

    if service.name == "openai":
        return {}
    ours = ("accept", "content-type", "user-agent", "x-stainless-")
    foreign: dict[str, Any] = {
        name: openai.Omit() for name in client.default_headers if not name.lower().startswith(ours)
    }
    return {**foreign, "Authorization": f"Bearer {client.api_key}"}
