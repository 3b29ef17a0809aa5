import gc
import inspect
import linecache
import sys
import threading
import time
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ghostos_container import Container
from ghostos_moss import Moss, PyContext, load_source, new_compiler
from ghostos_moss.errors import (
    ClosedError,
    CodeRaisedError,
    CompileError,
    LifecycleError,
    SourceNotFoundError,
    SourceSyntaxError,
)

ROBOT = """
    from __future__ import annotations
    from dataclasses import dataclass, field
    from pydantic import BaseModel
    from ghostos_moss import Moss as Parent

    @dataclass
    class Step:
        name: str
        parts: list[Step] = field(default_factory=list)

    class Plan(BaseModel):
        first: Step | None = None
        rest: list[Plan] = []

    class Moss(Parent):
        count: int = 0

        def double(self) -> int:
            return self.count * 2

    def helper():
        return 1 / 0
"""


def test_each_compile_executes_a_fresh_module_and_leaves_the_original_alone(write_module):
    name = write_module("things = []")
    original = __import__(name)
    with new_compiler().compile(name) as first, new_compiler().compile(name) as second:
        first.module().things.append(1)
        assert (second.module().things, original.things) == ([], [])
        assert sys.modules[name] is original


def test_the_module_keeps_file_and_package_under_a_private_registered_name(write_module):
    write_module("", name="parts.__init__")
    write_module("SIZE = 4", name="parts.sizes")
    name = write_module("from .sizes import SIZE", name="parts.robot")
    with new_compiler().compile(name) as runtime:
        module = runtime.module()
        assert module.__package__ == "parts"
        assert Path(module.__file__ or "").name == "robot.py"
        assert module.__name__ != name
        assert sys.modules[module.__name__] is module
        assert module.SIZE == 4
    assert module.__name__ not in sys.modules


def test_string_annotations_of_dataclasses_and_models_resolve(write_module):
    with new_compiler().compile(write_module(ROBOT)) as runtime:
        plan: Any = runtime.execute(code="def main(): return Plan(first=Step('a', [Step('b')]), rest=[Plan()])").returns
        assert plan.first.parts[0].name == "b"


def test_main_blocks_never_run(write_module):
    with new_compiler().compile(write_module("ran = False\nif __name__ == '__main__':\n    ran = True")) as runtime:
        assert runtime.module().ran is False


def test_a_module_without_moss_has_one_all_the_same(write_module):
    with new_compiler().compile(write_module("x = 1")) as runtime:
        assert runtime.moss_type() is Moss
        assert runtime.locals()["Moss"] is Moss
        assert runtime.locals()["moss"] is runtime.moss()


def test_moss_is_a_real_instance_of_the_users_class(write_module):
    with new_compiler().compile(write_module(ROBOT)) as runtime:
        assert isinstance(runtime.moss(), runtime.moss_type())
        assert issubclass(runtime.moss_type(), Moss)
        runtime.moss().count = 4
        assert runtime.moss().double() == 8


def test_a_variable_called_moss_is_an_error_that_says_so(write_module):
    with pytest.raises(CompileError, match="global variable `moss`"):
        new_compiler().compile(write_module("moss = 3"))


def test_a_foreign_class_called_moss_is_an_error(write_module):
    with pytest.raises(CompileError, match=r"not a subclass of ghostos_moss\.Moss"):
        new_compiler().compile(write_module("class Moss: pass"))


def test_a_body_that_raises_names_module_line_and_cause(write_module):
    name = write_module("x = 1\ny = x / 0\n")
    with pytest.raises(CompileError) as caught:
        new_compiler().compile(name)
    assert (caught.value.module, caught.value.line) == (name, 2)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_body_that_exits_does_not_end_the_process(write_module):
    with pytest.raises(CompileError, match=r"sys\.exit\(3\)"):
        new_compiler().compile(write_module("import sys\nsys.exit(3)"))


def test_a_failed_compile_leaves_no_module_and_closes_its_container(write_module):
    closed = []
    before = set(sys.modules)
    compiler = new_compiler()
    compiler.container().add_shutdown(lambda: closed.append(True))
    with pytest.raises(CompileError):
        compiler.compile(write_module("1 / 0"))
    assert closed == [True]
    assert not [name for name in set(sys.modules) - before if "__moss_" in name]


