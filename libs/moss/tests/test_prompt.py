"""The whole prompt of a module: layout, hooks, levels, budget, and how long it stays true."""

import ast
import gc
import importlib
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from inline_snapshot import snapshot

from ghostos_moss import MossPrompter, PromptLevel, load_source, parse_source
from ghostos_moss._tokens import count_tokens
from ghostos_moss.errors import LifecycleError, MossError

FIXTURES = Path(__file__).parent / "fixtures_prompt"
TARGET = '''\
from gallery.shapes import Drawable as Shape
from gallery.tools import area, move
from ghostos_moss import Moss as Parent

# <moss-hide>
from gallery.shapes import Color

HIDDEN = 1
# </moss-hide>


def helper(x: int) -> int:
    """Own."""
    return x


class Own:
    """Mine."""

    def shown(self) -> int: ...

    # <moss-hide>
    def concealed(self) -> int: ...

    # </moss-hide>


LIMIT = 5
"""At most."""


class Moss(Parent):
    shape: Shape | None
    """What to draw."""
    count: int = 0
'''
ALL = "from gallery.shapes import *\nfrom gallery.records import *\nfrom gallery.tools import *\n"
TEN_TOOLS = [
    ("search_products", "query: str, limit: int = 10", "list[str]", "Find products by words in their name."),
    ("get_price", "product_id: str", "float", "Current price in euros."),
    ("add_to_cart", "product_id: str, quantity: int = 1", "None", "Put a product into the cart."),
    ("remove_from_cart", "product_id: str", "bool", "Take it out again; False if it was not in."),
    ("list_cart", "", "dict[str, int]", "Quantities by product id."),
    ("apply_coupon", "code: str", "float", "The discount in euros; 0 if the code is unknown."),
    ("check_stock", "product_id: str, warehouse: str = 'main'", "int", "Pieces left."),
    ("ship_order", "order_id: str, express: bool = False", "str", "Hand it to the carrier; returns its number."),
    ("track_order", "tracking: str", "str", "Where the parcel is now."),
    ("send_mail", "to: str, subject: str, body: str", "None", "Send a plain text mail."),
]

Prompter = Callable[..., MossPrompter]


@pytest.fixture
def prompter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Prompter:
    """Opens the prompter of a freshly executed module with this text; `tmp_path` and the gallery are importable."""
    monkeypatch.syspath_prepend(FIXTURES)
    monkeypatch.syspath_prepend(tmp_path)

    def open_(text: str, *, level: PromptLevel = "full", max_tokens: int | None = 4000) -> MossPrompter:
        source = parse_source(text, name="target")
        module = ModuleType("target__prompted")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(source.code, module.__dict__)
        moss_type = module.__dict__.get("Moss")
        return MossPrompter(module, source, level=level, max_tokens=max_tokens, moss_type=moss_type)

    return open_


def test_prompt_is_the_visible_source_then_stubs(prompter: Prompter) -> None:
    text = "from gallery.tools import area\nfrom gallery.shapes import Drawable as Shape\n"
    assert prompter(text).dump_module_prompt() == snapshot('''\
Your code runs in this module, with all its names at hand:

```python
# target
from gallery.tools import area
from gallery.shapes import Drawable as Shape
```

What it imports, as stubs without implementation:

```python
# from gallery.tools
def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""

# from gallery.shapes
class Drawable(Protocol):
    width: int
    def draw(self, canvas: list[list[int]]) -> None: ...
Shape = Drawable
```\
''')


def test_prompt_of_a_module_without_imports_is_its_source(prompter: Prompter) -> None:
    prompt = prompter("x = 1\n").dump_module_prompt()
    assert prompt == "Your code runs in this module, with all its names at hand:\n\n```python\n# target\nx = 1\n```"
    assert prompter("").dump_module_prompt() == ""


def test_fence_is_longer_than_any_inside(prompter: Prompter) -> None:
    prompt = prompter('DOC = """\n````python\nx\n````\n"""\n').dump_module_prompt()
    assert "\n`````python\n" in prompt
    assert prompt.endswith("\n`````")


def test_hidden_regions_are_in_no_part_of_the_prompt(prompter: Prompter) -> None:
    opened = prompter(TARGET)
    prompt = opened.dump_module_prompt()
    assert opened.get_source_code() in prompt
    for word in ("moss-hide", "HIDDEN", "concealed", "class Color"):
        assert word not in prompt
    assert not any(name in ("Color", "Parent") for name, _ in opened.imported_attr_prompts())


