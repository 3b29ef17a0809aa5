"""Tests of MOSS modules: their functions `test_*`, each called in a compile of its own."""

import ast
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Final

from ghostos_container import Container
from ghostos_moss._compiler import MossCompiler
from ghostos_moss._execution import Execution
from ghostos_moss._runtime import MossRuntime
from ghostos_moss._source import ModuleSource, load_source
from ghostos_moss.errors import CodeError

__all__ = ["MossTestSuite", "MossTextSuite"]

_MEMO_KEY: Final = "testsuite.code"


class MossTestSuite:
    """Runs code and tests in MOSS modules, with what a container injects.

    Functions under `if __name__ == "__test__":` exist here, and only here.

    Args:
        container: Asked for what the modules inject; None: their own `__moss_compile__` binds it all.
        timeout_s: For each call; None: no limit.
    """

    def __init__(self, container: Container | None = None, *, timeout_s: float | None = 30) -> None:
        self._container = container
        self._timeout_s = timeout_s

    def run(
        self,
        modulename: str,
        target: str,
        args: Sequence[object] | None = None,
        *,
        kwargs: Mapping[str, object] | None = None,
        code: str | None = None,
    ) -> Execution:
        """Call a function of a module, compiled for this call.

        Args:
            modulename: A dotted name, or the path of a file.
            target: Name of the function.
            args: Values; without any, a function that takes a parameter gets `moss`.
            kwargs: Values by parameter.
            code: Executed first, and where the target is looked for.

        Returns:
            What it came to; `error` is set when it raised, or ran out of time.

        Raises:
            MossError: The module could not be compiled.
        """
        with self._open(modulename) as runtime:
            try:
                with runtime.deadline(self._timeout_s):
                    return runtime.execute(target, code, args=args, kwargs=kwargs)
            except CodeError as exc:
                return Execution(None, exc.std_output, runtime.dump_pycontext(), exc)

    def run_module_tests(
        self, modulename: str, callback: Callable[[str, Execution], object] | None = None
    ) -> dict[str, Execution]:
        """Call every test of a module, in the order of the file.

        Args:
            modulename: A dotted name, or the path of a file.
            callback: Called after each test with its name and what it came to.

        Returns:
            The same, by name.

        Raises:
            MossError: The module could not be compiled.
        """
        with self._open(modulename) as runtime:
            names = runtime.locals()
            tests = [name for name, value in names.items() if name.startswith("test_") and _is_own(value, names)]
        results: dict[str, Execution] = {}
        for name in tests:
            results[name] = execution = self.run(modulename, name)
            if callback is not None:
                callback(name, execution)
        return results

    def dump_prompt(self, modulename: str) -> str:
        """What a model sees of a module."""
        with self._open(modulename) as runtime:
            return runtime.prompter().dump_module_prompt()

    def _open(self, modulename: str) -> MossRuntime:
        source = load_source(modulename)
        return MossCompiler(self._container).with_source(source).with_code(_test_code(source)).compile(None)


MossTextSuite = MossTestSuite
"""The name as the protocol's page prints it."""


def _is_own(value: object, names: dict[str, object]) -> bool:
    return isinstance(value, FunctionType) and value.__globals__ is names


def _test_code(source: ModuleSource) -> CodeType:
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
