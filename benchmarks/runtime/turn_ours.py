"""Runs turns of GhostOS, as `peer_probe` runs those of others.

python -m benchmarks.runtime.turn_ours FOLDER TURNS
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.runtime.long_thread import lengthen
from benchmarks.runtime.matrices import find_workspace, open_matrix_in, write_agent
from benchmarks.runtime.peer_probe import ANSWER, QUESTION, Turn, serve

from ghostos.abcd import Conversation
from ghostos.ghosts.moss_agent import MossAgent


@asynccontextmanager
async def open_ghostos(folder: Path, turns: int) -> AsyncGenerator[Turn]:
    """The thread is in the workspace's database; code runs in a confined worker. What `talk` and `recv` take."""
    agent = MossAgent(write_agent(folder))
    with open_matrix_in(folder) as matrix:
        _talk(matrix.sync(agent, thread="bench"))
    lengthen(find_workspace(folder).database, turns=turns)
    with open_matrix_in(folder) as matrix:
        conversation = matrix.sync(agent, thread="bench")

        async def turn() -> None:
            _talk(conversation)

        yield turn


def _talk(conversation: Conversation) -> None:
    said = ""
    _, receiver = conversation.talk(QUESTION)
    with receiver:
        for delta in receiver.recv():
            said += delta.content if delta.type == "text" else ""
    assert said.endswith(ANSWER), said


if __name__ == "__main__":
    asyncio.run(serve(open_ghostos))
