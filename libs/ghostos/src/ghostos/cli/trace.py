"""`ghostos threads show --trace`: what a thread did, round by round, with times and tokens."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final

import msgspec

from ghostos.cli.streams import write_out, write_out_line
from ghostos.core.escaping import escape_line
from ghostos.core.json import JsonObject
from ghostos.core.task import CodeRun, Task
from ghostos.core.trace import ModelCall, RoundTrace, Trace, dump_call
from ghostos.core.usage import Usage

_MAX_CHARS: Final = 100
"""Of one piece of foreign text."""
_STYLES: Final = {"turn": "bold", "failed": "red", "call": "dim"}


@dataclass(slots=True)
class Node:
    """A line of a tree.

    Attributes:
        text: One line.
        kind: What it tells of, for its style.
        children: What belongs to it.
    """

    text: str
    kind: str = ""
    children: list["Node"] = field(default_factory=list)


def write_trace(trace: Trace, children: Sequence[Task]) -> None:
    """Print a trace to be read: as a tree on a terminal, indented elsewhere.

    Args:
        trace: The thread's.
        children: The tasks that its ghost has made.
    """
    nodes = [*_make_turns(trace.rounds), *_make_open_runs(trace.open_runs), *_make_children(children)]
    head = "".join(f"{line}\n" for line in _describe_task(trace))
    if sys.stdout.isatty():
        write_out(head)
        _write_trees(nodes)
        return
    write_out(head + "".join(f"{line}\n" for node in nodes for line in _indent(node, depth=0)))


def write_trace_lines(trace: Trace, children: Sequence[Task]) -> None:
    """Print a trace for other programs: a line of JSON for the thread, each round, run without a round, and subtask."""
    task = trace.task
    write_out_line(
        _encode(
            {
                "type": "thread",
                "id": task.id,
                "name": task.name,
                "target": task.target,
                "state": task.state,
                "turns": task.turn,
                "rounds": task.round,
                **asdict(task.usage),
                "cost": task.cost,
                "forked_from": task.forked_from,
                "fork_seq": task.fork_seq,
            }
        )
    )
    for each in trace.rounds:
        write_out_line(_encode({"type": "round", **_round_to_json(each)}))
    for run in trace.open_runs:
        write_out_line(_encode({"type": "code_run", **_run_to_json(run)}))
    for child in children:
        write_out_line(_encode({"type": "subtask", "id": child.id, "name": child.name, "state": child.state}))


def _encode(line: dict[str, object]) -> bytes:
    return msgspec.json.encode(line)


def _round_to_json(each: RoundTrace) -> dict[str, object]:
    return {
        "id": each.id,
        "turn": each.turn,
        "round": each.round,
        "event": each.event,
        "event_at": each.event_at,
        "started_at": each.started_at,
        "committed_at": each.committed_at,
        "duration_s": each.duration_s,
        "state": each.state,
        "model": each.model or None,
        **asdict(each.usage),
        "cost": each.cost,
        "calls": None if each.calls is None else [dump_call(call) for call in each.calls],
        "code_runs": [_run_to_json(run) for run in each.code_runs],
    }


def _run_to_json(run: CodeRun) -> dict[str, object]:
    return {
        "id": run.id,
        "status": run.status,
        "started_at": run.started_at,
        "duration_s": run.duration_s,
        "code": run.code,
        "calls": run.calls,
    }


def _describe_task(trace: Trace) -> list[str]:
    task = trace.task
    return [
        f"thread {escape_line(task.name)} ({task.id})",
        f"target {escape_line(task.target)}",
        f"state {task.state}, turns: {task.turn}, rounds: {task.round}, model calls: {task.usage.model_calls}, "
        f"{_describe_usage(task.usage, cost=task.cost)}",
    ]


def _make_turns(rounds: Sequence[RoundTrace]) -> Iterator[Node]:
    for turn, group in groupby(rounds, key=lambda each: each.turn):
        of_turn = list(group)
        first, last = of_turn[0], of_turn[-1]
        took = _name_duration((last.committed_at - first.started_at).total_seconds())
        usage = sum((each.usage for each in of_turn), Usage())
        facts = _describe_usage(usage, cost=sum(each.cost for each in of_turn))
        text = f"turn {turn}  {_name_time(first.started_at, with_date=True)}  {first.event}, {took}, {facts}"
        yield Node(text, "turn", [_make_round(each) for each in of_turn])


def _make_round(each: RoundTrace) -> Node:
    waited = max((each.started_at - each.event_at).total_seconds(), 0.0)
    text = (
        f"round {each.round}  {_name_time(each.started_at)}  {each.event}, {_name_duration(each.duration_s)}, "
        f"{_name_duration(waited)} after its event, then {each.state}"
    )
    calls = [_make_model_call(call) for call in each.calls or ()]
    if each.calls is None:
        calls = [Node(f"model {escape_line(each.model)}  {_describe_usage(each.usage)} (times were not measured)")]
    return Node(text, "round", [*calls, *(_make_run(run) for run in each.code_runs)])


def _make_model_call(call: ModelCall) -> Node:
    parts = [_name_duration(call.duration_s)]
    if call.first_piece_s is not None:
        parts.append(f"first piece after {_name_duration(call.first_piece_s)}")
    usage = Usage(input_tokens=call.input_tokens, cached_tokens=call.cached_tokens, output_tokens=call.output_tokens)
    parts.append(_describe_usage(usage))
    if call.attempt > 1:
        parts.append(f"attempt {call.attempt}")
    status = "" if call.status == "ok" else f" {call.status}"
    text = f"model {_cut(call.model)}{status}  {_name_time(call.started_at)}  {', '.join(parts)}"
    return Node(text, "failed" if call.status == "failed" else "model")


def _make_run(run: CodeRun) -> Node:
    took = f"{_name_duration(run.duration_s)}, " if run.duration_s is not None else ""
    lines = [line for line in run.code.splitlines() if line.strip()] or [""]
    more = f" (and {len(lines) - 1} more lines)" if len(lines) > 1 else ""
    text = f"code {run.status}  {_name_time(run.started_at)}  {took}{_cut(lines[0])}{more}"
    kind = "failed" if run.status in ("error", "rejected", "interrupted") else "code"
    return Node(text, kind, [_make_host_call(call) for call in run.calls])


def _make_host_call(call: JsonObject) -> Node:
    if "more" in call:
        return Node(f"and {call['more']} more calls", "call")
    outcome = f" raised {_cut(str(call['error']))}" if call.get("error") is not None else ""
    if not outcome and call.get("result") not in (None, "None"):
        outcome = f" = {_cut(str(call['result']))}"
    duration = call.get("duration_s")
    took = f"  {_name_duration(float(duration))}" if isinstance(duration, int | float) else ""
    name = _cut(f"{call.get('contract')}.{call.get('method')}")
    return Node(f"call {name}({_cut(str(call.get('arguments', '')))}){outcome}{took}", "call")


def _make_open_runs(runs: Sequence[CodeRun]) -> list[Node]:
    if not runs:
        return []
    text = "not told of by any round: it goes on now, or its process died"
    return [Node(text, "turn", [_make_run(run) for run in runs])]


def _make_children(children: Sequence[Task]) -> list[Node]:
    if not children:
        return []
    lines = [Node(f"{escape_line(each.name)}  {each.state}, turns: {each.turn}") for each in children]
    return [Node("subtasks", "turn", lines)]


def _indent(node: Node, *, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{node.text}"
    for child in node.children:
        yield from _indent(child, depth=depth + 1)


def _write_trees(nodes: Sequence[Node]) -> None:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    def grow(node: Node) -> Tree:
        tree = Tree(Text(node.text, style=_STYLES.get(node.kind, "")), guide_style="dim")
        tree.children.extend(grow(child) for child in node.children)
        return tree

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for node in nodes:
        with console.capture() as captured:
            console.print(grow(node))
        write_out(captured.get())


def _describe_usage(usage: Usage, *, cost: float = 0.0) -> str:
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    paid = f", cost {cost:,.4g}" if cost else ""
    return f"tokens: {usage.input_tokens:,}{cached} read, {usage.output_tokens:,} written{paid}"


def _name_duration(seconds: float) -> str:
    if seconds < 0.1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"


def _name_time(moment: datetime, *, with_date: bool = False) -> str:
    local = moment.astimezone()
    clock = f"{local:%H:%M:%S}.{local.microsecond // 1000:03}"
    return f"{local:%Y-%m-%d} {clock}" if with_date else clock


def _cut(text: str) -> str:
    line = escape_line(text)
    return line if len(line) <= _MAX_CHARS else f"{line[:_MAX_CHARS]}…"
