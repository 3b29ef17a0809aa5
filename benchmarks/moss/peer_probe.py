"""Measures one public peer, in the interpreter of the environment that it is installed in: imports nothing of ours.

    python -P peer_probe.py NAME FOLDER

FOLDER holds `simple_tools.py`. The last line printed is a `Report` in JSON.
"""

import importlib
import inspect
import io
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import redirect_stdout
from typing import Any, TypedDict

SNIPPET = "x = 1\ny = x + 2\nprint(y)\n"
LOOP = "total = 0\nfor i in range(1000):\n    total += i % 7\nprint(total)\n"
CALLS = "total = 0\nfor i in range(100):\n    total += {call}\nprint(total)\n"
LEVEL = 80
ROUNDS = 9
LOOSE_LIMIT = 10**9
"""Of host calls in one session; the peers' own is 1,000, ten runs of `CALLS`."""

Tools = list[Callable[..., object]]


class Figure(TypedDict):
    """Microseconds of a run, and of plain compile + exec in the same interpreter; the ratio of neighbours in time."""

    us: float
    plain_us: float
    ratio: float


class Report(TypedDict):
    """What a probe found, and the text that a model would be told."""

    figures: dict[str, Figure]
    told: str


Measuring = Generator[str, str, dict[str, Figure]]


def measure(call: str) -> Measuring:
    """Yield code, each time another text so that nothing is cached, and be sent what it printed.

    Other programs of the machine only ever add, so times are the best of several medians. Its speed changes from
    second to second, so each median has one of plain exec beside it, and the ratio is the median of those ratios.

    Args:
        call: How the code writes a host call that gives `LEVEL`.
    """
    rows = [
        ("snippet", SNIPPET, "3", 30),
        ("loop", LOOP, str(sum(i % 7 for i in range(1000))), 15),
        ("calls", CALLS, str(100 * LEVEL), 6),
    ]
    figures: dict[str, Figure] = {}
    for name, code, expected, times in rows:
        pairs: list[tuple[float, float]] = []
        for turn in range(ROUNDS):
            samples: list[float] = []
            for number in range(times):
                text = f"{code.format(call=call)}# {turn} {number}\n"
                started = time.perf_counter()
                printed = yield text
                samples.append(time.perf_counter() - started)
                assert printed.strip() == expected, f"{name}: {printed!r}, not {expected}"
            pairs.append((statistics.median(samples), time_plain(code.format(call="level()"), times=times)))
        best, plain = (min(times) * 1e6 for times in zip(*pairs, strict=True))
        figures[name] = Figure(us=best, plain_us=plain, ratio=statistics.median(one / other for one, other in pairs))
    return figures


def time_plain(code: str, *, times: int) -> float:
    """Seconds of compile and exec in one namespace, printing into memory: a median."""
    names: dict[str, object] = {"level": lambda: LEVEL}
    samples: list[float] = []
    with redirect_stdout(io.StringIO()):
        for number in range(times):
            text = f"{code}# {number}\n"
            started = time.perf_counter()
            exec(compile(text, "<s>", "exec"), names)
            samples.append(time.perf_counter() - started)
    return statistics.median(samples)


def drive(measuring: Measuring, run: Callable[[str], str]) -> dict[str, Figure]:
    """Run what is yielded; `run` returns what the code printed."""
    code = next(measuring)
    while True:
        printed = run(code)
        try:
            code = measuring.send(printed)
        except StopIteration as end:
            return end.value


async def drive_async(measuring: Measuring, run: Callable[[str], Awaitable[str]]) -> dict[str, Figure]:
    """`drive`, inside a running loop."""
    code = next(measuring)
    while True:
        printed = await run(code)
        try:
            code = measuring.send(printed)
        except StopIteration as end:
            return end.value


