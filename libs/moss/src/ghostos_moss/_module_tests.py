"""The tests of a module: which of its functions they are, and calling each in a compile of its own."""

import ast
from collections.abc import Callable
from dataclasses import replace
from types import CodeType, FunctionType
from typing import Final, TypeAlias

from ghostos_moss._execution import Execution
from ghostos_moss._runtime import MossRuntime
from ghostos_moss._source import ModuleSource, parse_source
from ghostos_moss.errors import CodeError

__all__ = ["OpenModule", "call_in_module", "run_module_tests", "source_with_tests", "with_tests"]

OpenModule: TypeAlias = Callable[[], MossRuntime]
"""Compiles the module afresh, from the code that `with_tests` gives."""

_MEMO_KEY: Final = "module_tests.source"


def run_module_tests(
    open_module: OpenModule,
    *,
    timeout_s: float | None,
    callback: Callable[[str, Execution], object] | None = None,
) -> dict[str, Execution]:
    """Call every test of a module, in the order of the file.

    Args:
        open_module: Called once to find them, and once for each.
        timeout_s: For each; None: no limit.
        callback: Called after each with its name and what it came to.

    Raises:
        MossError: The module could not be compiled.
    """
    with open_module() as runtime:
        names = runtime.locals()
        tests = [name for name, value in names.items() if name.startswith("test_") and _is_own(value, names)]
    results: dict[str, Execution] = {}
    for name in tests:
        results[name] = execution = call_in_module(
            open_module, lambda runtime, name=name: runtime.execute(name), timeout_s=timeout_s
        )
        if callback is not None:
            callback(name, execution)
    return results


def call_in_module(
    open_module: OpenModule, call: Callable[[MossRuntime], Execution], *, timeout_s: float | None
) -> Execution:
    """Execute something in a module compiled for it; code that fails is an `Execution` with its error.

    Raises:
        MossError: The module could not be compiled.
    """
    with open_module() as runtime:
        try:
            with runtime.deadline(timeout_s):
                return call(runtime)
        except CodeError as exc:
            return Execution(None, exc.std_output, runtime.dump_pycontext(), exc)


def with_tests(source: ModuleSource) -> CodeType:
    """The code of `source_with_tests`."""
    return source_with_tests(source).code


def source_with_tests(source: ModuleSource) -> ModuleSource:
    """The module with `__name__ == "__test__"` taken for true at its top level. Made once per version.

    Its text has the same lines, so that what is said about a line holds for both.
    """
    known = source.memo.get(_MEMO_KEY)
    if isinstance(known, ModuleSource):
        return known
    guards = [node.test for node in source.tree.body if isinstance(node, ast.If) and _is_test_guard(node.test)]
    if not guards:
        return source
    text = source.text
    for guard in reversed(guards):
        text = _replaced_by_true(text, guard)
    made = parse_source(text, name=source.name, filename=source.code.co_filename, package=source.package)
    source.memo[_MEMO_KEY] = made = replace(made, filename=source.filename)
    return made


def _is_own(value: object, names: dict[str, object]) -> bool:
    """Whether a function is the module's, also where a decorator of another one wraps it."""
    return isinstance(value, FunctionType) and value.__module__ == names.get("__name__")


def _replaced_by_true(text: str, expression: ast.expr) -> str:
    lines = text.split("\n")
    first, last = expression.lineno - 1, (expression.end_lineno or expression.lineno) - 1
    before = lines[first].encode()[: expression.col_offset].decode()
    after = lines[last].encode()[expression.end_col_offset :].decode()
    lines[first : last + 1] = [f"{before}True", *[""] * (last - first)]
    lines[last] += after
    return "\n".join(lines)


def _is_test_guard(test: ast.expr) -> bool:
    if not (isinstance(test, ast.Compare) and len(test.comparators) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__test__"]
