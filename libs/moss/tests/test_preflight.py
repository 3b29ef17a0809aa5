import pytest

from ghostos_moss import new_compiler
from ghostos_moss.errors import CodeRejectedError

MODULE = """
    import functools
    from abc import ABC, abstractmethod
    from dataclasses import dataclass
    from pydantic import BaseModel
    from ghostos_moss import Moss as Parent

    class Body(ABC):
        @abstractmethod
        def spin(self, angle: float, seconds: float = 1) -> str: ...
        def later(self):
            self.speed = 1

    class Robot(Body):
        def spin(self, angle, seconds=1): return f"{angle} {seconds}"
        @classmethod
        def make(cls, name): return cls()
        @staticmethod
        def unit(value): return value

    class Open:
        def __getattr__(self, name): return lambda *a, **k: name

    @dataclass
    class Point:
        x: int
        y: int = 0

    class Loose(BaseModel):
        size: int = 0

    class Moss(Parent):
        body: Body
        open: Open
        count: int = 0
        log: list[str] = []
        def add(self, name: str): self.log.append(name)
        def prepare(self): self.tools = []

    def helper(x, y, *, scale=1): return x + y

    def changes(moss): moss.given = 1

    def counted(function):
        @functools.wraps(function)
        def wrapper(*args): return function(1, *args)
        return wrapper

    @counted
    def wrapped(number, name): return name

    def __moss_compile__(compiler):
        compiler.injects(body=Robot(), open=Open())
"""


@pytest.fixture
def runtime(write_module):
    with new_compiler().compile(write_module(MODULE)) as runtime:
        yield runtime


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("x = = 1", "line 1: invalid syntax: x = = 1"),
        ("def f():\nreturn 1", "line 2: IndentationError: expected an indented block"),
        ("return 3", "line 1: 'return' outside function: statements cannot return; define run(moss)"),
        ("x = '\0'", "null bytes"),
        ("print(" + "(" * 5000 + ")" * 5000 + ")", "line 1"),
        ("prnt(1)", "line 1: 'prnt' is not defined: did you mean print?"),
        ("body.spin(1)", "line 1: 'body' is not defined: did you mean moss.body?"),
        ("def f():\n    return halper(1, 2)", "line 2: 'halper' is not defined: did you mean helper?"),
        ("print(late)\nlate = 1", "line 1: 'late' is not defined"),
        ("x = [y for _ in range(3)]", "'y' is not defined"),
        ("x = [y for y in z]", "'z' is not defined"),
        ("class A(Bass): pass", "'Bass' is not defined"),
        ("def f(a: Undefined): pass", "'Undefined' is not defined"),
        ("await foo()", "'foo' is not defined"),
        ("def f():\n    inner = 1\ndef g():\n    return inner", "line 4: 'inner' is not defined"),
        ("print(moss.cuont)", "line 1: moss.cuont does not exist: did you mean moss.count?"),
        ("def run(moss):\n    return moss.zzz", "line 2: moss.zzz does not exist: there is moss.add, moss.body"),
        ("moss.zzz += 1", "moss.zzz does not exist"),
        ("helper(1)", "helper cannot be called like this: missing a required argument: 'y'; it is helper(x, y"),
        ("helper(1, 2, 3)", "too many positional arguments"),
        ("helper(1, 2, scael=3)", "unexpected keyword argument 'scael': did you mean scale?"),
        ("Point()", "missing a required argument: 'x'; it is Point(x: int, y: int = 0)"),
        ("moss.body.spin()", "moss.body.spin cannot be called like this: missing a required argument: 'angle'"),
        ("moss.body.spin(1, sekonds=2)", "did you mean seconds?"),
        ("moss.body.spinn(1)", "moss.body.spinn does not exist: did you mean spin?"),
        ("moss.body.make()", "moss.body.make cannot be called like this: missing a required argument: 'name'"),
        ("moss.body.unit()", "moss.body.unit cannot be called like this"),
        ("moss.add()", "moss.add cannot be called like this: missing a required argument: 'name'"),
        ("[moss.add() for _ in range(3)]", "moss.add cannot be called"),
        ("moss.describe()", "moss.describe cannot be called"),
    ],
)
def test_certain_mistakes_are_refused_before_anything_runs(runtime, code, problem):
    with pytest.raises(CodeRejectedError) as caught:
        runtime.run("moss.count = 5\n" + code)
    said = caught.value.describe_for_model()
    shifted = problem.replace("line 2", "line 3").replace("line 1", "line 2").replace("line 4", "line 5")
    assert problem in said or shifted in said
    assert said.startswith("Nothing was run:")
    assert runtime.moss().count == 0
    assert runtime.check(code)