def test_attr_prompts_come_by_name_in_order(prompter: Prompter) -> None:
    pairs = list(prompter(TARGET).imported_attr_prompts())
    assert [name for name, _ in pairs] == snapshot(["Shape", "area", "move", "Move", "Ball", "RollFunc", "Body"])
    assert dict(pairs)["area"] == snapshot('''\
def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""\
''')


# Hooks


def test_attr_prompts_hook_overrides_hides_and_adds(prompter: Prompter) -> None:
    text = (
        "from gallery.tools import area, fetch, cached\n"
        "def __moss_attr_prompts__():\n"
        "    yield 'fetch', 'def fetch(url: str): ...'\n    yield 'area', ''\n    yield 'note', 'all in metres'\n"
    )
    opened = prompter(text)
    assert list(opened.imported_attr_prompts()) == snapshot(
        [
            ("fetch", "def fetch(url: str): ..."),
            (
                "cached",
                '''\
def cached(x: int) -> int:
    """Cached."""\
''',
            ),
            ("note", "all in metres"),
        ]
    )
    assert opened.dump_imported_prompt() == snapshot('''\
# from gallery.tools
def fetch(url: str): ...

def cached(x: int) -> int:
    """Cached."""

# note: all in metres\
''')


def test_attr_prompts_hook_hides_a_reached_type(prompter: Prompter) -> None:
    text = "from gallery.tools import move\n"
    hook = "def __moss_attr_prompts__():\n    return [('Move', '')]\n"
    assert "class Move" in prompter(text).dump_imported_prompt()
    assert "class Move" not in prompter(text + hook).dump_imported_prompt()


def test_module_prompt_hook_replaces_the_whole(prompter: Prompter) -> None:
    hook = "def __moss_module_prompt__(prompter):\n    return prompter.dump_imported_prompt()\n"
    opened = prompter(f"from gallery.tools import area\n{hook}")
    assert opened.dump_module_prompt() == opened.dump_imported_prompt() != ""


def test_hooks_with_an_ellipsis_as_body_mean_the_default(prompter: Prompter) -> None:
    plain = "from gallery.tools import area\n"
    hooks = (
        "# <moss-hide>\ndef __moss_module_prompt__(prompter: 'MossPrompter') -> str: ...\n"
        "def __moss_attr_prompts__() -> 'AttrPrompts': ...\n# </moss-hide>\n"
    )
    assert prompter(plain + hooks).dump_module_prompt() == prompter(plain).dump_module_prompt()


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("def __moss_attr_prompts__():\n    yield 'a', 'b'\n    raise ValueError('no')", "it raised ValueError: no"),
        ("def __moss_attr_prompts__():\n    return 3", "it raised TypeError"),
        ("def __moss_attr_prompts__():\n    return [('a', 1)]", "give pairs of strings"),
        ("def __moss_module_prompt__(prompter):\n    raise ValueError('no')", "it raised ValueError: no"),
        ("def __moss_module_prompt__(prompter):\n    return 3", "it returned int"),
        ("def __moss_module_prompt__():\n    return ''", "it raised TypeError"),
    ],
)
def test_hook_that_fails_is_named(prompter: Prompter, hook: str, reason: str) -> None:
    with pytest.raises(LifecycleError, match=reason) as caught:
        prompter(hook).dump_module_prompt()
    assert caught.value.hook == hook[4:].partition("(")[0]
    assert isinstance(caught.value, MossError)


# Levels and budget


def test_levels_leave_out_more_and_more(prompter: Prompter) -> None:
    text = "from gallery.shapes import Move\nfrom gallery.records import Step\n"
    full, no_param_docs, no_docs = (
        prompter(text, level=level, max_tokens=None).dump_imported_prompt()
        for level in ("full", "no_param_docs", "no_docs")
    )
    assert "clockwise" in full
    assert "clockwise" not in no_param_docs
    assert "Roll forward." in no_param_docs
    assert "Returns:" in no_param_docs
    assert '"""' not in no_docs
    assert "description=" not in no_docs
    assert "max_length=20" in no_docs
    assert count_tokens(full) > count_tokens(no_param_docs) > count_tokens(no_docs)


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ("Do it.\n\nArgs:\n    x: One.\n\n    y: Two.\n\nReturns:\n    Three.", "Do it.\n\nReturns:\n    Three."),
        ("Do it.\n\n:param x: One,\n    more.\n:returns: Three.", "Do it.\n\n:returns: Three."),
        (
            "Do it.\n\nParameters\n----------\nx : int\n    One.\n\nReturns\n-------\nint",
            "Do it.\n\nReturns\n-------\nint",
        ),
        ("Args in the text: they stay.\nArgs: like this.", "Args in the text: they stay.\nArgs: like this."),
    ],
)
def test_param_docs_of_each_style_are_removed(prompter: Prompter, tmp_path: Path, doc: str, expected: str) -> None:
    name = f"moss_docs_{abs(hash(doc))}"
    (tmp_path / f"{name}.py").write_text(f"def f(x: int) -> int:\n    {doc!r}\n")
    prompt = prompter(f"from {name} import f\n", level="no_param_docs").dump_imported_prompt()
    function = ast.parse(prompt).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function) == expected


