"""The web client that is put on a `Moss`: it asks the hosts that the module's code may reach, for that code."""

import asyncio
import logging
import threading
from concurrent.futures import CancelledError, Future, wait
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from ghostos.contracts.web_client import WebClient, WebResponse
from ghostos.drivers.http.order import Order
from ghostos.drivers.http.web_access import WebAccess
from ghostos_moss import Injection, InjectionHost, Permissions

if TYPE_CHECKING:
    from ghostos.drivers.http.exchange import Exchange

__all__ = ["GuardedWebClient"]

_CLOSE_TIMEOUT_S: Final = 1.0
_WAIT_S: Final = 0.2
"""A thread that waits is not to be interrupted: code in this process that is to be stopped is so between two waits."""

_logger = logging.getLogger(__name__)


class GuardedWebClient(WebClient, Injection):
    """One for each `moss`, with what its code may do for as long as that lives.

    Args:
        permissions: What the code may do.
        access: Where requests run.
    """

    def __init__(self, permissions: Permissions, *, access: WebAccess) -> None:
        self._permissions = permissions
        self._access = access
        self._lock = threading.Lock()
        self._exchange: Exchange | None = None
        self._running: set[Future[WebResponse]] = set()
        self._is_closed = False

    @override
    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: str | bytes | dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> WebResponse:
        future = self._begin(method, url, params=params, data=data, json=json, headers=headers, timeout_s=timeout)
        try:
            while not wait((future,), _WAIT_S).done:
                continue
            return future.result()
        except CancelledError:
            raise _closed() from None
        except BaseException:
            future.cancel()
            raise

    @override
    async def request_async(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: str | bytes | dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> WebResponse:
        future = self._begin(method, url, params=params, data=data, json=json, headers=headers, timeout_s=timeout)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self._is_closed and future.cancelled():
                raise _closed() from None
            raise

    @override
    def on_injection(self, runtime: InjectionHost, name: str) -> None:
        """Nothing is opened before the first request."""

    @override
    def on_destroy(self) -> None:
        with self._lock:
            self._is_closed = True
            running, exchange = [*self._running], self._exchange
        for future in running:
            future.cancel()
        if exchange is None:
            return
        try:
            self._access.submit(exchange.aclose()).result(_CLOSE_TIMEOUT_S)
        except (TimeoutError, CancelledError, ConnectionError):
            _logger.warning("connections of a web client did not close in time")

    def _begin(
        self,
        method: str,
        url: str,
        *,
        params: dict[str, Any] | None,
        data: str | bytes | dict[str, Any] | None,
        json: object,
        headers: dict[str, str] | None,
        timeout_s: float,
    ) -> Future[WebResponse]:
        order = Order(
            method=method.upper(), url=url, params=params, data=data, json=json, headers=headers, timeout_s=timeout_s
        )
        with self._lock:
            if self._is_closed:
                raise _closed()
            exchange = self._exchange = self._exchange or self._open()
            future = self._access.submit(exchange.perform(order))
            self._running.add(future)
        future.add_done_callback(self._forget)
        return future

    def _open(self) -> "Exchange":
        from ghostos.drivers.http.exchange import Exchange

        return Exchange(self._permissions, trust=self._access.get_trust())

    def _forget(self, future: Future[WebResponse]) -> None:
        with self._lock:
            self._running.discard(future)


def _closed() -> ConnectionError:
    return ConnectionError("the web client was closed while it was in use")
