"""The port to the web that a file asks for on its `Moss`. Its docstrings are prompt text."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

_MAX_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True, repr=False)
class WebResponse:
    """What a server answered."""

    url: str
    """the last one, after redirects"""
    status: int
    headers: dict[str, str]
    """names in lower case"""
    content: bytes = b""
    encoding: str = "utf-8"

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < HTTPStatus.BAD_REQUEST

    @property
    def text(self) -> str:
        """The content, decoded."""
        return self.content.decode(self.encoding, "replace")

    def json(self) -> Any:  # noqa: ANN401 - whatever the server says
        """The content as JSON; ValueError if it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as exc:
            kind = self.headers.get("content-type", "no content type")
            message = f"{self.url} answered {self.status} and no JSON ({kind}): {self._shorten()}"
            raise ValueError(message) from exc

    def raise_for_status(self) -> Self:
        """Raise RuntimeError unless `ok`."""
        if not self.ok:
            message = f"{self.url} answered {self.status}: {self._shorten()}"
            raise RuntimeError(message)
        return self

    def _shorten(self) -> str:
        text = self.text
        return repr(text) if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]!r}…"

    def __repr__(self) -> str:
        return f"<WebResponse {self.status}, {len(self.content):,} bytes, {self.url}>"


class WebClient(ABC):
    """Asks web servers at the hosts that the user has allowed; for any other it raises PermissionError.

    Redirects are followed, cookies are not kept. What goes wrong is a ConnectionError, TimeoutError or ValueError.
    """

    def get(
        self,
        url: str,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> WebResponse:
        return self.request("GET", url, params=params, headers=headers, timeout=timeout)

    def post(
        self,
        url: str,
        data: str | bytes | dict[str, Any] | None = None,
        json: Any = None,  # noqa: ANN401 - whatever JSON can say
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> WebResponse:
        return self.request("POST", url, data=data, json=json, headers=headers, timeout=timeout)

    @abstractmethod
    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: str | bytes | dict[str, Any] | None = None,
        json: Any = None,  # noqa: ANN401 - as above
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> WebResponse:
        """`data` is the body, or a form as dict. `timeout` is in seconds, for all of it."""

    @abstractmethod
    async def request_async(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: str | bytes | dict[str, Any] | None = None,
        json: Any = None,  # noqa: ANN401 - as above
        headers: dict[str, str] | None = None,
        timeout: float = 30,  # noqa: ASYNC109 - as in the others
    ) -> WebResponse:
        """`request`, to be awaited: several at once with `asyncio.gather`."""
