"""One request and what comes of it: hop by hop, judged, bounded, timed and logged."""

import asyncio
import logging
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from typing import Final

import httpx2

from ghostos.contracts.web_client import WebResponse
from ghostos.drivers.http.bodies import MAX_BODY_BYTES, BodyTooLargeError, UnknownEncodingError, find_charset, read_body
from ghostos.drivers.http.guarded_network import GuardedTransport, judge_url
from ghostos.drivers.http.order import Order
from ghostos.drivers.http.shown_url import show_url
from ghostos_moss import Permissions
from ghostos_moss.errors import HostRefusedError

__all__ = ["MAX_REDIRECTS", "Exchange", "is_same_place"]

MAX_REDIRECTS: Final = 10

_MAX_SHOWN_CHARS: Final = 300

_logger = logging.getLogger(__name__)


class Exchange:
    """Performs requests for code, on one event loop. Nothing of the machine's user is in them: no proxy, no passwords.

    Args:
        permissions: What the code may do.
        trust: For https.
    """

    def __init__(self, permissions: Permissions, *, trust: SSLContext) -> None:
        self._permissions = permissions
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(permissions, trust=trust),
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"User-Agent": "GhostOS", "Accept-Encoding": "gzip, deflate"},
            timeout=None,  # an order has one for all of it
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def perform(self, order: Order) -> WebResponse:
        """Send a request, and those that servers redirect it to.

        Raises:
            HostRefusedError: The code may not ask a host.
            ValueError: The URL is none that is sent, or the answer none that is taken.
            ConnectionError: A server cannot be reached, or does not speak HTTP.
            TimeoutError: It took longer than it may.
        """
        request = self._build(order)
        try:
            async with asyncio.timeout(order.timeout_s):
                for _ in range(MAX_REDIRECTS + 1):
                    found = await self._send(request)
                    if isinstance(found, WebResponse):
                        return found
                    request = self._redirect(request, found, order=order)
        except TimeoutError:
            message = f"{order.method} {_shorten(order.url)}: no whole answer within {order.timeout_s:g} s"
            raise TimeoutError(message) from None
        message = f"{_shorten(order.url)} redirects more than {MAX_REDIRECTS} times"
        raise ConnectionError(message)

    def _build(self, order: Order) -> httpx2.Request:
        try:
            url = httpx2.URL(order.url)
            if order.params:
                url = url.copy_merge_params(order.params)
            return self._client.build_request(
                order.method,
                self._judge(url),
                content=order.body,
                data=order.form,
                json=order.json,
                headers=order.headers,
            )
        except httpx2.InvalidURL as exc:
            message = f"{_shorten(order.url)} is no URL: {exc}"
            raise ValueError(message) from exc

    def _redirect(self, before: httpx2.Request, request: httpx2.Request, *, order: Order) -> httpx2.Request:
        """A request that a server asks for, judged anew; only the same place gets the caller's own headers."""
        note = f"{before.url.netloc.decode('ascii')} redirects there."
        request.url = self._judge(request.url, note=note)
        request.headers["Host"] = request.url.netloc.decode("ascii")
        if not is_same_place(before.url, request.url):
            for name in order.private_headers:
                request.headers.pop(name, None)
        return request

    def _judge(self, url: httpx2.URL, *, note: str = "") -> httpx2.URL:
        try:
            return judge_url(url, permissions=self._permissions, note=note)
        except HostRefusedError as exc:
            _logger.info("%s was not asked: %s is not allowed", show_url(url), exc.host)
            raise
        except ValueError as exc:
            message = f"{note} {_shorten(str(url))} cannot be asked: {exc}"
            raise ValueError(message.lstrip()) from exc

    async def _send(self, request: httpx2.Request) -> WebResponse | httpx2.Request:
        """One hop: the answer, or the request that it redirects to."""
        started = time.perf_counter()
        outcome = "stopped"
        try:
            response = await self._client.send(request, stream=True, follow_redirects=False)
            outcome = f"{response.status_code}"
            try:
                if response.next_request is not None:
                    return response.next_request
                encoding: str = response.headers.get("content-encoding", "")
                content = await read_body(response.aiter_raw(), encoding=encoding)
                outcome = f"{response.status_code}, {len(content):,} bytes"
                return _to_answer(response, content)
            finally:
                await response.aclose()
        except HostRefusedError as exc:
            outcome = f"not asked, {exc.host} is not allowed"
            raise
        except (BodyTooLargeError, UnknownEncodingError, httpx2.HTTPError) as exc:
            outcome = f"no answer, {_shorten(str(exc))}" if outcome == "stopped" else f"{outcome}, {type(exc).__name__}"
            raise _translate(exc, url=str(request.url)) from exc
        finally:
            duration_ms = (time.perf_counter() - started) * 1000
            _logger.info("%s %s: %s, %.0f ms", request.method, show_url(request.url), outcome, duration_ms)


def is_same_place(before: httpx2.URL, after: httpx2.URL) -> bool:
    """Whether what was for one URL may go to another: the same server, spoken to as safely or, from http on, safer."""
    if (before.scheme, before.netloc) == (after.scheme, after.netloc):
        return True
    is_safer = (before.scheme, after.scheme) == ("http", "https")
    return is_safer and before.host == after.host and before.port is None and after.port is None


def _to_answer(response: httpx2.Response, content: bytes) -> WebResponse:
    return WebResponse(
        url=str(response.url),
        status=response.status_code,
        headers=dict(response.headers),
        content=content,
        encoding=find_charset(response.charset_encoding),
    )


def _translate(error: Exception, *, url: str) -> Exception:
    """The error in the words of Python, which every model knows."""
    shown = _shorten(url)
    match error:
        case BodyTooLargeError():
            advice = "ask for a part of it, such as with headers={'Range': 'bytes=0-999999'}"
            return ValueError(f"{shown} answered with more than {MAX_BODY_BYTES:,} bytes: {advice}")
        case UnknownEncodingError():
            return ValueError(f"{shown} answered with a body that cannot be unpacked ({error.encoding:.50})")
        case httpx2.LocalProtocolError():
            return ValueError(f"the request to {shown} cannot be written: {error}")
        case _:
            return ConnectionError(f"{shown}: {_shorten(str(error) or type(error).__name__)}")


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}…"
