"""The snippets of the protocol's page, with its placeholders filled in."""

import sys
from types import ModuleType

import pytest

from ghostos_container import Container, Provider, provide
from ghostos_moss import Moss, MossCompiler, MossRuntime, PyContext, new_compiler
from ghostos_moss.testsuite import MossTextSuite

INT_VAL = """
    from abc import ABC
    from ghostos_moss import Moss as Parent


    class Foo(ABC):
        ...


    class Moss(Parent):
        int_val: int = 0

        foo: Foo  # the abstract class bound to Moss will automatically get injection from MossRuntime.container()
"""


def compiled(write_module, source: str = INT_VAL) -> MossRuntime:
    compiler = new_compiler()
    name = write_module(source)
    return compiler.injects(foo=object()).with_locals(foo="foo value", bar="bar value").compile(name)


def test_a_robot_is_driven_through_its_reflected_library(write_module):
    write_module(
        """
        from abc import ABC, abstractmethod
        from typing import Callable

        RollFunc = Callable[[int], None]

        class Move:
            def spin(self, angle: float, seconds: float): return (angle, seconds)

        class Ball(ABC):
            @abstractmethod
            def new_move(self, run: bool) -> Move: ...

        class LedMatrix(ABC):
            @abstractmethod
            def show(self) -> None: ...

        class Animation: ...
        """,
        name="bolt",
    )
    name = write_module('''
        from bolt import (
            RollFunc,
            Ball,
            Move,
            LedMatrix,
            Animation,
        )
        from ghostos_moss import Moss as Parent


        class Moss(Parent):
            body: Ball
            """your sphero ball body"""

            face: LedMatrix
            """you 8*8 led matrix face"""
    ''')
    bolt = sys.modules.get("bolt") or __import__("bolt")

    class RealBall(bolt.Ball):
        def new_move(self, run):
            spins.append(run)
            return bolt.Move()

    spins: list[bool] = []
    with (
        new_compiler()
        .bind(bolt.Ball, RealBall())
        .bind(bolt.LedMatrix, object())
        .injects(face=None)
        .compile(name) as runtime
    ):
        assert "your sphero ball body" in runtime.prompter().dump_module_prompt()
        runtime.execute(
            target="run",
            code="""
def run(moss: Moss):
    # body spin 360 degree in 1 second.
    moss.body.new_move(True).spin(360, 1)
""",
            local_args=["moss"],
        )
    assert spins == [True]
    del sys.modules["bolt"]


def test_a_compiler_is_fetched_from_a_container():
    container = Container()
    container.register(provide(MossCompiler, singleton=False)(MossCompiler))
    first, second = container.force_fetch(MossCompiler), container.force_fetch(MossCompiler)
    assert first is not second
    assert first.container() is not container


def test_things_are_bound_registered_and_made_local(write_module):
    compiler: MossCompiler = new_compiler()

    class Foo: ...

    f: Foo = Foo()
    some_provider: Provider[int] = provide(int)(lambda _: 3)
    compiler.bind(Foo, f)
    compiler.register(some_provider)
    attr_value = "local"
    compiler.with_locals(attr_name=attr_value)
    with compiler.compile(write_module("")) as runtime:
        assert runtime.container().get(Foo) is f
        assert runtime.container().get(int) == 3
        assert runtime.locals()["attr_name"] == "local"


def test_a_runtime_is_compiled_from_a_context(write_module):
    pycontext_instance: PyContext = PyContext(module=write_module("x = 1"))
    compiler = new_compiler()
    compiler.join_context(pycontext_instance)
    runtime = compiler.compile(None)
    module: ModuleType = runtime.module()
    assert module.x == 1
    runtime.close()


