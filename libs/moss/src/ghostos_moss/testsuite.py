"""Tests of MOSS modules: their functions `test_*`, each called in a compile of its own."""

from collections.abc import Callable, Mapping, Sequence

from ghostos_container import Container
from ghostos_moss._compiler import MossCompiler
from ghostos_moss._execution import Execution
from ghostos_moss._module_tests import OpenModule, call_in_module, run_module_tests, source_with_tests, with_tests
from ghostos_moss._runtime import MossRuntime
from ghostos_moss._source import ModuleSource, load_source

__all__ = ["MossTestSuite", "MossTextSuite", "source_with_tests"]


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
        return call_in_module(
            self._opener(modulename),
            lambda runtime: runtime.execute(target, code, args=args, kwargs=kwargs),
            timeout_s=self._timeout_s,
        )

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
        return run_module_tests(self._opener(modulename), timeout_s=self._timeout_s, callback=callback)

    def dump_prompt(self, modulename: str) -> str:
        """What a model sees of a module."""
        with self._open(load_source(modulename)) as runtime:
            return runtime.prompter().dump_module_prompt()

    def _opener(self, modulename: str) -> OpenModule:
        """Compiles the version that the file has now, however often it is called."""
        source = load_source(modulename)
        return lambda: self._open(source)

    def _open(self, source: ModuleSource) -> MossRuntime:
        return MossCompiler(self._container).with_source(source).with_code(with_tests(source)).compile(None)


MossTextSuite = MossTestSuite
"""The name as the protocol's page prints it."""