def test_source_errors_come_through(write_module):
    with pytest.raises(SourceNotFoundError):
        new_compiler().compile("no_such_module_anywhere")
    with pytest.raises(SourceSyntaxError):
        new_compiler().compile(write_module("def"))


def test_compile_none_runs_the_context_or_an_empty_module(write_module):
    name = write_module("x = 'file'")
    with new_compiler().compile(None) as runtime:
        assert runtime.dump_pycontext().module is None
    with new_compiler().join_context(PyContext(module=name)).compile(None) as runtime:
        assert runtime.module().x == "file"
    with new_compiler().join_context(PyContext(module=name, code="x = 'edited'")).compile(None) as runtime:
        assert runtime.module().x == "edited"
        assert Path(runtime.module().__file__ or "").stem == name
    with new_compiler().join_context(PyContext(code="x = 'alone'")).compile(None) as runtime:
        assert runtime.module().x == "alone"


def test_code_of_a_context_outlives_its_file():
    context = PyContext(module="a_module_that_is_gone", code="x = 'edited'")
    with new_compiler().join_context(context).compile(None) as runtime:
        assert runtime.module().x == "edited"


def test_with_a_context_the_argument_is_the_name_of_the_module(write_module):
    context = PyContext(module=write_module("x = 1"))
    with new_compiler().join_context(context).compile("a_name_that_is_free") as runtime:
        assert runtime.module().__name__ == "a_name_that_is_free"
    with new_compiler().join_context(context).compile("json") as runtime:
        assert runtime.module().__name__ != "json"
        assert sys.modules.get("json") is not runtime.module()


def test_locals_are_bound_before_the_body_runs_and_are_not_in_the_prompt(write_module):
    with new_compiler().with_locals(secret_number=-98765).compile(write_module("y = secret_number + 1")) as runtime:
        assert runtime.locals()["y"] == -98764
        assert runtime.execute(code="print(secret_number)").std_output == "-98765\n"
        assert "98765" not in runtime.prompter().dump_module_prompt()


def test_locals_cannot_take_the_compilers_names():
    with pytest.raises(ValueError, match="'moss' is bound by the compiler"):
        new_compiler().with_locals(moss=1)


def test_a_file_outside_the_path_compiles_and_imports_its_neighbours(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "neighbour_of_script.py").write_text("SIZE = 5")
    script = tmp_path / "my-script.py"
    script.write_text("from neighbour_of_script import SIZE")
    with new_compiler().with_source(load_source(str(script))).compile(None) as runtime:
        assert runtime.module().SIZE == 5
    sys.modules.pop("neighbour_of_script")


def test_a_compiler_compiles_once(write_module):
    compiler = new_compiler()
    compiler.compile(write_module("")).close()
    with pytest.raises(ClosedError, match="make a new one"):
        compiler.compile(None)


def test_the_compilers_container_is_a_child_and_closes_with_the_runtime(write_module):
    parent, closed = Container(), []
    compiler = new_compiler(parent).bind(str, "mine")
    compiler.container().add_shutdown(lambda: closed.append(True))
    runtime = compiler.compile(write_module(""))
    assert runtime.container().get(str) == "mine"
    assert not parent.bound(str)
    runtime.close()
    runtime.close()
    assert closed == [True]


def test_a_closed_runtime_says_so(write_module):
    runtime = new_compiler().compile(write_module(""))
    runtime.close()
    with pytest.raises(ClosedError):
        runtime.execute(code="1")
    with pytest.raises(ClosedError):
        runtime.moss()


def test_compile_hooks_run_in_order_and_may_do_nothing(write_module):
    name = write_module("""
        from ghostos_moss import Moss as Parent
        class Moss(Parent):
            size: int
            seen: list[str] = []
        def __moss_compile__(compiler):
            compiler.bind(int, 12)
        def __moss_compiled__(moss):
            moss.seen.append(f"size {moss.size}")
    """)
    with new_compiler().compile(name) as runtime:
        assert runtime.dump_pycontext().values == {"seen": ["size 12"]}
    with new_compiler().compile(write_module('def __moss_compile__(compiler: "Unknown"): ...')):
        pass