def test_the_prompter_gives_its_parts(write_module):
    with compiled(write_module) as runtime:
        prompter = runtime.prompter()
        prompt = prompter.dump_module_prompt()
        code = prompter.get_source_code()
        assert "int_val: int = 0" in code
        assert code.strip() in prompt
        for attr_name, attr_prompt in prompter.imported_attr_prompts():
            assert (type(attr_name), type(attr_prompt)) == (str, str)
        assert isinstance(prompter.dump_imported_prompt(), str)


def test_hidden_code_runs_and_hooks_without_a_body_leave_the_default(write_module):
    source = """
# <moss-hide>
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghostos_moss import AttrPrompts, MossPrompter


# The code defined here will execute normally but will not be submitted to the LLM.
def __moss_module_prompt__(prompter: "MossPrompter") -> str:
    ...

def __moss_attr_prompts__() -> "AttrPrompts":
    yield "key", "prompt"

# </moss-hide>
visible = 1
"""
    with new_compiler().compile(write_module(source)) as runtime:
        prompt = runtime.prompter().dump_module_prompt()
        assert "visible = 1" in prompt
        assert "moss_module_prompt" not in prompt
        assert dict(runtime.prompter().imported_attr_prompts()) == {"key": "prompt"}


def test_code_compiles_against_the_locals(write_module):
    with compiled(write_module) as runtime:
        pycontext = runtime.dump_pycontext()
        local_values = runtime.locals()
        generated_code: str = "moss.int_val = 5\ny = foo"
        filename = pycontext.module if pycontext.module is not None else "<MOSS>"
        compiled_code = compile(generated_code, filename=filename, mode="exec")
        exec(compiled_code, local_values)
        assert local_values["y"] == "foo value"
        assert runtime.dump_pycontext().values["int_val"] == 5


def test_code_with_a_main_function_is_executed(write_module):
    runtime = compiled(write_module)
    generated_code = "def main(a, b):\n    print(a)\n    return b"
    with runtime:
        result = runtime.execute(target="main", code=generated_code, local_args=["foo", "bar"])
        std_output = runtime.dump_std_output()
        pycontext = runtime.dump_pycontext()
    assert (result.returns, result.std_output, std_output) == ("bar value", "foo value\n", "foo value\n")
    assert result.pycontext == pycontext


def test_generated_code_changes_the_context(write_module):
    with compiled(write_module) as runtime:
        result = runtime.execute(code="def main(moss) -> int:\n    moss.int_val = 123\n    return moss.int_val\n")
        assert (result.returns, result.pycontext.values) == (123, {"int_val": 123})
    context = result.pycontext
    with new_compiler().join_context(context).injects(foo=1).compile(None) as later:
        assert later.moss().int_val == 123


def test_the_mistyped_name_of_the_page_is_told(write_module):
    with compiled(write_module) as runtime:
        runtime.execute(code="def main(moss) -> int:\n    moss.int_var = 123\n    return moss.int_var\n")
        assert "did you mean moss.int_val?" in runtime.take_notes()[0]


def test_moss_class_instance_and_injections_are_there(write_module):
    with compiled(write_module) as runtime:
        moss_class = runtime.moss_type()
        assert issubclass(moss_class, Moss)
        moss_instance = runtime.moss()
        assert isinstance(moss_instance, moss_class)
        injections = runtime.moss_injections()
        assert injections.keys() == {"foo"}


def test_the_page_names_lifecycle_and_testsuite():
    from ghostos_moss import lifecycle

    for name in (
        "__moss_compile__",
        "__moss_compiled__",
        "__moss_attr_prompts__",
        "__moss_module_prompt__",
        "__moss_exec__",
    ):
        assert name in lifecycle.__all__
        assert callable(getattr(lifecycle, name))
    assert MossTextSuite.__name__ == "MossTestSuite"


@pytest.mark.parametrize("name", ["Moss", "MossCompiler", "MossPrompter", "MossRuntime", "PyContext", "Injection"])
def test_the_page_imports_work(name):
    import ghostos_moss

    assert hasattr(ghostos_moss, name)
