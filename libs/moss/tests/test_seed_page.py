"""The code blocks of the protocol's page run as printed, with its placeholders filled in."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from ghostos_container import Container, provide
from ghostos_moss import Moss, MossCompiler, MossRuntime, PyContext, lifecycle, new_compiler
from ghostos_moss.errors import ClosedError

from .seed_page import block, proves, run_block

ROBOT = "from ghostos.prototypes.spherogpt.bolt import"
RUN = "moss.body.new_move(True)"
HIDDEN = "# <moss-hide> from typing"
VALUES = "class Foo(ABC): ... class Moss(Parent)"
MAIN = "def main(moss) -> int:"

BOLT = '''
    """Drives a ball."""
    from abc import ABC, abstractmethod
    from typing import Callable

    RollFunc = Callable[[int], None]

    class Move:
        """A sequence of movements."""
        def spin(self, angle: float, seconds: float) -> None:
            """Turn on the spot."""
            spins.append((angle, seconds))

    class Ball(ABC):
        @abstractmethod
        def new_move(self, run: bool) -> Move:
            """A new movement, run at once or not."""

    class LedMatrix(ABC):
        @abstractmethod
        def show(self, picture: str) -> None:
            """Light it up."""

    class Animation:
        """Pictures over time."""

    spins = []

    class RealBall(Ball):
        def new_move(self, run):
            moves.append(run)
            return Move()

    class RealLedMatrix(LedMatrix):
        def show(self, picture): pictures.append(picture)

    moves, pictures = [], []
'''


@pytest.fixture
def bolt(write_module: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The library that the page drives a ball with, under its name, without the ball."""
    write_module(BOLT, name="spherogpt.bolt")
    name = "ghostos.prototypes.spherogpt.bolt"
    path = Path(sys.path[0]) / "spherogpt" / "bolt.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    for parent in ("ghostos", "ghostos.prototypes", "ghostos.prototypes.spherogpt"):
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def robot(bolt: ModuleType, write_module: Callable[..., str]) -> MossRuntime:
    """The page's file, with a ball and a matrix of lamps."""
    compiler = new_compiler().bind(bolt.Ball, bolt.RealBall()).bind(bolt.LedMatrix, bolt.RealLedMatrix())
    return compiler.compile(write_module(block(ROBOT)))


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> Container:
    """What `ghostos.bootstrap.get_container` gives: the real one has a test in ghostos, which may not be installed."""
    container = Container()
    container.register(provide(MossCompiler, singleton=False)(MossCompiler))
    module = ModuleType("ghostos.bootstrap")
    vars(module)["get_container"] = lambda: container
    monkeypatch.setitem(sys.modules, "ghostos", ModuleType("ghostos"))
    monkeypatch.setitem(sys.modules, "ghostos.bootstrap", module)
    return container


def values_runtime(write_module: Callable[..., str], source: str = "", **injections: object) -> MossRuntime:
    compiler = new_compiler().injects(foo=object(), **injections).with_locals(foo="foo value", bar="bar value")
    return compiler.compile(write_module(block(VALUES) + source))


@proves(
    ROBOT,
    RUN,
    "This piece of code defines a Python context for controlling Sphero Bolt.",
    "The MossRuntime will compile this function into the current module and then execute the run function within it.",
)
def test_the_robot_is_driven_by_the_function_of_the_page(robot, bolt):
    with robot as runtime:
        assert runtime.locals()["Move"] is bolt.Move
        runtime.execute(target="run", code=block(RUN), local_args=["moss"])
        assert (bolt.moves, bolt.spins) == ([True], [(360, 1)])
        assert runtime.locals()["run"].__globals__ is runtime.locals()
        assert runtime.locals()["run"].__module__ == runtime.module().__name__


@proves("can see that the behavior of SpheroBolt can be driven through moss.body or moss.face")
def test_the_prompt_shows_the_attributes_and_both_can_be_driven(robot, bolt):
    with robot as runtime:
        prompt = runtime.prompter().dump_module_prompt()
        assert 'body: Ball\n    """your sphero ball body"""' in prompt
        assert 'face: LedMatrix\n    """you 8*8 led matrix face"""' in prompt
        runtime.execute(code="moss.body.new_move(run=False)\nmoss.face.show('smile')")
        assert (bolt.moves, bolt.pictures) == ([False], ["smile"])


@proves("The referenced libraries such as RollFunc, Ball, and Move in the code are automatically reflected as Prompts")
def test_referenced_libraries_are_reflected_beside_the_source(robot):
    with robot as runtime:
        prompt = runtime.prompter().dump_module_prompt()
        for said in (
            "RollFunc = Callable[[int], None]",
            "class Ball(ABC):",
            "def new_move(self, run: bool) -> Move:",
            '"""A new movement, run at once or not."""',
            "def spin(self, angle: float, seconds: float) -> None:",
        ):
            assert said in prompt
        assert block(ROBOT).strip() in prompt
        assert "spins.append" not in prompt


