import asyncio
import contextvars
import threading
import time

import pytest

from ghostos_moss import Moss, PyContext, new_compiler
from ghostos_moss.errors import CodeInterruptedError, CodeRaisedError, CodeRejectedError

SHOP = """
    from dataclasses import dataclass, field
    from ghostos_moss import Moss as Parent

    RATE = 2
    prices = {"tea": 3}

    @dataclass
    class Plan:
        steps: list[str] = field(default_factory=list)

    class Moss(Parent):
        count: int = 0
        plan: Plan = Plan()
        log: list[str] = []

    def double(number):
        return number * RATE

    def main(moss):
        return "the module's main"

    def fail(message):
        raise ValueError(message)
"""


@pytest.fixture
def runtime(write_module):
    with new_compiler().with_locals(foo="local foo", bar=2).compile(write_module(SHOP)) as runtime:
        yield runtime


def raised(runtime, code: str, **arguments) -> CodeRaisedError:
    with pytest.raises(CodeRaisedError) as caught:
        runtime.execute(code=code, **arguments)
    return caught.value


# The two forms of code, and how the target is called


def test_statements_run_and_return_nothing(runtime):
    done = runtime.execute(code="x = double(4)\nprint(x)")
    assert (done.returns, done.std_output, done.error) == (None, "8\n", None)


def test_code_that_defines_the_target_has_it_called(runtime):
    assert runtime.execute(target="go", code="def go(): return double(5)").returns == 10


def test_without_code_the_target_is_the_modules(runtime):
    assert runtime.execute().returns == "the module's main"
    assert runtime.execute("double", args=[4]).returns == 8


def test_statements_do_not_call_the_target_of_the_module(runtime):
    assert runtime.execute(target="main", code="x = 1").returns is None


def test_local_arguments_are_names_and_arguments_are_values(runtime):
    code = "def main(*args, **kwargs): return args, kwargs"
    done = runtime.execute(
        target="main", code=code, local_args=["foo"], local_kwargs={"b": "bar"}, args=["value"], kwargs={"c": "bar"}
    )
    assert done.returns == (("local foo", "value"), {"b": 2, "c": "bar"})
    assert runtime.execute(code="def main(m): return m", local_args=["moss"]).returns is runtime.moss()


def test_a_target_that_takes_a_parameter_gets_moss_by_default(runtime):
    assert runtime.execute(code="def main(m): return m").returns is runtime.moss()
    assert runtime.execute(code="def main(): return 1").returns == 1
    assert runtime.execute(code="def main(a=1): return a").returns == 1
    assert runtime.execute(code="main = lambda moss=None: moss").returns is runtime.moss()


def test_missing_targets_and_locals_suggest_what_may_be_meant(runtime):
    with pytest.raises(CodeRejectedError, match="no function 'doubel': did you mean double"):
        runtime.execute("doubel")
    with pytest.raises(CodeRejectedError, match="'RATE' is not a function: it is of type int"):
        runtime.execute("RATE")
    with pytest.raises(CodeRejectedError, match="no local value 'fooo': did you mean 'foo'"):
        runtime.execute(code="def main(x): ...", local_args=["fooo"])


def test_code_that_calls_its_own_target_is_not_called_again(runtime):
    code = "def main(moss):\n    moss.count += 1\nmain(moss)"
    assert runtime.execute(code=code).pycontext.values["count"] == 1
    guarded = "def main(moss):\n    moss.count += 1\nif __name__ == '__main__':\n    main(moss)"
    assert runtime.execute(code=guarded).pycontext.values["count"] == 2


def test_run_prefers_run_to_main(runtime):
    assert runtime.run("def main(moss): return 'main'").returns == "main"
    assert runtime.run("def main(moss): return 'main'\ndef run(moss): return 'run'").returns == "run"
    assert runtime.run("1").returns is None


def test_generators_are_run_to_their_end(runtime):
    assert runtime.run("def run(moss):\n    yield 1\n    yield 2").returns == [1, 2]
    assert runtime.run("async def run(moss):\n    yield 1\n    yield 2").returns == [1, 2]


# Asynchronous code


ASYNC = "import asyncio\nasync def run(moss):\n    await asyncio.sleep(0)\n    print('in loop')\n    return moss.count"


def test_async_targets_run_to_completion(runtime):
    done = runtime.run(ASYNC)
    assert (done.returns, done.std_output) == (0, "in loop\n")


async def test_async_targets_run_where_a_loop_is_running_already(runtime):
    done = runtime.run(ASYNC)
    assert (done.returns, done.std_output) == (0, "in loop\n")
    await asyncio.sleep(0)


async def test_a_deadline_reaches_the_loop_in_its_own_thread(runtime):
    with runtime.deadline(0.05), pytest.raises(CodeInterruptedError):
        runtime.run("import asyncio\nasync def run(moss): await asyncio.sleep(60)")
    with runtime.deadline(0.05), pytest.raises(CodeInterruptedError):
        runtime.run("async def run(moss):\n    while True: pass")


