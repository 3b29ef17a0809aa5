"""Makes the official SDK's client: imported when first used, one connection pool per event loop."""

import asyncio
import contextlib
import gc
import importlib
import ssl
from collections.abc import Generator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ghostos.drivers.models.service import Service

if TYPE_CHECKING:
    import openai

__all__ = ["ClientPool"]

_CONNECT_TIMEOUT_S = 15.0
_KEEPALIVE_S = 60.0
"""How long an idle connection is kept: people think longer between two messages than the SDK's 5 s."""


class ClientPool:
    """The SDK's clients for one service. A pool of connections belongs to the event loop that opened them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._certificates: ssl.SSLContext | None = None
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, openai.AsyncOpenAI] = WeakKeyDictionary()

    @property
    def is_warm(self) -> bool:
        """Whether `warm_up` has been done."""
        return self._certificates is not None

    def warm_up(self) -> None:
        """Import the SDK and load the certificates: most of what the first call would wait for. Any thread may."""
        with _collector_paused():
            importlib.import_module("openai")
        self._load_certificates()

    def get(self) -> "openai.AsyncOpenAI":
        """Return the client of the running event loop."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._create()
        return client

    async def aclose(self) -> None:
        """Close the clients of all loops. Harmless twice."""
        here = asyncio.get_running_loop()
        while self._clients:
            loop, client = self._clients.popitem()
            if loop is here:
                await client.close()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(client.close(), loop))

    def _create(self) -> "openai.AsyncOpenAI":
        self.warm_up()
        import httpx2
        import openai

        service = self._service
        proxy = service.proxy.get_secret_value() if service.proxy else None
        timeout = httpx2.Timeout(service.timeout_s, connect=min(service.timeout_s, _CONNECT_TIMEOUT_S))
        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_KEEPALIVE_S)
        return openai.AsyncOpenAI(
            base_url=service.base_url,
            api_key=service.key.get_secret_value() if service.key else "none",
            max_retries=service.max_retries,
            timeout=timeout,
            http_client=openai.DefaultAsyncHttpx2Client(
                proxy=proxy,
                timeout=timeout,
                limits=limits,
                verify=self._load_certificates(),
                trust_env=not service.is_local,
            ),
        )

    def _load_certificates(self) -> ssl.SSLContext:
        """Return what checks certificates: the system's, or none where the service is not encrypted (saves 30 ms)."""
        if self._certificates is None:
            import httpx2

            empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody: a redirect to https fails
            self._certificates = httpx2.create_ssl_context() if self._service.is_encrypted else empty
        return self._certificates


@contextlib.contextmanager
def _collector_paused() -> Generator[None]:
    """Keep the garbage collector from walking what an import has just made: a tenth of the import's time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
