"""A local HTTP server that answers chat completions from a script, over real sockets."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import msgspec

from ghostos.errors import ScriptError
from ghostos.testing.replies import ErrorReply, ModelReply, NoReply, RawReply, StreamReply
from ghostos.testing.wire import LAST_CHUNK, encode_error, encode_events, encode_raw, encode_stream_head

__all__ = ["ModelRequest", "ModelServer"]

_PATH = "/v1/chat/completions"
_LIST_PATH = "/v1/models"
_MAX_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One request as it arrived.

    Attributes:
        path: Path of the address.
        headers: By lower-case name.
        body: The JSON body; empty where it was no JSON object.
        connection: Number of the TCP connection, from 1: the same for requests that shared one.
    """

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int


Answer: TypeAlias = str | ModelReply | Callable[[ModelRequest], str | ModelReply]


class ModelServer:
    """Answers each request with the next reply; serves while it is open (`with`, or `open` and `close`).

    Strict both ways: leaving `with` without an error raises `ScriptError` when a request had no reply (it was answered
    with status 400) or a reply had no request. Usable from any thread; it runs on one of its own.

    Its list of models, `GET /v1/models`, is not part of the script.

    Args:
        replies: In the order in which requests arrive: a text, a reply, or what makes one of the request.
        repeat: Answers every request after the replies; None makes such a request an error.
        port: 0 takes a free one.
        ledger: Gets one JSON line per request, without its headers: they hold keys.
        models: What its list of models says; None: it has no such list (404).
        keys: Those that it takes: all else gets 401, with the ends of the key in the message. None: any, or none.
        has_public_list: The list is there without a key, too.
    """

    def __init__(
        self,
        replies: Iterable[Answer] = (),
        *,
        repeat: Answer | None = None,
        port: int = 0,
        ledger: Path | None = None,
        models: Iterable[str] | None = None,
        keys: Iterable[str] | None = None,
        has_public_list: bool = False,
    ) -> None:
        self._replies = list(replies)
        self._repeat = repeat
        self._port = port
        self._ledger = ledger
        self._changed = threading.Condition()
        self._models = None if models is None else list(models)
        self._keys = None if keys is None else {f"Bearer {key}" for key in keys}
        self._has_public_list = has_public_list
        self._requests: list[ModelRequest] = []
        self._list_requests: list[ModelRequest] = []
        self._problems: list[str] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._connection_count = 0

    @property
    def base_url(self) -> str:
        """What a client is given as the address of the API."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def requests(self) -> list[ModelRequest]:
        """All requests so far, in the order of their arrival."""
        with self._changed:
            return list(self._requests)

    @property
    def list_requests(self) -> list[ModelRequest]:
        """All requests for the list of models so far."""
        with self._changed:
            return list(self._list_requests)

    def wait_for_requests(self, count: int, *, timeout_s: float = 10.0) -> list[ModelRequest]:
        """Wait until that many requests have arrived, and return all of them.

        Raises:
            TimeoutError: They did not arrive in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, timeout_s):
                raise TimeoutError(f"{len(self._requests)} of {count} requests arrived within {timeout_s} s")
            return list(self._requests)

    def assert_done(self) -> None:
        """Check that requests and replies matched.

        Raises:
            ScriptError: Requests had no reply, or replies no request.
        """
        with self._changed:
            problems = list(self._problems)
            left = len(self._replies) - len(self._requests)
        if left > 0:
            problems.append(f"{left} of {len(self._replies)} replies were never asked for")
        if problems:
            raise ScriptError(f"The model server: {'; '.join(problems)}.", advice="Make script and requests match.")

    def open(self) -> None:
        """Start serving; returns when the port is open.

        Raises:
            OSError: The port cannot be had.
        """
        started: list[OSError] = []
        ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready, started)), name="model-server", daemon=True
        )
        self._thread.start()
        ready.wait()
        if started:
            self._thread.join()
            raise started[0]

    def close(self) -> None:
        """Stop serving and close all connections. Harmless twice."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            self.assert_done()

    async def _serve(self, ready: threading.Event, failed: list[OSError]) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            server = await asyncio.start_server(self._connect, "127.0.0.1", self._port, limit=_MAX_HEAD_BYTES)
        except OSError as exc:
            failed.append(exc)
            ready.set()
            return
        self._port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connection_count += 1
        task = asyncio.create_task(self._talk(reader, writer, connection=self._connection_count))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, connection: int) -> None:
        try:
            while await self._answer(reader, writer, connection=connection):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client has left, which it may at any time
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, connection: int) -> bool:
        request = await _read_request(reader, connection=connection)
        reply = self._take_reply(request)
        if isinstance(reply, StreamReply):
            return await _stream(reply, writer, request=request)
        if isinstance(reply, NoReply):
            if not reply.close:
                await reader.read(1)  # until the client gives up or the server closes
            return False
        writer.write(encode_error(reply) if isinstance(reply, ErrorReply) else encode_raw(reply))
        await writer.drain()
        return True

    def _take_reply(self, request: ModelRequest) -> StreamReply | ErrorReply | RawReply | NoReply:
        is_list = request.path == _LIST_PATH
        if is_list:
            with self._changed:
                self._list_requests.append(request)
        if not (is_list and self._has_public_list) and (refusal := self._find_refusal(request)):
            return refusal
        if is_list:
            return self._list_models()
        with self._changed:
            number = len(self._requests)
            self._requests.append(request)
            answer = self._replies[number] if number < len(self._replies) else self._repeat
            self._changed.notify_all()
            self._note(request, number=number + 1)
            if request.path != _PATH or not request.body:
                return self._refuse(f"request {number + 1} is not a JSON body for {_PATH}, but one for {request.path}")
            if answer is None:
                return self._refuse(f"request {number + 1} has no reply: the script holds {len(self._replies)}")
        if callable(answer):
            try:
                answer = answer(request)
            except Exception as exc:  # noqa: BLE001 - the test's own code; it fails the test when the server ends
                return self._refuse(f"the reply to request {number + 1} raised {exc!r}")
        return StreamReply(text=answer) if isinstance(answer, str) else answer

    def _find_refusal(self, request: ModelRequest) -> ErrorReply | None:
        given = request.headers.get("authorization", "")
        if self._keys is None or given in self._keys:
            return None
        key = given.removeprefix("Bearer ")
        said = f"Incorrect API key provided: {key[:3]}{'*' * 8}{key[-4:]}."
        return ErrorReply(status=401, message=said, type="invalid_request_error", code="invalid_api_key")

    def _list_models(self) -> ErrorReply | RawReply:
        if self._models is None:
            return ErrorReply(status=404, message="Invalid URL (GET /v1/models)")
        data = [{"id": name, "object": "model"} for name in self._models]
        body = msgspec.json.encode({"object": "list", "data": data}).decode()
        return RawReply(body=body, content_type="application/json")

    def _refuse(self, problem: str) -> ErrorReply:
        self._problems.append(problem)
        return ErrorReply(status=400, message=f"model server: {problem}", type="script_error")

    def _note(self, request: ModelRequest, *, number: int) -> None:
        if self._ledger is None:
            return
        line = {"number": number, "time_ns": time.time_ns(), "path": request.path, "body": request.body}
        with self._ledger.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")


async def _read_request(reader: asyncio.StreamReader, *, connection: int) -> ModelRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    try:
        body = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        body = {}
    return ModelRequest(path=first.split(" ")[1], headers=headers, body=body, connection=connection)


async def _stream(reply: StreamReply, writer: asyncio.StreamWriter, *, request: ModelRequest) -> bool:
    """Send the reply, in one piece where nothing is delayed; return whether the connection goes on."""
    body = request.body
    with_usage = body.get("stream_options") == {"include_usage": True}
    events = encode_events(reply, model=str(body.get("model", "")), with_usage=with_usage)
    await asyncio.sleep(reply.first_delay_s)
    whole = reply.cut_after is None
    if reply.delay_s == 0:
        writer.write(encode_stream_head() + b"".join(events) + (LAST_CHUNK if whole else b""))
    else:
        writer.write(encode_stream_head())
        for event in events:
            writer.write(event)
            await writer.drain()
            await asyncio.sleep(reply.delay_s)
        writer.write(LAST_CHUNK if whole else b"")
    await writer.drain()
    return whole