def test_await_may_stand_at_the_top_level(runtime):
    assert runtime.run("import asyncio\nx = await asyncio.sleep(0, 3)\nprint(x)").std_output == "3\n"


def test_async_code_that_raises_shows_its_line(runtime):
    error = raised(runtime, "async def main(moss):\n    fail('later')\n")
    assert "line 2, in main: fail('later')" in error.describe_for_model()


# One transaction


@pytest.mark.parametrize(
    "code",
    [
        "sorted(main for main in (3, 1))",
        "class A:\n    def main(self): return 1",
    ],
)
def test_a_name_that_the_code_binds_elsewhere_is_not_its_target(runtime, code):
    assert runtime.execute(code=code).returns is None


def test_definitions_last_as_long_as_the_runtime_and_no_longer(runtime, write_module):
    runtime.execute(code="def triple(x): return 3 * x\nRATE = 5")
    assert runtime.execute(code="def main(): return triple(1), double(1)").returns == (3, 5)
    with new_compiler().join_context(runtime.dump_pycontext()).compile(None) as later:
        assert "triple" not in later.locals()
        assert later.locals()["RATE"] == 2


def test_a_failure_leaves_values_and_names_as_they_were(runtime):
    runtime.execute(code="moss.plan.steps.append('kept')\nmoss.extra = 1")
    before = runtime.dump_pycontext()
    plan = runtime.moss().plan
    code = """
moss.count = 9
moss.plan.steps.append("lost")
moss.log = None
moss.fresh = 1
del moss.extra
RATE = 99
del double
def new(): ...
fail("now")
"""
    raised(runtime, code)
    assert runtime.dump_pycontext() == before
    assert (runtime.locals()["RATE"], "new" in runtime.locals(), runtime.locals()["double"](1)) == (2, False, 2)
    assert runtime.moss().plan.steps == ["kept"]
    assert runtime.moss().extra == 1
    assert type(runtime.moss().plan) is type(plan)


def test_values_that_did_not_change_stay_the_same_objects(runtime):
    runtime.execute(code="moss.log.append('x')")
    plan, log = runtime.moss().plan, runtime.moss().log
    raised(runtime, "moss.log.append('y')\nfail('')")
    assert runtime.moss().plan is plan
    assert runtime.moss().log == ["x"]
    assert runtime.moss().log is not log


def test_what_the_host_changed_between_runs_is_not_rolled_back(runtime):
    moss = runtime.moss()
    runtime.execute(code="moss.count = 1")
    moss.count = 5
    raised(runtime, "moss.count = 9\nfail('')")
    assert moss.count == 5


def test_a_value_that_cannot_be_stored_survives_a_rollback(runtime):
    runtime.execute(code="moss.callback = print")
    raised(runtime, "moss.callback = None\nfail('')")
    assert runtime.moss().callback is print


# What goes wrong


def test_the_error_shows_lines_of_its_code_and_names_of_the_module(runtime):
    error = raised(
        runtime, "def main(moss):\n    print('so far')\n    return helper()\n\ndef helper():\n    fail('no tea')\n"
    )
    assert error.std_output == "so far\n"
    assert isinstance(error.__cause__, ValueError)
    assert error.describe_for_model().splitlines() == [
        "ValueError: no tea",
        "  line 3, in main: return helper()",
        "  line 6, in helper: fail('no tea')",
        "  in fail of the module",
        "The values of moss were not saved: they are as before this code ran.",
    ]


def test_the_error_names_no_paths_and_no_keys_but_those_the_code_wrote(runtime):
    error = raised(runtime, "fail('/etc/shop/secret.txt sk-abcdefghijklmnop ' + __file__)")
    text = error.describe_for_model()
    assert "/etc/shop/secret.txt" in text  # the code wrote it itself
    assert "sk-abcdefghijklmnop" not in text.splitlines()[0]
    assert "importable" not in text
    assert "__moss_" not in text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys\nsys.exit(3)", "SystemExit: the code called exit(3): it cannot end the program"),
        ("exit()", "SystemExit"),
        ("input('name? ')", "EOFError: there is nobody at a keyboard"),
        ("import sys\nsys.stdin.readline()", "EOFError"),
        ("def f(): f()\nf()", "RecursionError"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise BaseException('odd')", "BaseException: odd"),
        ("moss.log.appendd(1)", "did you mean 'append'?"),
        ("eval('1 +')", "SyntaxError"),
        ("raise ExceptionGroup('two', [ValueError('a'), KeyError('b')])", "- KeyError: 'b'"),
        (
            "try:\n    fail('inner')\nexcept ValueError as e:\n    raise OSError('outer') from e",
            "caused by ValueError: inner",
        ),
        ("e = ValueError('x')\ne.add_note('look here')\nraise e", "look here"),
        (
            "class E(Exception):\n    def __str__(self): raise OSError\nraise E",
            "its message cannot be shown: str() raised OSError",
        ),
        ("raise ValueError('x' * 10**6)", "characters left out"),
        ("raise ValueError('\\ud800')", "\\ud800"),
        ("class E(Exception):\n    __notes__ = 3\nraise E('n')", "E: n"),
    ],
)
def test_whatever_code_raises_becomes_an_error_that_a_model_can_read(runtime, code, said):
    error = raised(runtime, code)
    text = error.describe_for_model()
    assert said in text
    assert len(text) < 5000
    text.encode()
    assert runtime.run("print('alive')").std_output == "alive\n"