def test_a_hook_that_raises_is_named(write_module):
    with pytest.raises(LifecycleError, match="__moss_compile__: it raised ValueError: no"):
        new_compiler().compile(write_module("def __moss_compile__(compiler): raise ValueError('no')"))
    with pytest.raises(LifecycleError, match="return the compiler that it was given"):
        new_compiler().compile(write_module("def __moss_compile__(compiler): return 3"))
    with pytest.raises(LifecycleError, match="must be a function"):
        new_compiler().compile(write_module("__moss_compiled__ = 3"))
    for name in ("__moss_compile__", "__moss_compiled__"):
        with pytest.raises(LifecycleError, match=f"{name}: it is asynchronous.* write def"):
            new_compiler().compile(write_module(f"async def {name}(given): ..."))


def test_inspect_and_tracebacks_see_the_source_of_module_and_code(write_module):
    with new_compiler().compile(write_module(ROBOT)) as runtime:
        assert "return self.count * 2" in inspect.getsource(runtime.locals()["Moss"].double)
        runtime.execute(code="def added(): return 41 + 1")
        assert inspect.getsource(runtime.locals()["added"]) == "def added(): return 41 + 1\n"
        with pytest.raises(CodeRaisedError) as caught:
            runtime.execute(code="helper()")
        assert "return 1 / 0" in "".join(traceback.format_exception(caught.value))


def test_edited_code_has_its_own_lines_and_gives_them_back(write_module):
    contexts = [PyContext(code=f"def f():\n    return {number}\n") for number in (1, 2)]
    first, second = (new_compiler().join_context(context).compile(None) for context in contexts)
    with second:
        with first:
            assert "return 1" in inspect.getsource(first.module().f)
        assert "return 2" in inspect.getsource(second.module().f)
    assert not [name for name in linecache.cache if "__moss_" in name or name.startswith("<moss")]


def test_a_closed_runtime_is_collected(write_module):
    runtime = new_compiler().compile(write_module(ROBOT))
    runtime.execute(code="moss.count += 1")
    with pytest.raises(CodeRaisedError):
        runtime.execute(code="helper()")
    watched = [weakref.ref(runtime.locals()[name]) for name in ("Step", "Plan", "Moss")]
    runtime.close()
    del runtime
    gc.collect()
    assert [ref() for ref in watched] == [None, None, None]


def test_sixteen_threads_compile_and_execute_without_mixing(write_module):
    name = write_module(ROBOT)
    results: dict[int, set[tuple[object, str]]] = {}

    def work(number: int) -> None:
        with new_compiler().compile(name) as runtime:
            runtime.moss().count = number
            for _ in range(5):
                done = runtime.execute(code="def main(moss):\n    print(moss.count)\n    return moss.double()")
                results.setdefault(number, set()).add((done.returns, done.std_output))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: {(number * 2, f"{number}\n")} for number in range(16)}


def test_what_a_model_reads_about_a_failed_compile_has_no_folders_of_the_machine(write_module):
    with pytest.raises(CompileError) as caught:
        new_compiler().compile(write_module("open(__file__ + '/x')"))
    said = caught.value.describe_for_model()
    assert "importable" in str(caught.value)
    assert "importable" not in said
    assert "NotADirectoryError" in said


def test_code_parses_in_many_threads_while_the_collector_lets_others_in(write_module):
    """CPython's own conversion of trees keeps its depth in one place for all threads."""
    source = load_source(write_module("def double(number):\n    return 2 * number\n"))
    thresholds = gc.get_threshold()
    gc.set_threshold(50)
    gc.callbacks.append(_let_others_in)
    code = "\n".join(f"x{n} = [double(n) for n in range(3) if n > {n}]" for n in range(40))
    try:
        with ThreadPoolExecutor(8) as pool:
            runs = [pool.submit(_run_often, source, f"{code}\nprint({n})\n") for n in range(8)]
            assert [run.result() for run in runs] == [{f"{n}\n"} for n in range(8)]
    finally:
        gc.callbacks.remove(_let_others_in)
        gc.set_threshold(*thresholds)


def _let_others_in(_phase, _info):
    time.sleep(0)


def _run_often(source, code):
    with new_compiler().with_source(source).compile(None) as runtime:
        return {runtime.run(f"{code}# {n}").std_output for n in range(5)}


def test_a_prompt_level_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no prompt level 'nodocs': there is full, no_param_docs, no_docs, source"):
        new_compiler().with_prompt(level="nodocs")  # pyright: ignore[reportArgumentType]
