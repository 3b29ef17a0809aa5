"""A fake ball in real time, and a radio to it from other processes. It rolls on when they are gone, as a real one does.

with FakeBoltRadio(FakeBolt(clock=time.monotonic)) as radio:
link = ProcessLink(adapters=radio.adapters)
"""

import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO, Any, Self

from ghostos.prototypes.spherogpt.bolt._physics import STEP_S
from ghostos.testing.fake_bolt import FakeBolt, FakeBoltGoneError, FoundBall

__all__ = ["FakeBoltRadio", "reach"]


class FakeBoltRadio:
    """Serves one ball on a socket, and lets its time go by.

    Args:
        ball: Its clock should be `time.monotonic`, which all processes share.
        latency_s: How long a write takes on its way.

    Attributes:
        ball: The ball.
        adapters: What reaches it from any process, for `real_bolt(adapters=...)`.
        asked: What it was asked last.
        unanswered: What hangs in whoever asks it now: `scan`, `write`.
    """

    def __init__(self, ball: FakeBolt | None = None, *, latency_s: float = 0.01) -> None:
        self.ball = ball or FakeBolt(clock=time.monotonic)
        self.asked = ""
        self.unanswered: Collection[str] = ()
        self._latency_s = latency_s
        self._folder = tempfile.TemporaryDirectory(prefix="bolt-")
        path = Path(self._folder.name) / "radio"
        self.adapters = f"{__name__}:reach={path}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._connections: list[socket.socket] = []
        self._is_closed = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"fake-bolt-{work.__name__}", daemon=True)
            for work in (self._accept, self._let_time_go_by)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._disconnect()
        for thread in self._threads:
            thread.join(5)
        self._folder.cleanup()

    def lose(self) -> None:
        """Have the radio lost: who is connected is told so, and nobody finds the ball."""
        self.ball.is_reached = False
        self._disconnect()

    def find(self) -> None:
        """Have the ball be reached again."""
        self.ball.is_reached = True

    def _disconnect(self) -> None:
        while self._connections:
            connection = self._connections.pop()
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has gone by itself

    def _let_time_go_by(self) -> None:
        due = time.monotonic()
        while not self._is_closed.wait(max(0.0, due - time.monotonic())):
            self.ball.advance()
            due += STEP_S

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), name="fake-bolt-serve", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        lock = threading.Lock()

        def say(**words: object) -> None:
            with lock:
                try:
                    connection.sendall(json.dumps(words).encode() + b"\n")
                except OSError:
                    self.ball.unlisten(hear)  # who listened has gone

        def hear(data: bytes) -> None:
            say(heard=data.hex())

        with connection, connection.makefile("rb") as lines:
            try:
                for line in lines:
                    self._answer(json.loads(line), say=say, hear=hear)
            except OSError:
                return  # the process was killed
            finally:
                self.ball.unlisten(hear)

    def _answer(self, asked: dict[str, str], *, say: Callable[..., None], hear: Callable[[bytes], None]) -> None:
        self.asked = asked["ask"]
        if self.asked in self.unanswered:
            return
        if asked["ask"] == "scan":
            say(found=[self.ball.name] if self.ball.is_reached else [])
        elif asked["ask"] == "listen":
            self.ball.listen(hear)
        else:
            time.sleep(self._latency_s)
            try:
                self.ball.write(bytes.fromhex(asked["data"]))
                say(written=True)
            except FakeBoltGoneError as exc:
                say(error=str(exc))


class _Connection:
    """A client of the socket. Answers come in order; what the ball says goes to who listens."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._lines: IO[bytes] = self._socket.makefile("rb")
        self._answers = threading.Semaphore(0)
        self._answer: dict[str, Any] = {}
        self.listener: Callable[[bytes], object] | None = None
        threading.Thread(target=self._read, name="fake-bolt-read", daemon=True).start()

    def tell(self, **words: str) -> None:
        self._socket.sendall(json.dumps(words).encode() + b"\n")

    def ask(self, **words: str) -> dict[str, Any]:
        self.tell(**words)
        self._answers.acquire()  # without a deadline, as Bluetooth has none
        if "error" in self._answer:
            raise FakeBoltGoneError(str(self._answer["error"]))
        return self._answer

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> None:
        for line in self._lines:
            words: dict[str, Any] = json.loads(line)
            if "heard" in words and self.listener is not None:
                self.listener(bytes.fromhex(words["heard"]))
            elif "heard" not in words:
                self._answer = words
                self._answers.release()
        self._answer = {"error": "the radio was lost"}
        self._answers.release(1000)


def reach(path: str) -> type:
    """Return adapters, by spherov2's protocol, that reach a ball which another process serves there."""

    class Adapter:
        def __init__(self, address: str) -> None:
            self._connection = _Connection(path)
            self.address = address

        @staticmethod
        def scan_toys(timeout: float = 5.0) -> list[FoundBall]:
            del timeout
            connection = _Connection(path)
            names: list[str] = connection.ask(ask="scan")["found"]
            connection.close()
            return [FoundBall(name, name) for name in names]

        @classmethod
        def scan_toy(cls, name: str, timeout: float = 5.0) -> FoundBall | None:
            return next((each for each in cls.scan_toys(timeout) if each.name == name), None)

        def set_callback(self, uuid: str, cb: Callable[[str, bytearray], object]) -> None:
            self._connection.listener = lambda data: cb(uuid, bytearray(data))
            self._connection.tell(ask="listen")

        def write(self, uuid: str, data: bytes) -> None:
            del uuid
            self._connection.ask(ask="write", data=bytes(data).hex())

        def close(self) -> None:
            self._connection.close()

    return Adapter
