"""A local web server for tests of code that asks the web: real sockets, answers by path."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias, cast

__all__ = ["WebAnswer", "WebRequest", "WebServer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """One request as it arrived.

    Attributes:
        method: In upper case.
        path: With the query.
        headers: By lower-case name.
        body: As it came.
        connection: Number of the TCP connection, from 1: the same for requests that shared one.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What the server sends.

    Attributes:
        body: Whole, or in pieces: these are sent as they come, without a length, and then the connection is closed.
        status: Of HTTP.
        headers: Beside the length.
    """

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Answer: TypeAlias = str | WebAnswer | Callable[[WebRequest], "str | WebAnswer"]


class WebServer:
    """Serves while it is open (`with`, or `open` and `close`); a path that has no answer is status 404.

    Args:
        answers: By path, without the query: a text, an answer, or what makes one of the request.
        host: An address of this machine.
        tls: Makes it speak https.
    """

    def __init__(
        self, answers: Mapping[str, Answer], *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self._answers = dict(answers)
        self._host = host
        self._tls = tls
        self._lock = threading.Lock()
        self._requests: list[WebRequest] = []
        self._connections = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0 while it is closed."""
        return self._server.server_port if self._server is not None else 0

    @property
    def address(self) -> str:
        """Host and port, as a permission names them: `127.0.0.1:40001`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The beginning of its URLs, without a slash at the end."""
        return f"{'http' if self._tls is None else 'https'}://{self.address}"

    @property
    def requests(self) -> list[WebRequest]:
        """All requests so far, in the order of their arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def connections(self) -> int:
        """How many were opened, also without a request."""
        with self._lock:
            return self._connections

    def open(self) -> None:
        """Start serving; returns when the port is open.

        Raises:
            OSError: The address cannot be had.
        """
        self._server = (_Server6 if ":" in self._host else _Server)((self._host, 0), _Handler)
        self._server.of_test = self
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.01,), name="web-server", daemon=True).start()

    def close(self) -> None:
        """Stop serving. Harmless twice."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def count_connection(self) -> int:
        """Return the number of a new connection."""
        with self._lock:
            self._connections += 1
            return self._connections

    def answer(self, request: WebRequest) -> WebAnswer:
        """Return what a request gets."""
        with self._lock:
            self._requests.append(request)
        found = self._answers.get(request.path.partition("?")[0], WebAnswer(b"not here", 404))
        if callable(found):
            found = found(request)
        return WebAnswer(found.encode(), headers={"content-type": "text/plain"}) if isinstance(found, str) else found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    of_test: WebServer

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as its parent has it
        """A client may leave at any time."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._test = cast("_Server", self.server).of_test
        self._connection = self._test.count_connection()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self._test.answer(
            WebRequest(method=self.command, path=self.path, headers=headers, body=body, connection=self._connection)
        )
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body if self.command != "HEAD" else b"")
            return
        self.send_header("connection", "close")
        self.end_headers()
        for piece in answer.body:
            self.wfile.write(piece)
            self.wfile.flush()

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - as its parent calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as its parent has it
        """Tests look at `requests`."""
