"""How many tokens a model is told: ten simple tools, and three realistic sets beside their compact OpenAI schemas.

A prompt says more than a schema: what each method returns, and the types that only come back. Beside the whole prompt
stands the part of it that says what the schema says.
"""

import importlib
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from benchmarks import cl100k
from benchmarks.moss.facts import find_facts, missing_facts
from benchmarks.moss.render import open_prompter, write_simple
from benchmarks.moss.schema import make_tools, render_tools

from ghostos.ghosts.moss_protocol import render_protocol
from ghostos_moss import load_source
from ghostos_moss._prompter import MossPrompter

SETS = (("robot", "Robot"), ("project", "Tracker"), ("crm", "Crm"))
SIMPLE_LIMIT, PROTOCOL_LIMIT, SET_LIMIT = 900, 350, 0.68


def main() -> None:
    """Print the tables."""
    protocol = cl100k.count(render_protocol("tags"))
    with tempfile.TemporaryDirectory() as folder:
        write_simple(Path(folder))
        sys.path.insert(0, folder)
        simple = cl100k.count(open_prompter(load_source(str(Path(folder, "simple.py")))).dump_module_prompt())
    print(
        f"ten simple tools: {protocol + simple} tokens (limit {SIMPLE_LIMIT}), the protocol {protocol} of them "
        f"(limit {PROTOCOL_LIMIT})"
    )
    print(
        f"{'set':<10}{'methods':>9}{'schema':>9}{'prompt':>9}{'ratio':>8}{'same facts':>12}{'ratio':>8}"
        f"   limit {SET_LIMIT}"
    )
    total, facts, missing = [0, 0, 0], 0, list[str]()
    for name, contract in SETS:
        kind = getattr(importlib.import_module(f"benchmarks.moss.sets.{name}"), contract)
        tools = make_tools(kind)
        prompt = render_set(name)
        facts += len(find_facts(tools, kind))
        missing += missing_facts(tools, kind, prompt)
        counts = [cl100k.count(render_tools(tools)), cl100k.count(prompt), cl100k.count(without_returns(prompt))]
        total = [one + other for one, other in zip(total, counts, strict=True)]
        _print_row(name, len(tools), counts)
    _print_row("all", 65, total)
    print(f"{facts} facts of the schemas and of what is returned, {len(missing)} of them not in the prompts")


def render_set(name: str, *, max_tokens: int | None = None) -> str:
    """The module prompt of a set's MOSS file."""
    module: ModuleType = importlib.import_module(f"benchmarks.moss.sets.{name}_agent")
    return MossPrompter(module, load_source(str(module.__file__)), max_tokens=max_tokens).dump_module_prompt()


def without_returns(prompt: str) -> str:
    """The prompt without what a schema does not say: return annotations, and the types that only they name."""
    head, _, reached = prompt.partition("(not imported)")
    text = re.sub(r" -> [^:\n]+:", ":", head)
    kept = [
        block for block in reached.split("\n\n") if (found := re.match(r"\s*class (\w+)", block)) and found[1] in text
    ]
    return "\n\n".join([text, *kept])


def _print_row(name: str, methods: int, counts: list[int]) -> None:
    schema, prompt, same = counts
    print(f"{name:<10}{methods:>9}{schema:>9}{prompt:>9}{prompt / schema:>8.2f}{same:>12}{same / schema:>8.2f}")


if __name__ == "__main__":
    main()