def test_budget_takes_param_docs_then_docs_then_the_longest(prompter: Prompter, tmp_path: Path) -> None:
    doc = "Do it well.\n\nArgs:\n    x: " + "Every word of it. " * 40 + "\n\nReturns:\n    " + "What comes. " * 60
    parameters = ", ".join(f"parameter_{number}: int = {number}" for number in range(60))
    (tmp_path / "moss_long.py").write_text(
        f"def long({parameters}) -> int:\n    {doc!r}\ndef short(x: int) -> int: ...\n"
    )
    text = "from moss_long import long, short\n"
    sizes = [
        count_tokens(prompter(text, level=level, max_tokens=None).dump_module_prompt())
        for level in ("full", "no_param_docs", "no_docs")
    ]

    def at(budget: int) -> str:
        return prompter(text, max_tokens=budget).dump_imported_prompt()

    assert "Every word" in at(sizes[0] + 60)
    assert "Every word" not in at(sizes[0] - 60)
    assert "What comes" in at(sizes[1] + 60)
    assert "What comes" not in at(sizes[1] - 60)
    assert "parameter_59" in at(sizes[2] + 60)
    assert at(sizes[2] - 60) == snapshot("""\
# from moss_long
def short(x: int) -> int: ...

# too long to show here, moss.describe("long") shows one: long\
""")


@pytest.mark.parametrize("budget", [300, 500, 800, 1200, 2000])
def test_prompt_stays_within_its_budget(prompter: Prompter, budget: int) -> None:
    assert count_tokens(prompter(ALL, max_tokens=budget).dump_module_prompt()) <= budget


def test_source_is_shown_whole_even_over_budget(prompter: Prompter) -> None:
    text = "from gallery.tools import area\n" + "x = 1\n" * 200
    prompt = prompter(text, max_tokens=100).dump_module_prompt()
    assert text in prompt
    assert 'moss.describe("area") shows one: area' in prompt


def test_ten_simple_tools_are_short(prompter: Prompter, tmp_path: Path) -> None:
    body = "".join(f'\n\ndef {name}({args}) -> {result}:\n    """{doc}"""\n' for name, args, result, doc in TEN_TOOLS)
    (tmp_path / "moss_ten_tools.py").write_text(body)
    names = ", ".join(name for name, *_ in TEN_TOOLS)
    imports = f"from ghostos_moss import Moss as Parent\nfrom moss_ten_tools import {names}\n"
    text = f"{imports}\n\nclass Moss(Parent):\n    pass\n"
    assert count_tokens(prompter(text).dump_module_prompt()) <= 400


# Staying true


def test_same_source_gives_the_same_text_in_every_process() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(FIXTURES)!r}); from types import ModuleType\n"
        f"from ghostos_moss import MossPrompter, parse_source\nsource = parse_source({ALL!r})\n"
        "module = ModuleType('m'); exec(source.code, module.__dict__)\n"
        "print(MossPrompter(module, source, max_tokens=None).dump_module_prompt())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert "KINDS: frozenset" in runs[0]


def test_second_compile_of_a_version_gives_the_same_text(prompter: Prompter) -> None:
    assert prompter(TARGET).dump_module_prompt() == prompter(TARGET).dump_module_prompt()


def test_reimported_module_is_read_again(prompter: Prompter, tmp_path: Path) -> None:
    path = tmp_path / "moss_changing.py"
    path.write_text("class A:\n    def old(self) -> int: ...\n")
    text = "from moss_changing import A\n"
    assert "def old" in prompter(text).dump_imported_prompt()
    path.write_text("class A:\n    def renamed(self) -> int: ...\n")
    importlib.reload(sys.modules["moss_changing"])
    prompt = prompter(text).dump_imported_prompt()
    assert "def renamed" in prompt
    assert "def old" not in prompt


def test_name_bound_to_another_object_is_described_anew(prompter: Prompter, tmp_path: Path) -> None:
    (tmp_path / "moss_swapped.py").write_text("def f(x: int): ...\ndef g(y: str): ...\nlimit = int('3')\n")
    text = "from moss_swapped import f, limit\n"
    assert "def f(x: int)" in prompter(text).dump_imported_prompt()
    module = vars(sys.modules["moss_swapped"])
    module.update(f=module["g"], limit=5)
    assert prompter(text).dump_imported_prompt() == snapshot("""\
# from moss_swapped
def g(y: str): ...
f = g

limit: int = 5\
""")