def test_a_deep_recursion_is_one_line(runtime):
    text = raised(runtime, "def f(): f()\nf()").describe_for_model()
    assert text.count("line 1, in f") == 1
    assert "times)" in text


def test_keyboard_interrupt_stops_the_code_and_is_kept_as_the_cause(runtime):
    with pytest.raises(CodeInterruptedError) as caught:
        runtime.execute(code="moss.count = 3\nraise KeyboardInterrupt")
    assert isinstance(caught.value.__cause__, KeyboardInterrupt)
    assert runtime.moss().count == 0


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "while True:\n    try:\n        len('')\n    except: pass",
        "def run(moss):\n    while True:\n        try: len('')\n        except (OSError, BaseException): pass",
        "import time\nwhile True: time.sleep(0.01)",
        "import asyncio\nawait asyncio.sleep(60)",
        "async def run(moss):\n    while True: pass",
        "import re\ndef run(moss):\n    for i in iter(int, 1): yield i",
    ],
)
def test_a_deadline_stops_code_and_rolls_it_back(runtime, code):
    threads = threading.active_count()
    with runtime.deadline(0.05), pytest.raises(CodeInterruptedError, match=r"ran longer than 0\.05 s"):
        runtime.run("moss.count = 7\n" + code)
    assert runtime.moss().count == 0
    assert threading.active_count() == threads
    assert runtime.run("print('alive')").std_output == "alive\n"


def test_interrupt_reaches_code_in_another_thread_and_nothing_else(runtime):
    started = threading.Event()
    outcome: list[object] = []

    def work() -> None:
        try:
            runtime.execute(code="started.set()\nwhile True: pass")
        except CodeInterruptedError as exc:
            outcome.append(exc.reason)
        outcome.append(sum(range(1000)))  # the thread goes on

    runtime.locals()["started"] = started
    runtime.interrupt()  # nothing in progress: nothing happens
    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    runtime.interrupt("the user pressed stop")
    thread.join(timeout=30)
    assert outcome == ["the user pressed stop", 499500]


def test_a_run_that_ends_at_the_moment_it_is_interrupted_leaves_its_thread_alone(runtime):
    for _ in range(60):
        with runtime.deadline(0.001):
            try:
                runtime.execute(code="for i in range(20000): pass")
            except CodeInterruptedError:
                continue
    for _ in range(1000):
        time.sleep(0)


# Lifecycle


def test_moss_exec_may_change_the_code_or_leave_it_to_the_default(write_module):
    name = write_module("""
        from ghostos_moss import lifecycle
        def __moss_exec__(runtime, *, target, code, **arguments):
            if code is None:
                return None
            return lifecycle.__moss_exec__(runtime, target=target, code=code.replace("€", "1"), **arguments)
        def main():
            return "default"
    """)
    with new_compiler().compile(name) as runtime:
        assert runtime.execute().returns == "default"
        assert runtime.execute(code="def main(): return € + €").returns == 2
        with pytest.raises(CodeRejectedError):
            runtime.execute(code="def main(: ")


def test_the_execution_has_output_and_context_whoever_ran_it(write_module):
    name = write_module("""
        from ghostos_moss import Execution
        def __moss_exec__(runtime, **arguments):
            runtime.moss().x = 1
            print("mine")
            return Execution("returned", "", runtime.dump_pycontext())
    """)
    with new_compiler().compile(name) as runtime:
        done = runtime.execute(code="anything goes")
        assert (done.returns, done.std_output, done.pycontext.values) == ("returned", "mine\n", {"x": 1})


def test_describe_is_there_for_the_model_and_not_stored(runtime):
    done = runtime.execute(code="print(moss.describe('Plan'))")
    assert "class Plan" in done.std_output
    assert "describe" not in done.pycontext.values


def test_the_context_variables_of_the_caller_are_seen(runtime):
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(3)
    runtime.locals()["variable"] = variable
    assert runtime.execute(code="def main(): return variable.get()").returns == 3
    assert runtime.run("async def run(moss): return variable.get()").returns == 3


def test_a_moss_of_no_module_can_be_used_in_tests():
    moss = Moss()
    moss.x = 1
    assert "belongs to no module" in moss.describe("x")
    assert PyContext().values == {}
