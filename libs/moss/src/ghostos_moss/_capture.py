"""What a run prints, kept apart from everything else that the process prints.

While any run is captured, `sys.stdout`, `sys.stderr` and `sys.stdin` are stand-ins that look at a context variable:
what the run's own context writes goes to its `Output`, all else to the real stream. Threads that the run starts
have a context of their own, and C code writes to file descriptors: neither is seen here.

The streams that were there before the first run are there again after the last. Whoever assigns `sys.stdout` while a
run is captured, by `contextlib.redirect_stdout` too, does so for the whole process, as `sys` knows no contexts: what
others print goes there as well, until it is put back, or the next run begins or ends.
"""

import io
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

__all__ = ["MAX_OUTPUT_CHARS", "Output", "capture", "capture_nothing", "captured_calls", "captured_streams"]

P = ParamSpec("P")
T = TypeVar("T")

MAX_OUTPUT_CHARS: Final = 7000
"""About 2,000 tokens of what programs print."""

_MAX_PENDING: Final = 256
_MAX_PENDING_CHARS: Final = 1024
_LOOKED_AT_CHARS: Final = 2000
_LOOK_WAITS_S: Final = 0.1

_NO_INPUT: Final = "there is nobody at a keyboard: code cannot ask for input; return what you need to know instead"


class Output:
    """Text in the order it was written, of which at most a head and a tail are kept.

    Args:
        max_chars: Budget for both together. What was left out in the middle is said on a line of its own.
    """

    def __init__(self, *, max_chars: int = MAX_OUTPUT_CHARS) -> None:
        self._pending: list[str] = []
        self._head_room = max_chars // 2
        self._tail_room = max_chars - self._head_room
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_chars = 0
        self._chars = 0
        self._newlines = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Add text; constant memory, however much comes. From any thread.

        A `print` writes each argument and each space by itself: pieces are sorted in together, later.
        """
        self._pending.append(text)
        if len(self._pending) > _MAX_PENDING or len(text) > _MAX_PENDING_CHARS:
            with self._lock:
                self._sort_in()

    def _sort_in(self) -> None:
        count = len(self._pending)  # others may append meanwhile
        text = "".join(self._pending[:count])
        self._chars += len(text)
        self._newlines += text.count("\n")
        if self._head_room:
            self._head.append(text[: self._head_room])
            text, self._head_room = text[self._head_room :], max(0, self._head_room - len(text))
        if text:
            self._tail.append(text[-self._tail_room :])
            self._tail_chars += len(self._tail[-1])
            while self._tail_chars - len(self._tail[0]) >= self._tail_room:
                self._tail_chars -= len(self._tail.popleft())
        del self._pending[:count]

    def text(self) -> str:
        """What was written so far. What UTF-8 cannot say, a lone surrogate, is written as its escape."""
        with self._lock:
            self._sort_in()
            head, tail = "".join(self._head), "".join(self._tail)[-self._tail_room :]
            text = head + tail if len(head) + len(tail) == self._chars else self._abridged(head, tail)
        return _sendable(text)

    def find_tail(self) -> str | None:
        """The end of what was written so far, at most 2,000 characters, escaped as in `text`; None where there is none.

        Blank lines alone are none. From any thread. It waits a moment for one that writes, then gives up: None.
        """
        if not self._lock.acquire(timeout=_LOOK_WAITS_S):
            return None
        try:
            self._sort_in()
            text, chars = "".join(self._tail), self._chars
            if len(text) < _LOOKED_AT_CHARS and chars == len(text) + sum(map(len, self._head)):
                text = "".join(self._head) + text
        finally:
            self._lock.release()
        escaped = _sendable(text[-_LOOKED_AT_CHARS:])
        if not escaped.strip():
            return None
        is_all = chars <= len(text) and max(chars, len(escaped)) <= _LOOKED_AT_CHARS
        return escaped if is_all else f"…{escaped[-_LOOKED_AT_CHARS:]}"

    def _abridged(self, head: str, tail: str) -> str:
        """Head and tail cut at line ends, where they have any, and the marker between them."""
        head = head[: head.rfind("\n") + 1] or f"{head}\n"
        tail = tail[tail.find("\n", 0, -1) + 1 :]
        total = self._newlines + (not tail.endswith("\n"))
        kept = head.count("\n") + tail.count("\n") + (not tail.endswith("\n"))
        if total > kept:
            return f"{head}… {total - kept:,} of {total:,} lines left out …\n{tail}"
        left_out = self._chars - len(head) - len(tail)
        return f"{head}… {left_out:,} of {self._chars:,} characters left out …\n{tail}"


def _sendable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


_Triple = tuple[Any, Any, Any]
"""Standard output, error and input: whatever somebody put on `sys`."""


class capture:  # noqa: N801 - used as a verb: `with capture(output):`
    """Send what this context prints to an output, and let it read nothing."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._token: Token[Output | None] | None = None
        self._around: _Triple | None = None

    def __enter__(self) -> None:
        if _current.get() is not None:  # within a run, which may have redirected its streams for this one's time
            self._around = (sys.stdout, sys.stderr, sys.stdin)
        self._token = _current.set(self._output)
        _streams.install()

    def __exit__(self, *_exc_info: object) -> None:
        _streams.remove(self._around)
        if self._token is not None:
            _current.reset(self._token)


