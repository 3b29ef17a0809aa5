"""Trying out an edited source in this process: a fresh compile of it, its prompt, and its tests."""

from traceback import walk_tb
from typing import Final, Protocol

from ghostos_moss._capture import Output, capture
from ghostos_moss._execution import Execution
from ghostos_moss._hidden import find_hidden_regions, is_hidden
from ghostos_moss._module_tests import run_module_tests
from ghostos_moss._redact import bounded, redact
from ghostos_moss._runtime import MossRuntime
from ghostos_moss.errors import MossError

__all__ = ["OpenTrial", "try_out_here"]

_TEST_TIMEOUT_S: Final = 30.0
_MAX_OUTPUT_CHARS: Final = 500


class OpenTrial(Protocol):
    """Compiles an edited source the way that the next round will."""

    def __call__(self, code: str, *, for_tests: bool) -> MossRuntime:
        """Compile it.

        Args:
            code: The source.
            for_tests: With its tests, and with the values that its `Moss` begins with; else with those of now.

        Raises:
            MossError: It cannot be compiled or injected.
        """
        ...


def try_out_here(code: str, *, open_trial: OpenTrial) -> tuple[str, ...]:
    """What is wrong with an edited source, for a model; empty when nothing is. What it prints is not shown.

    Args:
        code: The source. It parses.
        open_trial: Compiles it.
    """
    with capture(Output()):
        try:
            with open_trial(code, for_tests=False) as runtime:
                runtime.prompter().dump_module_prompt()
            if "test_" not in code:
                return ()
            results = run_module_tests(lambda: open_trial(code, for_tests=True), timeout_s=_TEST_TIMEOUT_S)
        except MossError as exc:
            return (exc.describe_for_model(),)
        except Exception as exc:  # noqa: BLE001 - of objects that the module injects, which may be anybody's
            return (redact(f"{type(exc).__name__}: {bounded(str(exc), _MAX_OUTPUT_CHARS)}"),)
    return tuple(_describe(name, execution, code) for name, execution in results.items() if execution.error is not None)


def _describe(name: str, execution: Execution, code: str) -> str:
    lines = [f"{name} failed: {execution.error}"]
    lines += [f"    {line}" for line in _own_lines(execution, code)[-1:]]
    if execution.std_output:
        lines.append(f"    it printed: {bounded(execution.std_output.strip(), _MAX_OUTPUT_CHARS)}")
    return "\n".join(lines)


def _own_lines(execution: Execution, code: str) -> list[str]:
    """The lines of the module that were running, outermost first; no hidden ones."""
    cause = execution.error.__cause__ if execution.error is not None else None
    numbers = [line for frame, line in walk_tb(cause and cause.__traceback__) if frame.f_code.co_filename == "<moss>"]
    lines = code.split("\n")
    regions = find_hidden_regions(code, filename="<moss>")
    return [lines[number - 1].strip() for number in numbers if not is_hidden(number, regions=regions)]
