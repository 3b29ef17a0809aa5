"""Ghosts of both kinds that tell when their rounds start and end, and the model in this process that answers them."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import ClassVar

from ghostos.abcd import GhostDriver, Operator, Session
from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.core.usage import Usage
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent

TALK = "Yes."
CODE = "<moss>\nmoss.count += 1\n</moss>"


class InstantModel:
    """Answers at once, always the same."""

    label = "instant"
    is_rehearsal = False

    def __init__(self, reply: str) -> None:
        self._deltas = (
            ModelDelta(kind="text", text=reply),
            ModelDelta(kind="usage", usage=Usage(input_tokens=10, output_tokens=2, model_calls=1)),
            ModelDelta(kind="done"),
        )

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        """Yield the reply."""
        for delta in self._deltas:
            yield delta

    async def aclose(self) -> None:
        """Do nothing."""


class Watch:
    """What the rounds of all watched ghosts have told. They tell it on the Matrix's loop.

    Attributes:
        started: The text of each input with the moment when its round began, in order.
        running: Tasks at work now, with the round that each is in.
        overlaps: Tasks that began a round while another one of theirs ran.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self, *, expected: int = 0) -> None:
        """Begin again, and count that many rounds."""
        self.started: list[tuple[str, str, float]] = []
        self.running: set[str] = set()
        self.overlaps: list[str] = []
        self._left = expected
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_done: asyncio.Event | None = None
        if expected:
            self._loop, self._is_done = asyncio.get_running_loop(), asyncio.Event()

    async def wait(self, *, timeout_s: float) -> None:
        """Wait until the expected rounds have ended.

        Raises:
            TimeoutError: They did not in time.
        """
        assert self._is_done is not None
        async with asyncio.timeout(timeout_s):
            await self._is_done.wait()

    def begin(self, session: Session) -> None:
        """A round starts."""
        now, task_id = time.perf_counter(), session.task.id
        self.started.append((task_id, str(session.event.payload.get("text")), now))
        if task_id in self.running:
            self.overlaps.append(task_id)
        self.running.add(task_id)

    def end(self, session: Session) -> None:
        """A round has ended, but for its commit."""
        self.running.discard(session.task.id)
        self._left -= 1
        if self._left == 0 and self._loop is not None and self._is_done is not None:
            self._loop.call_soon_threadsafe(self._is_done.set)


WATCH = Watch()


class WatchedDriver:
    """Another driver, watched."""

    def __init__(self, driver: GhostDriver) -> None:
        self._driver = driver

    async def on_event(self, session: Session) -> Operator:
        """Handle the event as the other driver does."""
        WATCH.begin(session)
        try:
            return await self._driver.on_event(session)
        finally:
            WATCH.end(session)


class WatchedChatbot(Chatbot):
    """A chatbot, watched."""

    kind: ClassVar[str] = "watched_chatbot"

    def create_driver(self) -> GhostDriver:
        """Return the chatbot's own driver, watched."""
        return WatchedDriver(super().create_driver())


class WatchedAgent(MossAgent):
    """An agent with a module, watched."""

    kind: ClassVar[str] = "watched_agent"

    def create_driver(self) -> GhostDriver:
        """Return the agent's own driver, watched."""
        return WatchedDriver(super().create_driver())
