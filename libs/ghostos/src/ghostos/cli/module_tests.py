"""`ghostos moss test`: the tests of a target's module, each with a module of its own, and its rehearsal."""

import keyword
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ghostos.cli.application import Application, get_settings, open_target
from ghostos.cli.ctrl_c import counting_ctrl_c
from ghostos.cli.failures import StoppedError
from ghostos.cli.options import Common
from ghostos.cli.streams import write_note, write_out
from ghostos.core.escaping import escape, escape_line
from ghostos.drivers.models.rehearsal_file import check_rehearsal, find_rehearsal
from ghostos.errors import TargetError
from ghostos.ghosts.module import open_module
from ghostos.libraries.flow import FlowRecord
from ghostos.libraries.openings import describe_openings
from ghostos.libraries.profiles import describe_profile, make_profile
from ghostos_moss import ModuleSession, ModuleSource, RunResult, load_source
from ghostos_moss.testsuite import source_with_tests

_FIND = """
import inspect

def takes_moss(function):
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and (first.name == "moss" or first.default is first.empty)

def run():
    return [
        [name, takes_moss(value)]
        for name, value in list(globals().items())
        if name.startswith("test_") and inspect.isfunction(value) and value.__module__ == __name__
    ]
"""

_CALL = """
__test_own_run__ = [globals()["run"]] if "run" in globals() else []

def run(moss):
    names = globals()
    del names["run"]
    names.update({{"run": own for own in names.pop("__test_own_run__")}})  # the test finds the module as it is

    def explain(error):
        import inspect, sys, traceback
        sys.last_value = error  # so that what it was refused is explained
        file = inspect.unwrap({name}).__code__.co_filename
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        return ["".join(traceback.format_exception_only(error)), lines[-1] if lines else 0]

    async def finish(begun):
        try:
            await begun
        except Exception as error:
            return explain(error)

    try:
        begun = {name}({argument})
    except Exception as error:
        return explain(error)
    return finish(begun) if hasattr(type(begun), "__await__") else None
"""


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    takes_moss: bool

    def to_code(self) -> str:
        """Code that calls it and returns what it raised, with the line of the module, or nothing."""
        return _CALL.format(name=self.name, argument="moss" if self.takes_moss else "")


def run_tests(target: str, *, common: Common, timeout_s: float | None) -> int:
    """Run the tests of a target's module and check the rehearsal beside it.

    Args:
        target: What the user pointed at.
        common: The shared options.
        timeout_s: Longest run of one test, seconds; None is the workspace's setting for code.

    Returns:
        The exit status: 1 when a test failed or the rehearsal is none.

    Raises:
        StoppedError: Ctrl-C was pressed. No further test ran.
    """
    with open_target(target, common=common) as app:
        limit_s = get_settings(app.container).settings.code.timeout_s if timeout_s is None else timeout_s
        source = source_with_tests(load_source(app.target.module))
        with _open(app, source) as session:
            profile = make_profile(app.container, module=app.target.module)
            write_note(escape_line(f"[no model | {describe_profile(profile)}]"))
            for line in describe_openings(app.container, module=app.target.module):
                write_note(escape_line(f"note: {line}"))
            tests = list(_read_tests(_run_code(session, _FIND, limit_s=limit_s)))
        failed = [test.name for test in tests if not _run(test, app=app, source=source, limit_s=limit_s)]
        has_problems = _check_rehearsal(app.target.name)
    counted = f"{len(tests)} test{'s' if len(tests) != 1 else ''}" if tests else "no tests (functions test_*)"
    write_out(f"{counted}, {len(failed)} failed\n" if failed else f"{counted}\n")
    return 1 if failed or has_problems else 0


def _run(test: _Test, *, app: Application, source: ModuleSource, limit_s: float) -> bool:
    """Run a test and print what it came to; whether it passed."""
    with _open(app, source) as session:
        result = _run_code(session, test.to_code(), limit_s=limit_s)
    if result.status == "ok" and result.returns is None:
        write_out(f"ok      {test.name}\n")
        return True
    write_out(f"failed  {test.name}\n")
    for line in _explain(result, source):
        write_out(f"        {escape(line)}\n")
    return False


def _run_code(session: ModuleSession, code: str, *, limit_s: float) -> RunResult:
    """Run code; a Ctrl-C ends more than that."""
    with counting_ctrl_c() as pressed:
        result = session.run(code, timeout_s=limit_s)
    if pressed:
        raise StoppedError("The tests were stopped.", advice="Run them again.")
    return result


def _explain(result: RunResult, source: ModuleSource) -> Iterator[str]:
    match result.returns:
        case [str() as text, int() as number]:
            yield from text.rstrip("\n").split("\n")
            lines = source.text.split("\n")
            if 0 < number <= len(lines):
                yield f"line {number}: {lines[number - 1].strip()}"
            yield from (f"note: {note}" for note in result.notes)
        case _:
            yield from (result.error or "it did not say how it ended").split("\n")
    if result.std_output:
        yield "it printed:"
        yield from (f"  {line}" for line in result.std_output.rstrip("\n").split("\n"))


def _read_tests(result: RunResult) -> Iterator[_Test]:
    """The tests that a module says it has, in the order of the file."""
    if not isinstance(result.returns, list):
        raise TargetError(
            f"The tests cannot be found: {result.error or 'the module does not say which it has'}",
            advice="Mend the file and run it again.",
        )
    for found in result.returns:
        match found:
            case [str() as name, bool() as takes_moss] if name.isidentifier() and not keyword.iskeyword(name):
                yield _Test(name, takes_moss)
            case _:
                continue


@contextmanager
def _open(app: Application, source: ModuleSource) -> Generator[ModuleSession]:
    session = open_module(app.target.module, source=source, container=app.container, flow=FlowRecord())
    try:
        yield session
    finally:
        session.close()


def _check_rehearsal(target: str) -> bool:
    """Print what is wrong with the rehearsal beside a target, if it has one; whether something is."""
    path = find_rehearsal(target)
    if path is None:
        return False
    problems = check_rehearsal(path)
    if not problems:
        write_out(f"ok      {escape_line(path.name)}\n")
    for problem in problems:
        write_out(f"failed  {escape_line(problem)}\n")
    return bool(problems)
