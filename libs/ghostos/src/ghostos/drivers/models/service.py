"""One service as a driver talks to it: where it is, how it is reached, and what may be said of it in a message."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from ghostos.errors import ConfigError

__all__ = ["Service", "check_key", "check_proxy"]

_API_SCHEMES = ("http", "https")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+(?:%[\w.-]+)?")
_MAX_TEXT = 300
_MASKED = re.compile(r"[\w.-]*(?:\*{3,}|•{3,}|x{5,}|X{5,})[\w.*-]*")
_WORD = re.compile(r"[\w-]+")
_FEWEST_SHOWN = 4
"""Characters of a key that count as a part of it."""
_KEY_LIKE = re.compile(r"\b(?:sk|pk|key)[-_][\w*.-]{4,}|\bBearer\s+\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where a model is asked.

    Attributes:
        name: The part of `provider:model` before the colon.
        base_url: Address of the API, with http or https.
        key: None where the service takes no key.
        proxy: Address of a proxy, checked by `check_proxy`; may hold a password.
        key_source: What to call the place of the key in advice: the variable's name.
        timeout_s: Longest wait for the next piece of an answer, seconds.
        max_retries: Retries of a request that failed before it answered.
    """

    name: str
    base_url: str
    key: SecretStr | None = None
    proxy: SecretStr | None = None
    key_source: str = ""
    timeout_s: float = 120.0
    max_retries: int = 2

    def __post_init__(self) -> None:
        fault = _find_fault(self.base_url, schemes=_API_SCHEMES)
        if fault is not None:
            raise ConfigError(
                f"The address of '{self.name}' is not one of an API: {fault}.",
                advice="It starts with https:// (or http://), like https://api.openai.com/v1",
            )

    @property
    def address(self) -> str:
        """The base address without user name, password and query."""
        parts = urlsplit(self.base_url)
        return SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "").geturl()

    @property
    def is_encrypted(self) -> bool:
        """Whether certificates are needed to talk to it."""
        return self.base_url.startswith("https:")

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, where the environment's proxies have no part."""
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:  # a name
            return False

    def redact(self, text: str) -> str:
        """Return a foreign text fit for a message: one bounded line of printable characters without keys."""
        line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * _MAX_TEXT]).split())
        for secret in self._secrets():
            line = line.replace(secret, "[hidden]")
        line = _KEY_LIKE.sub("[hidden]", line)
        line = _MASKED.sub("[hidden]", line)
        if self.key is not None:  # the ends of a key, which services quote
            line = _WORD.sub(partial(_hide_part, key=self.key.get_secret_value()), line)
        return line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]}…"

    def _secrets(self) -> Iterator[str]:
        """Yield what no message may show, the longest form of each first."""
        if self.key is not None:
            yield self.key.get_secret_value()
        urls = [self.base_url]
        if self.proxy is not None:
            urls.append(self.proxy.get_secret_value())
            yield urls[-1]
        for url in urls:
            user_info, at, _ = urlsplit(url).netloc.rpartition("@")
            password = user_info.partition(":")[2]
            yield from filter(None, (f"{user_info}{at}", password, unquote(password)))


def _hide_part(word: re.Match[str], *, key: str) -> str:
    found = word[0]
    is_part = len(found) >= _FEWEST_SHOWN and (key.startswith(found) or key.endswith(found))
    return "[hidden]" if is_part else found


def _find_fault(url: str, *, schemes: Sequence[str]) -> str | None:
    """Return what keeps an address from being used, without quoting it: any part of it may be a password's."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port that is no number, or brackets without an IPv6 address in them
        return "its host or port cannot be read; / ? # @ and : in a password are written %2F %3F %23 %40 and %3A"
    if parts.scheme not in schemes or not url.lower().startswith(f"{parts.scheme}://"):
        return f"it does not start with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if not _HOST.fullmatch(host) or port == 0:
        return "it names no host, or no port, that can be reached"
    if "@" in parts.path + parts.query + parts.fragment:
        return "it has an @ behind its host; / ? # and @ in a password are written %2F %3F %23 and %40"
    return None


def check_key(value: SecretStr, *, source: str) -> SecretStr:
    """Return the key as it is sent: without the white space around it.

    Raises:
        ConfigError: It is empty, or holds a character that no HTTP header can carry; the message does not show it.
    """
    key = value.get_secret_value().strip()
    if not key:
        raise ConfigError(f"The key in {source} is empty.", advice="Copy it from the service's own page, and paste it.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            f"The key in {source} holds white space, a control character or one beyond ASCII: it was not copied whole.",
            advice=f"Copy it again: export {source}=...",
        )
    return SecretStr(key)


def check_proxy(value: SecretStr, *, source: str) -> SecretStr:
    """Return the proxy's address.

    Raises:
        ConfigError: It is of a kind that cannot be used, or names no host.
    """
    url = value.get_secret_value().strip()
    if url.startswith("sock5:"):
        meant = url.replace("sock5:", "socks5:", 1)
        is_public = "@" not in url and _find_fault(meant, schemes=_PROXY_SCHEMES) is None
        raise ConfigError(
            f"{source} starts with sock5:, which is no kind of proxy: did you mean socks5://?",
            advice=f"Set it to: {meant}" if is_public else "Put socks5:// in its place and keep the rest.",
        )
    fault = _find_fault(url, schemes=_PROXY_SCHEMES)
    if fault is not None:
        raise ConfigError(
            f"{source} is no proxy that can be used: {fault}.",
            advice="It starts with http:// or socks5://, like socks5://127.0.0.1:1080",
        )
    return SecretStr(url)
