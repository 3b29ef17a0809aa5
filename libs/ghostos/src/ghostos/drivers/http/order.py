"""What code asks a web client for, checked before anything is opened or imported for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["MAX_TIMEOUT_S", "Order"]

MAX_TIMEOUT_S: Final = 600.0
"""Of one request. The code that waits for it has a deadline of its own."""

_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_OF_THE_CONNECTION: Final = re.compile(
    r"host|connection|keep-alive|upgrade|te|trailer|expect|content-length|transfer-encoding|accept-encoding|proxy-.*",
    re.IGNORECASE,
)
"""Headers that say where a request goes and how it is read: they are made by the client alone."""
_FOR_ANY_HOST: Final = frozenset({"accept", "accept-language", "content-type", "user-agent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One request of the code's. Its fields are the arguments of `WebClient.request`.

    Raises:
        ValueError: It is none that is sent.
    """

    method: str
    url: str
    params: Mapping[str, Any] | None
    data: str | bytes | Mapping[str, Any] | None
    json: Any
    headers: Mapping[str, str] | None
    timeout_s: float

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            message = f"{self.method!r:.50} is no method that is sent: {', '.join(_METHODS)}"
        elif self.data is not None and self.json is not None:
            message = "data and json are two bodies: give one"
        elif not _is_number(self.timeout_s) or not 0 < self.timeout_s <= MAX_TIMEOUT_S:
            message = f"timeout={self.timeout_s!r:.50}: give seconds, above 0 and up to {MAX_TIMEOUT_S:g}"
        elif found := [name for name in self.headers or () if _OF_THE_CONNECTION.fullmatch(f"{name}".strip())]:
            message = f"the header {found[0]!r:.50} is made by the client: leave it out"
        else:
            return
        raise ValueError(message)

    @property
    def body(self) -> str | bytes | None:
        """What is sent as it is."""
        return None if isinstance(self.data, Mapping) else self.data

    @property
    def form(self) -> Mapping[str, Any] | None:
        """What is sent as a form."""
        return self.data if isinstance(self.data, Mapping) else None

    @property
    def private_headers(self) -> frozenset[str]:
        """Names of those that another host does not get when it is redirected to: they may be keys. In lower case."""
        return frozenset(f"{name}".lower() for name in self.headers or ()) - _FOR_ANY_HOST


def _is_number(given: object) -> bool:
    """A model wrote the call: the annotation binds nobody."""
    return isinstance(given, (int, float))