def test_object_that_describes_itself_is_asked_each_time(prompter: Prompter, tmp_path: Path) -> None:
    (tmp_path / "moss_mood.py").write_text(
        "from ghostos_common.prompter import PromptAbleObj\n"
        "class Mood(PromptAbleObj):\n    text = 'fine'\n    def __prompt__(self): return self.text\nmood = Mood()\n"
    )
    text = "from moss_mood import mood\n"
    assert "# mood: fine" in prompter(text).dump_imported_prompt()
    sys.modules["moss_mood"].mood.text = "tired"
    assert "# mood: tired" in prompter(text).dump_imported_prompt()


def test_prompting_keeps_no_class_of_the_module_alive(prompter: Prompter) -> None:
    opened = prompter(TARGET)
    opened.dump_module_prompt()
    opened.describe("moss.shape")
    own = weakref.ref(opened._module.Own)
    sys.modules.pop("target__prompted")
    del opened
    gc.collect()
    assert own() is None


def test_module_loaded_from_a_file_reflects_relative_imports(prompter: Prompter, tmp_path: Path) -> None:
    folder = tmp_path / "moss_relative"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "near.py").write_text("class Near:\n    def go(self) -> int: ...\n")
    (folder / "target.py").write_text("from .near import Near\n")
    source = load_source("moss_relative.target")
    module = importlib.import_module("moss_relative.target")
    assert "# from moss_relative.near\nclass Near:" in MossPrompter(module, source).dump_imported_prompt()


# describe


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("area", 'def area(width: float, height: "float" = 1.0) -> float:\n    """Multiply."""'),
        ("area()", 'def area(width: float, height: "float" = 1.0) -> float:\n    """Multiply."""'),
        ("Shape.draw", "def draw(self, canvas: list[list[int]]) -> None: ..."),
        (
            "moss.shape",
            "class Drawable(Protocol):\n    width: int\n    def draw(self, canvas: list[list[int]]) -> None: ...",
        ),
        ("moss.shape.draw", "def draw(self, canvas: list[list[int]]) -> None: ..."),
        ("moss.count", "count: int = 0"),
        ("move.degrees", "@staticmethod\ndef degrees(radians: float, /) -> float: ..."),
        ("Move.Options.soft", "def soft(self) -> bool: ..."),
        ("LIMIT", 'LIMIT = 5\n"""At most."""'),
        ("helper", 'def helper(x: int) -> int:\n    """Own."""'),
        ("Own", 'class Own:\n    """Mine."""\n    def shown(self) -> int: ...'),
        ("count", "There is no name 'count' here. Did you mean 'moss.count'?"),
        ("aera", "There is no name 'aera' here. Did you mean 'area'?"),
        ("moss.nothing", "There is nothing to describe at 'moss.nothing'."),
        ("Own.concealed", "There is nothing to describe at 'Own.concealed'."),
        ("HIDDEN", "There is no name 'HIDDEN' here."),
        ("Color", "There is no name 'Color' here."),
        ("__builtins__", "There is no name '__builtins__' here."),
        ("", "There is no name '' here."),
        ("a b", "There is no name 'a b' here."),
    ],
)
def test_describe_shows_one_name(prompter: Prompter, name: str, expected: str) -> None:
    assert prompter(TARGET).describe(name).removesuffix("\nShape = Drawable") == expected


def test_describe_of_a_module_lists_what_is_in_it(prompter: Prompter) -> None:
    opened = prompter("import gallery.records as rec\nimport pydantic\n")
    text = opened.describe("rec")
    assert text.startswith("# module rec\n# Data.\n")
    assert "class Step(BaseModel):" in text
    assert opened.describe("rec.Pair") == "class Pair(NamedTuple):\n    left: int\n    right: int = 0"
    assert "# names: " in opened.describe("pydantic")


def test_describe_of_something_too_long_names_its_members(prompter: Prompter) -> None:
    text = prompter("from gallery.shapes import Move\n", max_tokens=60).describe("Move")
    assert text.startswith("class Move: ...\n# too long to show; ")
    assert "__init__, roll, wait, steps" in text


# counting


def test_token_count_is_near_the_real_one() -> None:
    counted = {"def area(width: float) -> float:\n    return width * 2\n": 16, "这是一个测试模型会看到什么": 12}
    for text, real in counted.items():
        assert abs(count_tokens(text) - real) <= 0.15 * real
