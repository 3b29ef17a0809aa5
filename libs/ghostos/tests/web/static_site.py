"""The modules of `web/static` on a port of this machine, behind a page of the test's own."""

import functools
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ghostos.web

__all__ = ["STATIC", "serve_static"]

STATIC = Path(ghostos.web.__file__).parent / "static"


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def __init__(self, *arguments: Any, page: str, **options: Any) -> None:
        self._page = page.encode()
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self._page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
        """Tests say what went wrong."""


@contextmanager
def serve_static(page: str) -> Generator[str]:
    """Serve the modules, and the HTML of a page at the root; yields the address of that."""
    handler = functools.partial(_Handler, page=page, directory=str(STATIC))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