def probe_smolagents(tools: Tools) -> tuple[dict[str, Figure], str]:
    """A CodeAgent's own executor, given its tools as `agent.run` gives them."""
    library = importlib.import_module("smolagents")

    def level() -> int:
        """The battery."""
        return LEVEL

    agent = library.CodeAgent(tools=[library.tool(level)], model=library.Model())
    agent.python_executor.send_tools(agent.tools)
    figures = drive(measure("level()"), lambda code: agent.python_executor(code).logs)
    for tool in tools:  # it refuses a tool whose arguments are not described: the shortest that it takes
        if names := list(inspect.signature(tool).parameters):
            tool.__doc__ = f"{tool.__doc__}\n\nArgs:\n" + "".join(f"    {name}: {name}\n" for name in names)
    agent = library.CodeAgent(tools=[library.tool(tool) for tool in tools], model=library.Model())
    return figures, agent.system_prompt


def probe_monty(_tools: Tools) -> tuple[dict[str, Figure], str]:
    """One session of a pool; the host's function by name. Monty tells a model nothing."""
    library = importlib.import_module("pydantic_monty")
    names = {"level": lambda: LEVEL}
    with library.Monty() as pool, pool.checkout(limits={"max_suspensions": LOOSE_LIMIT}) as session:

        def run(code: str) -> str:
            printed = library.CollectString()
            session.feed_run(code, external_lookup=names, print_callback=printed)
            return printed.output

        return drive(measure("level()"), run), ""


def probe_code_mode(tools: Tools) -> tuple[dict[str, Figure], str]:
    """The tool `run_code` of an agent with CodeMode, called in a step of that agent by a hook before the model's turn.

    The host's function is `async def`, the cheapest kind: any other would get a thread for each call.
    """
    ai = importlib.import_module("pydantic_ai")
    functions = importlib.import_module("pydantic_ai.models.function")
    messages = importlib.import_module("pydantic_ai.messages")
    code_mode = importlib.import_module("pydantic_ai_harness.code_mode")
    hooks = importlib.import_module("pydantic_ai.capabilities").Hooks()
    figures: dict[str, Figure] = {}
    told: list[str] = []

    async def level() -> int:
        """The battery."""
        return LEVEL

    async def measure_step(ctx: Any, request_context: Any) -> Any:  # noqa: ANN401 - types of the peer
        toolset = code_mode.CodeModeToolset.from_run_context(ctx)
        tool = (await toolset.get_tools(ctx))["run_code"]

        async def run(code: str) -> str:
            result = await toolset.call_tool("run_code", {"code": code}, ctx, tool)
            return result.return_value["output"]

        figures.update(await drive_async(measure("await level()"), run))
        return request_context

    def answer(_messages: object, info: Any) -> object:  # noqa: ANN401 - as above
        told[:] = [info.instructions or ""]
        for tool in info.function_tools:
            told.extend((tool.name, tool.description, json.dumps(tool.parameters_json_schema, separators=(",", ":"))))
        return messages.ModelResponse(parts=[messages.TextPart("done")])

    hooks.on.before_model_request(measure_step)
    model = functions.FunctionModel(answer)
    loose = code_mode.CodeMode(resource_limits={"max_suspensions": LOOSE_LIMIT})
    ai.Agent(model, tools=[level], capabilities=[loose, hooks]).run_sync("go")
    ai.Agent(model, tools=tools, capabilities=[code_mode.CodeMode()]).run_sync("go")
    return figures, "\n".join(told)


PROBES = {"smolagents": probe_smolagents, "pydantic-monty": probe_monty, "pydantic-ai-harness": probe_code_mode}


def main() -> None:
    """Print the report."""
    name, folder = sys.argv[1:]
    sys.path.insert(0, folder)
    tools: Tools = list(filter(inspect.isfunction, vars(importlib.import_module("simple_tools")).values()))
    figures, told = PROBES[name](tools)
    print(json.dumps(Report(figures=figures, told=told)))


if __name__ == "__main__":
    main()
