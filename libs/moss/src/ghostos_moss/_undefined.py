"""Names that code uses and nothing defines, found before it runs."""

import builtins
import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from ghostos_moss._code_facts import CodeFacts
from ghostos_moss._snippet import Snippet
from ghostos_moss._stored_names import StoredNames

__all__ = ["undefined_names"]

_BUILTINS = frozenset(dir(builtins)) | {"__annotations__", "__file__", "__name__", "__builtins__", "WindowsError"}


def undefined_names(
    snippet: Snippet,
    facts: CodeFacts,
    *,
    names: Mapping[str, object],
    stored: Callable[[], StoredNames],
    moss_names: Callable[[], frozenset[str]],
    shown: Callable[[], Mapping[str, str]],
) -> list[tuple[int, str]]:
    """Problems by line. What functions of the module may store is not one; that is only asked for where it matters.

    The facts answer for most code that all is well, ten times as fast as pyflakes, which is asked only when they
    do not. A name that the prompt shows without the module having it, `shown` with where it is from, is to be imported.
    """
    if facts.is_dynamic or not _may_be_undefined(facts, names):
        return []
    problems: dict[str, tuple[int, str]] = {}
    for name, place in _reads_of_undefined(snippet, facts, names):
        is_certain = place in facts.evaluated and not (place in facts.repeated and name in facts.top_bindings)
        if is_certain and name not in stored().names:
            origin = shown().get(name)
            known = f": import it: from {origin} import {name}" if origin else None
            hint = known or _suggest(name, facts, names, moss_names())
            problems.setdefault(name, (place[0], f"{name!r} is not defined{hint}"))
    return list(problems.values())


def _reads_of_undefined(
    snippet: Snippet, facts: CodeFacts, names: Mapping[str, object]
) -> Iterator[tuple[str, tuple[int, int]]]:
    from pyflakes import checker, messages  # noqa: PLC0415 - 15 ms, and most processes never get here

    for message in checker.Checker(snippet.tree, filename=snippet.filename, builtins={*names}).messages:
        if isinstance(message, messages.UndefinedName):
            yield str(message.message_args[0]), (message.lineno, message.col)
    if snippet.code.co_flags & inspect.CO_COROUTINE:  # pyflakes does not look behind an `await` at the top level
        yield from ((name, place) for name, place in facts.top_reads.items() if _is_unknown(name, facts, names))


def _is_unknown(name: str, facts: CodeFacts, names: Mapping[str, object]) -> bool:
    return name not in facts.bound and name not in names and name not in _BUILTINS


def _suggest(name: str, facts: CodeFacts, names: Mapping[str, object], moss_names: frozenset[str]) -> str:
    if name in moss_names:
        return f": did you mean moss.{name}?"
    meant = {entry: f"moss.{entry}" for entry in moss_names}
    meant |= {entry: entry for entry in (*_BUILTINS, *names, *facts.bound) if not entry.startswith("_")}
    meant.pop(name, None)
    close = get_close_matches(name, sorted(meant), n=1)
    return f": did you mean {meant[close[0]]}?" if close else ""


def _may_be_undefined(facts: CodeFacts, names: Mapping[str, object]) -> bool:
    for name, place in facts.top_reads.items():
        bound = facts.top_bindings.get(name)
        if (bound is None or place < bound) and name not in names and name not in _BUILTINS:
            return True
    return any(
        name not in facts.top_bindings and name not in names and name not in _BUILTINS for name in facts.looked_up
    )