@contextmanager
def capture_nothing(_output: Output) -> Generator[None]:
    """For a process whose whole output is captured from outside, that of C code included."""
    yield


_current: ContextVar[Output | None] = ContextVar("ghostos_moss.output", default=None)


class _Stream:
    """Stands in for a stream of `sys`. Not an `io` class: those close what they wrap when they are collected."""

    def __init__(self, wrapped: Any) -> None:  # noqa: ANN401 - whatever somebody put on sys
        self.wrapped = wrapped

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self.wrapped, name)

    def fileno(self) -> int:
        if _current.get() is not None:
            message = "fileno"
            raise io.UnsupportedOperation(message)
        return self.wrapped.fileno()

    def isatty(self) -> bool:
        return _current.get() is None and self.wrapped.isatty()

    def close(self) -> None:
        """A run cannot close the streams of the process; `exit()` would."""
        if _current.get() is None:
            self.wrapped.close()


class _Writer(_Stream):
    def write(self, text: str) -> int:
        output = _current.get()
        if output is None:
            return self.wrapped.write(text)
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller is not typed
            message = f"write() argument must be str, not {type(text).__name__}"
            raise TypeError(message)
        output.write(text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _current.get() is None:
            self.wrapped.flush()

    @property
    def buffer(self) -> Any:  # noqa: ANN401 - as above
        return self.wrapped.buffer if _current.get() is None else _Bytes(self)


class _Bytes:
    """The binary side of a captured stream."""

    def __init__(self, writer: _Writer) -> None:
        self._writer = writer

    def write(self, data: bytes) -> int:
        self._writer.write(bytes(data).decode(errors="backslashreplace"))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


class _Reader(_Stream):
    def _refuse_or(self, method: str, args: tuple[object, ...]) -> Any:  # noqa: ANN401 - as above
        if _current.get() is not None:
            raise EOFError(_NO_INPUT)
        return getattr(self.wrapped, method)(*args)

    def read(self, *args: object) -> Any:  # noqa: ANN401 - as above
        return self._refuse_or("read", args)

    def readline(self, *args: object) -> Any:  # noqa: ANN401 - as above
        return self._refuse_or("readline", args)

    def readlines(self, *args: object) -> Any:  # noqa: ANN401 - as above
        return self._refuse_or("readlines", args)

    def __iter__(self) -> "_Reader":
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - as above
        return self._refuse_or("__next__", ())

    @property
    def buffer(self) -> Any:  # noqa: ANN401 - as above
        return self.wrapped.buffer if _current.get() is None else _refuse_input()


def _refuse_input() -> NoReturn:
    raise EOFError(_NO_INPUT)


class _Streams:
    """Puts the stand-ins on `sys` while at least one run is captured.

    They are kept afterwards, and used again: `print` of CPython 3.11 only borrows its stream, so one that was freed
    while another thread prints would end the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._captures = 0
        self._real: _Triple = (None, None, None)
        self._stand_ins: _Triple = (None, None, None)
        self._earlier: _Triple = (None, None, None)

    def install(self) -> None:
        with self._lock:
            self._captures += 1
            if self._captures == 1:
                out, err, source = map(_unwrapped, (sys.stdout, sys.stderr, sys.stdin))
                if any(now is not before for now, before in zip((out, err, source), self._real, strict=True)):
                    self._earlier, self._real = self._stand_ins, (out, err, source)
                    self._stand_ins = (
                        None if out is None else _Writer(out),
                        None if err is None else _Writer(err),
                        None if source is None else _Reader(source),
                    )
            sys.stdout, sys.stderr, sys.stdin = self._stand_ins

    def remove(self, around: _Triple | None) -> None:
        """What was put there in the meantime is taken away: it is the code's, which may not keep them.

        Args:
            around: Streams of the run that this one was part of, which goes on.
        """
        with self._lock:
            self._captures -= 1
            if self._captures:
                sys.stdout, sys.stderr, sys.stdin = around or self._stand_ins
                return
            sys.stdout, sys.stderr, sys.stdin = self._real


def _unwrapped(stream: Any) -> Any:  # noqa: ANN401 - whatever somebody put on sys
    """The stream itself, where somebody kept a stand-in and put it back after the last run."""
    while isinstance(stream, _Stream):
        stream = stream.wrapped
    return stream


_streams = _Streams()


@contextmanager
def captured_streams() -> Generator[None]:
    """Within the `with` block, what is called through `captured_calls` in any thread is captured."""
    _streams.install()
    try:
        yield
    finally:
        _streams.remove(None)


def captured_calls(function: Callable[P, T], output: Callable[[], Output | None]) -> Callable[P, T]:
    """Return a function whose own prints go to the output of that moment, while streams are captured."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        token = _current.set(output())
        try:
            return function(*args, **kwargs)
        finally:
            _current.reset(token)

    return call