@pytest.mark.parametrize(
    "code",
    [
        # names
        "import json\nprint(json.dumps(1))",
        "from math import *\nprint(sqrt(4))",
        "def f(): return g()\ndef g(): return 1\nf()",
        "def f():\n    global made\n    made = 1\nf()\nprint(made)",
        "exec('x = 1')\nprint(x)",
        "globals()['x'] = 1\nprint(x)",
        "try:\n    undefined_thing\nexcept NameError:\n    pass",
        "try:\n    undefined_thing()\nexcept Exception:\n    pass",
        "def run(moss):\n    x: Unknown = 1\n    return x",
        "def f(x: 'Unknown'): return x\nf(1)",
        "from __future__ import annotations\ndef f(x: Unknown): return x\nf(1)",
        "for i in range(2):\n    if i: print(j)\n    j = i",
        "x = 1\nfor i in range(2):\n    print(x)\n    del x\n    x = 2",
        "print([(a, b) for a in range(2) for b in range(a)])",
        "f = lambda x, *y, **z: (x, y, z)\nf(1)",
        "match [1, 2]:\n    case [first, *rest]: print(first, rest)\n    case {'k': v, **more}: print(v, more)",
        "class A:\n    x = 1\n    def f(self): return __class__, self.x\nA().f()",
        "if (n := 3) > 2: print(n)",
        "with open('/dev/null') as f: print(f.read())",
        "print(__name__, __file__)",
        # attributes of moss
        "moss.fresh = 1\nprint(moss.fresh)",
        "def run(moss):\n    moss.fresh = 1\n    return moss.fresh",
        "if hasattr(moss, 'maybe'): print(moss.maybe)",
        "setattr(moss, 'set', 1)\nprint(moss.set)",
        "name = 'dyn'\nsetattr(moss, name, 1)\nprint(moss.dyn)",
        "moss.prepare()\nprint(moss.tools)",
        "changes(moss)\nprint(moss.given)",
        "def fill(m): m.filled = 1\nfill(moss)\nprint(moss.filled)",
        "try:\n    moss.maybe\nexcept AttributeError:\n    print('no')",
        "import contextlib\nwith contextlib.suppress(AttributeError): moss.maybe",
        "vars(moss)['v'] = 1\nprint(moss.v)",
        "moss.__dict__['v'] = 1\nprint(moss.v)",
        "class Other: thing = 1\ndef show(moss): return moss.thing\nprint(show(Other()))",
        "class Other: thing = 1\nmoss = Other()\nprint(moss.thing)",
        "print([moss.upper() for moss in ['a']])",
        "f = lambda moss: moss.upper()\nprint(f('a'))",
        "body = moss.body\nbody.spin(1)",
        # calls
        "helper(*[1, 2])\nhelper(**{'x': 1, 'y': 2})",
        "def helper(): return 1\nhelper()",
        "helper = lambda: 1\nhelper()",
        "wrapped('name')",
        "Loose(size=1, unknown=2)",
        "moss.open.anything(1, 2, three=3)",
        "moss.body.spin = lambda: 'patched'\nmoss.body.spin()",
        "moss.body.later()\nprint(moss.body.speed)",
        "moss.body.later()\nmoss.body.speed.bit_length()",
        "try:\n    helper()\nexcept TypeError:\n    print('no')",
        "moss.log.append('x')",
        "moss.body.make('n').spin(1)",
        "",
        "# nothing",
    ],
)
def test_code_that_works_is_never_refused(runtime, code):
    assert runtime.check(code) == ()
    runtime.run(code)


STORING = """
    import contextlib
    from ghostos_moss import Moss as Parent

    def load():
        global table, rows
        table = [1, 2]
        for rows in table: pass

    def init(): moss.extra = 1

    class Setup:
        @property
        def done(self):
            def inner(): moss.inner = 1
            return inner()

    @contextlib.contextmanager
    def opened():
        moss.wrapped = 1
        yield

    def by_string():
        setattr(moss, "by_setattr", 1)
        globals()["by_globals"] = 1

    class Moss(Parent): pass
"""


@pytest.mark.parametrize(
    "code",
    [
        "init()\nprint(moss.extra)",
        "Setup().done\nprint(moss.inner)",
        "with opened(): print(moss.wrapped)",
        "load()\nprint(table, rows)",
        "by_string()\nprint(moss.by_setattr, by_globals)",
        "later()\nprint(moss.later, late)",
    ],
)
def test_what_functions_of_the_module_assign_may_be_there(write_module, code):
    with new_compiler().compile(write_module(STORING)) as runtime:
        runtime.run("def later():\n    global late\n    moss.later = late = 1")
        runtime.run(code)
        assert "'tabel' is not defined" in runtime.check("load()\nprint(tabel)")[0]
        assert "moss.extar does not exist" in runtime.check("init()\nprint(moss.extar)")[0]


def test_every_problem_is_listed_once_in_the_order_of_the_code(runtime):
    code = "moss.cuont\nprnt(1)\nmoss.body.spin()\nprnt(2)"
    assert [problem.split(":")[0] for problem in runtime.check(code)] == ["line 1", "line 2", "line 3"]


def test_names_of_earlier_code_are_known(runtime):
    runtime.run("def mine(a): return a")
    assert runtime.check("mine(1)") == ()
    assert "mine cannot be called like this" in runtime.check("mine()")[0]


def test_checking_computes_no_property(write_module):
    name = write_module("""
        from ghostos_moss import Moss as Parent
        class Moss(Parent):
            @property
            def bomb(self): raise SystemExit
    """)
    with new_compiler().compile(name) as runtime:
        assert runtime.check("moss.bomb\nmoss.bomb()") == ()


def test_lazy_annotations_of_the_module_hold_for_code_in_it(write_module):
    with new_compiler().compile(write_module("from __future__ import annotations")) as runtime:
        runtime.run("def f(x: Unknown) -> Other: ...")
