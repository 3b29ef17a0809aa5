"""Both ends of the wire, fed with what no honest peer sends: refused by name, in bounded memory, without an effect."""

import os
import random
import socket
import struct
import tracemalloc
from typing import Any

import msgspec
import pytest

from ghostos_moss._process._async_calls import AsyncCalls
from ghostos_moss._process._frames import (
    MAX_FRAME_BYTES,
    Answer,
    Failure,
    FrameError,
    FrameSocket,
    PeerClosedError,
    Request,
)
from ghostos_moss._process._link import Link
from ghostos_moss._process._objects import HostObjects
from ghostos_moss._process._proxies import Proxies

WHOLE = os.environ.get("GHOSTOS_TEST_WHOLE") == "1"
FRAMES = 100_000 if WHOLE else 10_000
MAX_GROWTH_BYTES = 24 * 1024 * 1024
REFUSALS = (ValueError, TypeError, AttributeError, RuntimeError, KeyError, RecursionError)
NAMES = [
    "call",
    "get",
    "set",
    "next",
    "release",
    "callback",
    "run",
    "open",
    "eval",
    "__class__",
    "level",
    "name",
    "keep",
]
TAGS = ["v", "o", "c", "i", "l", "t", "d", "s", "pickle", "obj", "", "__reduce__"]


class Ball:
    """The injected object: it counts what is done to it."""

    def __init__(self):
        self.done = []
        self.secret = "s3cret"

    def level(self, step: int = 1) -> int:
        self.done.append("level")
        return 80

    def keep(self, value: object) -> "Ball":
        self.done.append("keep")
        return self


def any_value(rng, depth=0):
    """Plain data of any shape, often close to a node."""
    kind = rng.randrange(12 if depth < 4 else 7)
    match kind:
        case 0:
            return rng.choice([None, True, False, 0, 1, 2, -1, 2**31, 2**63 - 1, -(2**63), float("nan")])
        case 1 | 2:
            return rng.choice(NAMES)
        case 3:
            return rng.randbytes(rng.randrange(20))
        case 4:
            return "x" * rng.choice([0, 1, 300, 5000])
        case 5 | 6:
            return [rng.choice(TAGS), rng.randrange(-2, 5)]
        case 7 | 8:
            return [rng.choice(TAGS), *(any_value(rng, depth + 1) for _ in range(rng.randrange(3)))]
        case 9:
            return {str(any_value(rng, 9)): any_value(rng, depth + 1) for _ in range(rng.randrange(3))}
        case 10:
            return {
                "$type": rng.choice(["obj", "set", "enum", "x"]),
                "class": rng.choice(NAMES),
                "value": any_value(rng, 9),
            }
        case _:
            return [any_value(rng, depth + 1) for _ in range(rng.randrange(4))]


def any_frame(rng):
    """The bytes of a frame: random, damaged, or of a shape that is almost right."""
    match rng.randrange(6):
        case 0:
            body = rng.randbytes(rng.randrange(1, 60))
        case 1:
            body = msgspec.msgpack.encode(any_value(rng))
        case 2:
            body = b"\x91" * rng.randrange(1, 3000)  # nested beyond measure
        case 3:
            body = bytearray(msgspec.msgpack.encode([0, 1, "call", [1, "level", [], {}]]))
            for _ in range(rng.randrange(1, 4)):
                body[rng.randrange(len(body))] = rng.randrange(256)
        case 4:
            body = struct.pack(">BI", 0xDD, 2**32 - 1)  # an array of four thousand million items that are not there
        case _:
            body = msgspec.msgpack.encode([rng.randrange(4), any_value(rng), rng.choice(NAMES), any_value(rng), {}])
    return struct.pack("<I", len(body)) + bytes(body)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_bytes_come_are_a_message_or_a_frame_error(seed):
    rng = random.Random(seed)  # noqa: S311 - repeatable data for a test
    ours, theirs = socket.socketpair()
    frames = FrameSocket(ours)
    tracemalloc.start()
    for _ in range(FRAMES // 2):
        theirs.sendall(any_frame(rng))
        try:
            assert isinstance(frames.receive(), (Request, Answer, Failure))
        except FrameError:
            continue
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MAX_GROWTH_BYTES
    for length in (MAX_FRAME_BYTES + 1, 2**32 - 1):
        theirs.sendall(struct.pack("<I", length))
        with pytest.raises(FrameError, match="over the limit"):
            frames.receive()
        frames = FrameSocket(ours)
    theirs.close()
    with pytest.raises(PeerClosedError):
        frames.receive()
    ours.close()


@pytest.mark.parametrize("seed", range(2))
def test_whatever_a_worker_asks_is_answered_or_refused_and_only_what_is_declared_is_done(seed):
    rng = random.Random(seed)  # noqa: S311 - repeatable data for a test
    runner, ball = AsyncCalls(), Ball()
    objects = HostObjects(runner, max_calls=100_000)
    assert objects.add(ball, contract=Ball) == 1
    answered = 0
    for _ in range(FRAMES // 2):
        request = rng.choice(["call"] * len(NAMES) + NAMES)
        arguments = [any_value(rng) for _ in range(rng.randrange(5))]
        if rng.random() < 0.5:
            method = rng.choice(["level", "keep", "keep", *NAMES])
            arguments = [rng.choice([1, 1, 1, 2, True, -1]), method, [["v", any_value(rng)]], {}]
        try:
            answer = objects.handle(GoneWorker(), request, arguments)
        except REFUSALS:
            continue
        finally:
            objects.take_calls()
        answered += 1
        assert "s3cret" not in repr(answer)
    assert answered > FRAMES // 100
    assert set(ball.done) == {"level", "keep"}
    assert ball.secret == "s3cret"
    assert objects.value_of(1) is ball
    runner.close()


@pytest.mark.parametrize("seed", range(2))
def test_whatever_the_host_answers_a_worker_takes_it_as_data_or_refuses_it(seed):
    rng = random.Random(seed)  # noqa: S311 - repeatable data for a test
    frames = _Answering()
    proxies = Proxies(Link(frames, lambda *_: None, lambda exc: ("", str(exc), {})))
    ball: Any = proxies.stand_in(1, Ball)
    for _ in range(FRAMES // 2):
        frames.value = any_value(rng)
        try:
            ball.keep(3)
        except REFUSALS:
            continue
    frames.value = ["v", 5]
    assert ball.keep(3) == 5


class _Answering(FrameSocket):
    """The other end, in the same thread: answers each request with a value."""

    def __init__(self):
        self.value: Any = None
        self._number = 0

    def send(self, message):
        self._number = message.number

    def receive(self):
        return Answer(self._number, self.value)

    def close(self):
        raise AssertionError("the link gave up")


class GoneWorker:
    """Has ended, so that its functions cannot be called."""

    def call_back(self, number, arguments):
        raise PeerClosedError
