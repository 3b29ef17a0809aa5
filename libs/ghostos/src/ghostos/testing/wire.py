"""The bytes of the OpenAI streaming protocol: server-sent events in chunked HTTP/1.1 responses."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus

import msgspec

from ghostos.testing.replies import ErrorReply, RawReply, StreamReply

__all__ = ["LAST_CHUNK", "encode_error", "encode_events", "encode_raw", "encode_stream_head"]

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked response; a connection that closes without it was cut."""

_encode_json = msgspec.json.Encoder().encode


def encode_stream_head() -> bytes:
    """Return the head of a response whose events follow in chunks."""
    return _encode_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})


def encode_events(reply: StreamReply, *, model: str, with_usage: bool) -> Iterator[bytes]:
    """Yield the HTTP chunks of a reply: one for each piece, then one for all that ends it.

    The iteration stops early where the reply is cut; `LAST_CHUNK` is not part of it.
    """
    pieces = [*([("reasoning_content", reply.reasoning)] if reply.reasoning else [])]
    pieces += [("content", piece) for piece in reply.pieces]
    for number, (field, text) in enumerate(pieces):
        if number == reply.cut_after:
            return
        yield _encode_chunk(_encode_event(model, delta={field: text}))
    if reply.cut_after is not None:
        return
    end = b""
    if reply.finish_reason is not None:
        end += _encode_event(model, delta={}, finish_reason=reply.finish_reason)
    if with_usage:
        counted = {"prompt_tokens": 1, "completion_tokens": len(pieces), "total_tokens": 1 + len(pieces)}
        usage = counted if reply.usage is None else reply.usage
        end += _frame({**_envelope(model), "choices": [], "usage": usage})
    yield _encode_chunk(end + b"data: [DONE]\n\n")


def encode_error(reply: ErrorReply) -> bytes:
    """Return a whole response that refuses."""
    error = {"message": reply.message, "type": reply.type, "param": reply.param, "code": reply.code}
    body = _encode_json({"error": error})
    headers = {"content-type": "application/json", "content-length": str(len(body)), **reply.headers}
    return _encode_head(reply.status, headers) + body


def encode_raw(reply: RawReply) -> bytes:
    """Return a whole response with a body that means nothing to the protocol."""
    body = reply.body.encode()
    return _encode_head(reply.status, {"content-type": reply.content_type, "content-length": str(len(body))}) + body


def _encode_event(model: str, *, delta: Mapping[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _frame({**_envelope(model), "choices": [choice]})


def _envelope(model: str) -> dict[str, object]:
    return {"id": "chatcmpl-local", "object": "chat.completion.chunk", "created": 0, "model": model}


def _frame(event: Mapping[str, object]) -> bytes:
    return b"data: " + _encode_json(event) + b"\n\n"


def _encode_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _encode_head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