@proves(
    "import MossCompiler compiler = get_container().force_fetch(MossCompiler)",
    "MossCompiler registered into IoC Container.",
)
def test_a_compiler_is_fetched_from_the_container(bootstrap):
    first, second = (run_block("import MossCompiler compiler = get_container()")["compiler"] for _ in range(2))
    assert isinstance(first, MossCompiler)
    assert first is not second
    assert first.container() is not second.container()
    bootstrap.set(int, 5)
    assert first.container().get(int) == 5


@proves("from ghostos_container import Provider")
def test_things_are_bound_registered_and_made_local(write_module):
    compiler, foo, value = new_compiler(), object(), object()
    names = run_block(
        "from ghostos_container import Provider",
        compiler=compiler,
        f=foo,
        some_provider=provide(int)(lambda _: 3),
        attr_value=value,
    )
    with compiler.compile(write_module("seen = attr_name")) as runtime:
        assert runtime.container().get(names["Foo"]) is foo
        assert runtime.container().get(int) == 3
        assert runtime.locals()["attr_name"] is runtime.module().seen is value


@proves("import MossCompiler, PyContext pycontext_instance")
def test_a_runtime_is_compiled_from_a_context(write_module, bootstrap):
    context = PyContext(module=write_module("x = 1"), values={"stored": [1]})
    names = run_block("import MossCompiler, PyContext pycontext_instance", pycontext_instance=context)
    with names["runtime"] as runtime:
        assert (runtime.module().x, runtime.moss().stored) == (1, [1])


@proves("module: ModuleType = runtime.module()")
def test_the_compiled_module_is_had(write_module):
    with new_compiler().compile(write_module("x = [1]")) as runtime:
        module = run_block("module: ModuleType = runtime.module()", runtime=runtime)["module"]
        assert isinstance(module, ModuleType)
        module.x.append(2)
        assert runtime.execute(code="print(x)").std_output == "[1, 2]\n"


@proves("prompter = runtime.prompter()")
def test_the_prompter_gives_the_whole_and_its_parts(write_module, capsys):
    library = write_module("def roll(speed: int): ...\nclass Ball:\n    def stop(self): ...\n")
    name = write_module(f"from {library} import Ball, roll\nx = 1\n")
    runtime = new_compiler().compile(name)
    names = run_block("prompter = runtime.prompter()", runtime=runtime)
    printed = capsys.readouterr().out
    assert names["code"].strip().endswith("x = 1")
    assert names["code"].strip() in names["prompt"]
    assert names["attr_prompt"] in names["prompt"]
    assert "class Ball" in names["attr_prompt"]
    for start in ("Ball class Ball", "roll def roll("):
        assert f"\n{start}" in f"\n{printed}"
    with pytest.raises(ClosedError):
        runtime.moss()


@proves(HIDDEN, "If you want to hide a portion of the code, you can use the # <moss-hide> marker.")
def test_hidden_code_runs_unseen_and_a_hook_without_a_body_leaves_the_default(write_module):
    source = f"before = 1\n{block(HIDDEN)}\nafter = callable(__moss_module_prompt__)\n"
    with new_compiler().compile(write_module(source)) as runtime:
        prompt = runtime.prompter().dump_module_prompt()
        assert runtime.module().after is True
        for visible in ("before = 1", "after = callable"):
            assert visible in prompt
        for unseen in ("def __moss_module_prompt__", "moss-hide", "TYPE_CHECKING", "MossPrompter", "submitted"):
            assert unseen not in prompt


@proves(
    'yield "key", "prompt"',
    "it will use the provided results to override the automatically reflected results",
)
def test_the_prompts_of_the_hook_override_what_is_reflected(write_module):
    library = write_module("def roll(speed: int): ...\ndef stop(): ...\n")
    imports = f"from {library} import roll as key, stop\n"
    with new_compiler().compile(write_module(imports)) as runtime:
        assert "def roll(" in dict(runtime.prompter().imported_attr_prompts())["key"]
    with new_compiler().compile(write_module(imports + block('yield "key", "prompt"'))) as runtime:
        prompts = dict(runtime.prompter().imported_attr_prompts())
        assert prompts["key"] == "prompt"
        assert "def stop(" in prompts["stop"]
        assert "def roll(" not in runtime.prompter().dump_module_prompt()


