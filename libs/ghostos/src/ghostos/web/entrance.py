"""Who may come in: browsers that were opened with an address that `ghostos web` has printed."""

import hmac
import secrets
import threading
from pathlib import Path
from typing import Final

from ghostos.errors import WorkspaceError
from ghostos.libraries.private_files import load_or_make_secret

__all__ = ["Entrance"]

_ID_CHARS: Final = 8
_TOKEN_BYTES: Final = 24
_FORMAT: Final = 2
"""Of the cookie, and stands in its name."""


class Entrance:
    """The key of one workspace's pages, and the addresses that let a browser have what is made of it. For any thread.

    The key is a file, so that a browser that was let in stays so when the server starts again; deleting it shuts
    everybody out. It stays here. A browser gets two things that are made of it, of which neither tells the other: a
    cookie, which browsers show to every port of this machine, and a page key, which only pages of one origin can read.

    Args:
        key_file: Where the key lies, for its owner alone; made where it is not there.

    Raises:
        WorkspaceError: It cannot be read or made.
    """

    def __init__(self, key_file: Path) -> None:
        try:
            self._key = load_or_make_secret(key_file)
        except OSError as exc:
            raise WorkspaceError(
                f"The key of the workspace's pages, {key_file}, cannot be used: {exc.strerror or exc}.",
                advice="Mend that, or name another workspace with --workspace.",
            ) from exc
        self._lock = threading.Lock()
        self._tokens: set[str] = set()

    @property
    def cookie_name(self) -> str:
        """Another one for each workspace: browsers do not tell the ports of a machine apart."""
        return f"ghostos-{_FORMAT}-{self._derive('name')[:_ID_CHARS]}"

    @property
    def cookie_value(self) -> str:
        """What a browser must show."""
        return self._derive("cookie")

    def make_page_key(self, host: str) -> str:
        """Return what pages must show, beside the cookie, for whatever they do.

        Args:
            host: The server's name and port as the page's address has them. What counts there counts nowhere else:
                whoever listens on that port another day reads a key of old.
        """
        return self._derive(f"page {host.lower()}")

    def make_token(self) -> str:
        """Return what lets one browser in, once."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            self._tokens.add(token)
        return token

    def take_token(self, token: str) -> bool:
        """Whether a token lets its bearer in; it does not do so again."""
        with self._lock:
            if token not in self._tokens:
                return False
            self._tokens.remove(token)
            return True

    def is_known(self, cookie: str | None) -> bool:
        """Whether a browser that shows this was let in."""
        return cookie is not None and secrets.compare_digest(cookie.encode(), self.cookie_value.encode())

    def is_page_key(self, shown: str, *, host: str) -> bool:
        """Whether a page shows the key of its own host."""
        return secrets.compare_digest(shown.encode(), self.make_page_key(host).encode())

    def _derive(self, purpose: str) -> str:
        return hmac.digest(self._key.encode(), purpose.encode(), "sha256").hex()
