import pytest

from ghostos_container import Container, provide
from ghostos_moss import Injection, PyContext, new_compiler
from ghostos_moss.errors import CodeRaisedError, CompileError, InjectionError

BODY = """
    from abc import ABC, abstractmethod
    from typing import ClassVar, Optional
    from ghostos_moss import Moss as Parent

    class Body(ABC):
        @abstractmethod
        def spin(self, angle: float) -> str: ...

    class Robot(Body):
        def spin(self, angle): return f"spun {angle}"
"""


class Listener(Injection):
    def __init__(self, events: list[str], name: str = "listener", *, fails: bool = False) -> None:
        self.events, self.name, self.fails = events, name, fails

    def on_injection(self, runtime, name):
        if self.fails:
            message = "no power"
            raise OSError(message)
        self.events.append(f"{self.name} on {name} {runtime.container().bound(str)}")

    def on_destroy(self):
        self.events.append(f"{self.name} destroyed")
        if self.name == "rude":
            message = "I stay"
            raise OSError(message)


def moss_module(write_module, *lines: str, after: str = "") -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return write_module(BODY + f"\n    class Moss(Parent):\n{body}\n" + after)


def test_a_contract_comes_from_the_container(write_module):
    hook = "\n    def __moss_compile__(compiler):\n        compiler.bind(Body, Robot())\n"
    with new_compiler().compile(moss_module(write_module, "body: Body", after=hook)) as runtime:
        assert runtime.moss_injections().keys() == {"body"}
        assert runtime.execute(code="print(moss.body.spin(90))").std_output == "spun 90\n"


def test_a_providers_singleton_is_injected_from_the_parent_container(write_module):
    made: list[int] = []

    def make(container: Container) -> int:
        made.append(1)
        return 42

    parent = Container()
    parent.register(provide(int)(make))
    name = moss_module(write_module, "size: int", "other: int")
    for _ in range(2):
        with new_compiler(parent).compile(name) as runtime:
            assert runtime.moss_injections() == {"size": 42, "other": 42}
    assert made == [1]


def test_the_order_is_injects_then_stored_value_then_default_then_container(write_module):
    name = moss_module(write_module, "a: int = 1", "b: int = 1", "c: int = 1", "d: int")
    context = PyContext(values={"a": 2, "b": 2, "d": 2})
    with new_compiler().join_context(context).injects(a=3).bind(int, 4).compile(name) as runtime:
        moss = runtime.moss()
        assert (moss.a, moss.b, moss.c, moss.d) == (3, 2, 1, 4)
        assert runtime.moss_injections() == {"a": 3, "d": 4}
        assert runtime.dump_pycontext().values == {"b": 2, "c": 1}


def test_injects_may_add_what_the_class_does_not_declare(write_module):
    with new_compiler().injects(extra=5).compile(moss_module(write_module, "a: int = 1")) as runtime:
        assert runtime.execute(code="print(moss.extra)").std_output == "5\n"
        assert "extra" not in runtime.dump_pycontext().values


@pytest.mark.parametrize("annotation", ["Optional[Body]", "Body | None", "'Body | None'"])
def test_an_optional_that_nothing_provides_is_none(write_module, annotation):
    with new_compiler().compile(moss_module(write_module, f"body: {annotation}")) as runtime:
        assert runtime.moss().body is None


def test_an_optional_contract_is_injected_where_it_is_bound(write_module):
    hook = "\n    def __moss_compile__(compiler):\n        compiler.bind(Body, Robot())\n"
    with new_compiler().compile(moss_module(write_module, "body: Body | None", after=hook)) as runtime:
        assert runtime.moss().body.spin(1) == "spun 1"


def test_a_required_one_names_attribute_type_and_ways(write_module):
    with pytest.raises(InjectionError) as caught:
        new_compiler().compile(moss_module(write_module, "body: Body"))
    assert (caught.value.attribute, caught.value.type_name) == ("body", "Body")
    for way in ("compiler.bind(Body", "compiler.register", "compiler.injects(body=...)", "Body | None"):
        assert way in str(caught.value)


def test_an_annotation_that_names_nothing_matters_only_where_a_value_is_missing(write_module):
    name = moss_module(write_module, "a: 'Unknown' = 1", "b: 'Unknown'", "c: int = 2")
    with pytest.raises(InjectionError, match=r"moss\.b: Unknown names nothing that the module sees"):
        new_compiler().compile(name)
    with new_compiler().injects(b=5).compile(name) as runtime:
        assert (runtime.moss().a, runtime.moss().b) == (1, 5)


def test_a_provider_that_fails_is_named_with_its_attribute(write_module):
    def broken(container: Container) -> int:
        message = "out of ints"
        raise OSError(message)

    parent = Container()
    parent.register(provide(int)(broken))
    with pytest.raises(InjectionError, match=r"moss\.size: int could not be made: its provider raised OSError"):
        new_compiler(parent).compile(moss_module(write_module, "size: int"))


