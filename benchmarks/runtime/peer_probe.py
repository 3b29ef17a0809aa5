"""Runs turns of one contender, in the interpreter of its environment: imports no package of ours.

    python -m benchmarks.runtime.peer_probe NAME FOLDER TURNS

Reads a line for each turn, `quiet` or `busy`, and prints its milliseconds. Before it reads, it has made a thread of
TURNS turns, each as the first one was, in the way in which the framework keeps threads; and it has printed `ready`.
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.runtime.busy_thread import busy_thread

QUESTION = "what is 2 plus 3?"
ANSWER = "It is 5."
SYSTEM = "x" * 1500
"""As long as the system message of the agent that they are compared with."""
MODEL = "gpt-4o"

Turn = Callable[[], Awaitable[None]]


def plus(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@asynccontextmanager
async def open_pydantic_ai(_folder: Path, turns: int) -> AsyncGenerator[Turn]:
    """The thread is a list that each run returns and the next one is given; its user keeps it, here in memory."""
    ai = importlib.import_module("pydantic_ai")
    models = importlib.import_module("pydantic_ai.models.openai")
    agent = ai.Agent(models.OpenAIChatModel(MODEL), instructions=SYSTEM, tools=[plus])
    past: list[Any] = []

    async def listen(_context: object, events: AsyncIterator[object]) -> None:
        async for _ in events:
            pass

    async def turn() -> None:
        result = await agent.run(QUESTION, message_history=past, event_stream_handler=listen)
        past.extend(result.new_messages())
        assert result.output == ANSWER, result.output

    await turn()
    past.extend(past * (turns - 1))
    yield turn


@asynccontextmanager
async def open_openai_agents(folder: Path, turns: int) -> AsyncGenerator[Turn]:
    """A `SQLiteSession` keeps the thread in a file."""
    agents = importlib.import_module("agents")
    openai = importlib.import_module("openai")
    agents.set_tracing_disabled(disabled=True)  # it would be sent to the vendor
    model = agents.OpenAIChatCompletionsModel(model=MODEL, openai_client=openai.AsyncOpenAI())
    agent = agents.Agent(name="bench", instructions=SYSTEM, model=model, tools=[agents.function_tool(plus)])
    session = agents.SQLiteSession("bench", str(folder / "openai-agents.db"))

    async def turn() -> None:
        result = agents.Runner.run_streamed(agent, QUESTION, session=session)
        async for _ in result.stream_events():
            pass
        assert result.final_output == ANSWER, result.final_output

    await turn()
    await session.add_items(await session.get_items() * (turns - 1))
    yield turn
    session.close()


@asynccontextmanager
async def open_langgraph(folder: Path, turns: int) -> AsyncGenerator[Turn]:
    """The thread is in the checkpoints that `AsyncSqliteSaver` writes to a file."""
    create_agent = importlib.import_module("langchain.agents").create_agent
    model = importlib.import_module("langchain_openai").ChatOpenAI(model=MODEL)
    saver = importlib.import_module("langgraph.checkpoint.sqlite.aio").AsyncSqliteSaver
    config = {"configurable": {"thread_id": "bench"}}
    async with saver.from_conn_string(str(folder / "langgraph.db")) as checkpointer:
        agent = create_agent(model, tools=[plus], system_prompt=SYSTEM, checkpointer=checkpointer)

        async def turn() -> None:
            said = ""
            asked = {"messages": [{"role": "user", "content": QUESTION}]}
            async for message, _ in agent.astream(asked, config, stream_mode="messages"):
                said += message.text if message.type == "AIMessageChunk" else ""
            assert said.endswith(ANSWER), said

        await turn()
        state = (await agent.aget_state(config)).values["messages"]
        more = [message.model_copy(update={"id": None}) for _ in range(turns - 1) for message in state]
        await agent.aupdate_state(config, {"messages": more}, as_node="model")
        yield turn


@asynccontextmanager
async def open_sdk(_folder: Path, turns: int, *, low_level: bool = False) -> AsyncGenerator[Turn]:
    """The two requests alone: nothing kept, nothing run. `create()`, or the client's low-level `post()`."""
    openai = importlib.import_module("openai")
    bodies = make_bodies(turns)
    encoded = [json.dumps(body).encode() for body in bodies]
    async with openai.AsyncOpenAI() as client:

        async def turn() -> None:
            for body, content in zip(bodies, encoded, strict=True):
                if low_level:
                    stream = await client.post(
                        "/chat/completions",
                        content=content,
                        cast_to=object,
                        stream=True,
                        stream_cls=openai.AsyncStream[object],
                    )
                else:
                    stream = await client.chat.completions.create(**body)
                async for _ in stream:
                    pass

        await turn()
        yield turn


def open_post(folder: Path, turns: int) -> Any:  # noqa: ANN401 - as `open_sdk`
    """`open_sdk` with `post()`."""
    return open_sdk(folder, turns, low_level=True)


def make_bodies(turns: int) -> list[dict[str, Any]]:
    """What the two requests of a turn send that comes after `turns` others."""
    ask = {"role": "user", "content": QUESTION}
    state = {"role": "user", "content": "<moss-state>\ntime: now\n</moss-state>"}
    code = {"role": "assistant", "content": "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"}
    output = {"role": "user", "content": '<moss-output status="ok">\n5\n</moss-output>'}
    answer = {"role": "assistant", "content": ANSWER}
    past = [{"role": "system", "content": SYSTEM}, *[ask, code, output, answer] * turns]
    return [
        {"model": MODEL, "messages": [*past, ask, state], "stream": True},
        {"model": MODEL, "messages": [*past, ask, code, output, state], "stream": True},
    ]


PROBES: dict[str, Callable[[Path, int], Any]] = {
    "pydantic-ai": open_pydantic_ai,
    "openai-agents": open_openai_agents,
    "langgraph": open_langgraph,
    "create": open_sdk,
    "post": open_post,
}


async def serve(opener: Callable[[Path, int], Any]) -> None:
    """Run a turn for each line until stdin ends."""
    async with AsyncExitStack() as stack:
        turn: Turn = await stack.enter_async_context(opener(Path(sys.argv[-2]), int(sys.argv[-1])))
        print("ready", flush=True)
        while line := sys.stdin.readline().strip():
            with busy_thread() if line == "busy" else nullcontext():
                started = time.perf_counter()
                await turn()
                elapsed_s = time.perf_counter() - started
            print(elapsed_s * 1000, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(PROBES[sys.argv[1]]))