@proves("compiled = compile(generated_code, filename=filename, mode='exec')")
def test_code_compiles_against_the_locals(write_module):
    with values_runtime(write_module) as runtime:
        names = run_block(
            "compiled = compile(generated_code, filename=filename, mode='exec')",
            runtime=runtime,
            generated_code="moss.int_val = 5\ny = foo",
        )
        assert names["filename"] == names["pycontext"].module
        assert runtime.locals()["y"] == "foo value"
        assert runtime.dump_pycontext().values["int_val"] == 5
    with new_compiler().compile(None) as runtime:
        fragment = "compiled = compile(generated_code, filename=filename, mode='exec')"
        assert run_block(fragment, runtime=runtime, generated_code="")["filename"] == "<MOSS>"


@proves(
    'result = runtime.execute(target="main"',
    "We can request that the code generated by the Large Language Model be a main function.",
    "After MossRuntime compiles the code, we can immediately execute this function.",
)
def test_code_with_a_main_function_is_executed(write_module):
    code = "def main(a, b):\n    print(a)\n    moss.int_val += 1\n    return b"
    fragment = 'result = runtime.execute(target="main"'
    names = run_block(fragment, runtime=values_runtime(write_module), generated_code=code)
    result = names["result"]
    assert (result.returns, result.std_output, names["std_output"]) == ("bar value", "foo value\n", "foo value\n")
    assert names["pycontext"] == result.pycontext
    assert names["pycontext"].values == {"int_val": 1}


LOGGING = """
from ghostos_moss import Execution
log = []

def __moss_compile__(compiler): log.append("__moss_compile__")
def __moss_compiled__(moss): log.append("__moss_compiled__")
def __moss_attr_prompts__():
    log.append("__moss_attr_prompts__")
    return []
def __moss_module_prompt__(prompter):
    prompter.dump_imported_prompt()
    log.append("__moss_module_prompt__")
def __moss_exec__(runtime, **arguments): log.append("__moss_exec__")
"""


@proves(
    "'__moss_compile__', # prepare moss compiler, handle dependencies register",
    "MossRuntime, during its lifecycle, attempts to locate and execute magic methods within the compiled modules.",
)
def test_the_named_lifecycle_functions_are_located_and_called_in_turn(write_module):
    named = run_block("'__moss_compile__', # prepare moss compiler")["__all__"]
    with new_compiler().compile(write_module(LOGGING)) as runtime:
        runtime.prompter().dump_module_prompt()
        runtime.execute(code="x = 1")
        assert list(dict.fromkeys(runtime.module().log)) == named
        assert runtime.module().x == 1
    with new_compiler().compile(write_module("")) as runtime:  # none is needed
        assert runtime.execute(code="x = 1").error is None


@proves("All magic methods are defined in ghostos_moss.lifecycle.", "For details, please refer to the file.")
def test_lifecycle_defines_each_with_its_default_and_its_description(write_module):
    named = run_block("'__moss_compile__', # prepare moss compiler")["__all__"]
    assert set(named) < set(lifecycle.__all__)
    for name in named:
        assert getattr(lifecycle, name).__doc__
    with new_compiler().compile(write_module("def main(): return 3")) as runtime:
        arguments = {"local_args": None, "local_kwargs": None, "args": None, "kwargs": None}
        execution = lifecycle.__moss_exec__(runtime, target="main", code=None, **arguments)
        assert execution is not None
        assert execution.returns == 3
        assert lifecycle.__moss_compile__(new_compiler()) is None
        assert lifecycle.__moss_compiled__(Moss()) is None
        assert list(lifecycle.__moss_attr_prompts__()) == []
        assert lifecycle.__moss_module_prompt__(runtime.prompter()) is None


@proves(
    VALUES,
    MAIN,
    "Executing this function will change the value of Moss.int_val to 123 in the future.",
)
def test_generated_code_changes_the_context(write_module):
    with values_runtime(write_module) as runtime:
        assert runtime.execute(code=block(MAIN)).returns == 123
        assert "moss.int_var is new: did you mean moss.int_val?" in runtime.take_notes()
        result = runtime.execute(code=block(MAIN).replace("int_var", "int_val"))
        assert result.pycontext.values == {"int_val": 123, "int_var": 123}
        assert vars(runtime.moss_type())["int_val"] == 0
    with new_compiler().join_context(result.pycontext).injects(foo=1).compile(None) as later:
        assert later.moss().int_val == 123


@proves(
    "moss_class = runtime.moss_type()",
    "You can also use MossRuntime to obtain all the injection results for the Moss class.",
)
def test_moss_class_instance_and_injections_are_had(write_module):
    extra = object()
    with values_runtime(write_module, extra=extra) as runtime:
        names = run_block("moss_class = runtime.moss_type()", runtime=runtime)
        assert names["moss_class"] is runtime.locals()["Moss"]
        assert names["moss_instance"] is runtime.locals()["moss"]
        assert names["injections"] == {"foo": runtime.moss().foo, "extra": extra}