def test_class_defaults_are_copied_for_each_instance(write_module):
    name = moss_module(write_module, "names: list[list[str]] = [['a']]", "sizes = {}")
    with new_compiler().compile(name) as runtime:
        runtime.execute(code="moss.names[0].append('b')\nmoss.sizes['x'] = 1")
        assert runtime.dump_pycontext().values == {"names": [["a", "b"]], "sizes": {"x": 1}}
        assert (runtime.locals()["Moss"].names, runtime.locals()["Moss"].sizes) == ([["a"]], {})


def test_what_the_class_itself_gives_an_annotated_name_is_left_to_it(write_module):
    lines = ("_calls: dict[str, int] = {}", "_limit: int | None = 5", "greet: type = str", "_body: Body = None")
    with new_compiler().bind(str, "hello").compile(moss_module(write_module, *lines)) as runtime:
        assert runtime.moss_injections() == {}
        assert runtime.execute(code="print(moss._calls, moss._limit, moss.greet, moss._body)").std_output == (
            "{} 5 <class 'str'> None\n"
        )
        assert runtime.dump_pycontext().values == {}


def test_a_default_that_is_no_data_stays_the_one_that_it_is(write_module):
    name = moss_module(write_module, "body: Body = Robot()", "both: list[Body] = [body]")
    with new_compiler().compile(name) as runtime:
        assert runtime.moss().body is runtime.locals()["Moss"].body
        assert runtime.moss().both[0] is runtime.moss().body
        runtime.execute(code="1")
        assert runtime.take_notes() == ()


def test_attributes_are_inherited_and_class_variables_are_none(write_module):
    name = moss_module(
        write_module,
        "a: int = 1",
        "shared: ClassVar[int] = 5",
        after="\n    class Child(Moss):\n        b: int = 2\n    Moss = Child\n",
    )
    with new_compiler().compile(name) as runtime:
        assert runtime.dump_pycontext().values == {"a": 1, "b": 2}


def test_attributes_that_init_sets_are_values(write_module):
    name = moss_module(write_module, "def __init__(self):", "    self.names = ['a']")
    context = PyContext(values={"names": ["kept"]})
    with new_compiler().compile(name) as runtime:
        assert runtime.dump_pycontext().values == {"names": ["a"]}
    with new_compiler().join_context(context).compile(name) as runtime:
        assert runtime.moss().names == ["kept"]


def test_a_moss_that_wants_arguments_is_an_error(write_module):
    with pytest.raises(CompileError, match="Moss is made without arguments"):
        new_compiler().compile(moss_module(write_module, "def __init__(self, size): pass"))


def test_a_moss_may_be_a_dataclass_with_properties_and_methods(write_module):
    name = write_module("""
        from dataclasses import dataclass, field
        from ghostos_moss import Moss as Parent
        @dataclass
        class Moss(Parent):
            size: int
            names: list[str] = field(default_factory=list)
            @property
            def double(self): return self.size * 2
            def add(self, name): self.names.append(name)
    """)
    with new_compiler().injects(size=4).compile(name) as runtime:
        assert runtime.execute(code="moss.add('x')\nprint(moss.double)").std_output == "8\n"
        assert runtime.dump_pycontext().values == {"names": ["x"]}


@pytest.mark.parametrize("code", ["moss.body = 3", "del moss.body", "setattr(moss, 'body', 3)"])
def test_an_injected_attribute_can_neither_be_replaced_nor_deleted(write_module, code):
    with new_compiler().injects(body=5).compile(moss_module(write_module, "body: int")) as runtime:
        with pytest.raises(CodeRaisedError, match=r"moss\.body is injected and cannot be"):
            runtime.execute(code=code)
        assert runtime.moss().body == 5


def test_injected_objects_are_told_and_released_in_reverse(write_module):
    events: list[str] = []
    compiler = new_compiler().bind(str, "").injects(a=Listener(events, "first"), b=Listener(events, "second"))
    runtime = compiler.compile(moss_module(write_module, "a: object", "b: object"))
    assert events == ["first on a True", "second on b True"]
    runtime.close()
    assert events[2:] == ["second destroyed", "first destroyed"]


def test_they_are_released_when_a_later_step_fails(write_module):
    events: list[str] = []
    broken = Listener(events, "broken", fails=True)
    with pytest.raises(InjectionError, match=r"moss\.b: Listener raised in on_injection: OSError: no power"):
        new_compiler().injects(a=Listener(events), b=broken).compile(moss_module(write_module, "a: object"))
    assert events == ["listener on a False", "listener destroyed"]
    events.clear()
    hook = "\n    def __moss_compiled__(moss):\n        1 / 0\n"
    with pytest.raises(Exception, match="__moss_compiled__"):
        new_compiler().injects(a=Listener(events)).compile(moss_module(write_module, "a: object", after=hook))
    assert events == ["listener on a False", "listener destroyed"]


def test_one_that_raises_at_the_end_does_not_keep_the_others(write_module):
    events: list[str] = []
    compiler = new_compiler().injects(a=Listener(events, "polite"), b=Listener(events, "rude"))
    runtime = compiler.compile(moss_module(write_module, "a: object", "b: object"))
    with pytest.raises(ExceptionGroup) as caught:
        runtime.close()
    assert [str(error) for error in caught.value.exceptions] == ["I stay"]
    assert events[2:] == ["rude destroyed", "polite destroyed"]
