"""The tests of a module: which of its functions they are, and calling each in a compile of its own."""

import ast
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Final, TypeAlias

from ghostos_moss._execution import Execution
from ghostos_moss._runtime import MossRuntime
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import CodeError

__all__ = ["OpenModule", "call_in_module", "run_module_tests", "with_tests"]

OpenModule: TypeAlias = Callable[[], MossRuntime]
"""Compiles the module afresh, from the code that `with_tests` gives."""

_MEMO_KEY: Final = "module_tests.code"


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
    """The module's code with `__name__ == "__test__"` taken for true at its top level. Made once per version."""
    known = source.memo.get(_MEMO_KEY)
    if isinstance(known, CodeType):
        return known
    body = [
        _entered(node) if isinstance(node, ast.If) and _is_test_guard(node.test) else node for node in source.tree.body
    ]
    tree = ast.Module(body=body, type_ignores=[])
    code = compile(tree, source.code.co_filename, "exec", dont_inherit=True)
    source.memo[_MEMO_KEY] = code
    return code


def _is_own(value: object, names: dict[str, object]) -> bool:
    return isinstance(value, FunctionType) and value.__globals__ is names


def _entered(node: ast.If) -> ast.If:
    test = ast.copy_location(ast.Constant(value=True), node.test)
    return ast.copy_location(ast.If(test=test, body=node.body, orelse=node.orelse), node)


def _is_test_guard(test: ast.expr) -> bool:
    if not (isinstance(test, ast.Compare) and len(test.comparators) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__test__"]
