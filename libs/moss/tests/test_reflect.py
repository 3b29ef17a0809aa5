"""What is said about each kind of imported name, at full detail."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from inline_snapshot import snapshot

from ghostos_moss import MossPrompter, PromptLevel, parse_source
from ghostos_moss.errors import HiddenRegionError, LifecycleError

FIXTURES = Path(__file__).parent / "fixtures_prompt"
ALL_GALLERY = """\
from gallery.shapes import *
from gallery.records import *
from gallery.tools import *
import gallery.speaking
"""


@pytest.fixture
def reflected(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The imported prompt of a module with these lines."""
    monkeypatch.syspath_prepend(FIXTURES)

    def reflect(text: str, *, level: PromptLevel = "full") -> str:
        source = parse_source(text, name="target")
        module = ModuleType("target__reflected")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(source.code, module.__dict__)
        return MossPrompter(module, source, level=level, max_tokens=None).dump_imported_prompt()

    return reflect


def test_functions_are_signature_and_doc(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import area, untyped, fetch, many, default_object"
    assert reflected(text) == snapshot('''\
# from gallery.tools
def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""

def untyped(a, b=1, *args, c, **kwargs): ...

async def fetch(url: str, *, headers: dict[str, str] | None = None) -> bytes:
    """Fetch; matches \\\\d+ and "quotes\\\\\\""""

def many(first: int, second: str = "a, b", third: tuple[int, ...] = (1,)) -> None: ...
def default_object(marker: object = MARKER, big: str = "x" * 10) -> None: ...\
''')


def test_overloads_are_shown_without_the_implementation(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import parse"
    assert reflected(text) == snapshot('''\
# from gallery.tools
@overload
def parse(value: int) -> int: ...
@overload
def parse(value: str) -> str:
    """Read a value."""\
''')


def test_decorators_that_do_not_change_use_are_dropped(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import cached, tagged, session"
    assert reflected(text) == snapshot('''\
# from gallery.tools
def cached(x: int) -> int:
    """Cached."""

def tagged(x: int) -> int:
    """Tagged."""

@asynccontextmanager
async def session(name: str):
    """Open one."""\
''')


def test_wrapper_that_hides_a_signature_is_seen_through(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import wrapped"
    assert reflected(text) == snapshot('''\
# from gallery.tools
def wrapped(x: int, y: int = 2) -> int:
    """Behind a decorator that hides it."""\
''')


def test_wrapper_that_gives_another_signature_is_believed(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import changed"
    assert reflected(text) == snapshot('''\
# from gallery.tools
def changed(text: str) -> str:
    """Its first argument is given."""\
''')


def test_definition_that_was_taken_is_the_one_shown(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import choose"
    assert reflected(text) == snapshot("""\
# from gallery.tools
def choose(x: int) -> str: ...\
""")


def test_partials_lambdas_and_methods_have_their_live_signature(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import shout, double, make_options"
    assert reflected(text) == snapshot('''\
# from gallery.tools
def shout(width: float, *, height: float = 2.0) -> float:
    """Multiply."""

def double(value): ...
def make_options(radians: float, /) -> float: ...\
''')


def test_c_functions_have_what_can_be_known(reflected: Callable[..., str]) -> None:
    text = "from msgspec.json import decode"
    assert reflected(text) == snapshot('''\
# from msgspec.json
def decode(buf, /, *, type='Any', strict=True, dec_hook=None):
    """Deserialize an object from JSON.

    Parameters
    ----------
    buf : bytes-like or str
        The message to decode.
    type : type, optional
        A Python type (in type annotation form) to decode the object as. If
        provided, the message will be type checked and decoded as the specified
        type. Defaults to `Any`, in which case the message will be decoded using
        the default JSON types.
    strict : bool, optional
        Whether type coercion rules should be strict. Setting to False enables a
        wider set of coercion rules from string to non-string types for all values.
        Default is True.
    dec_hook : callable, optional
        An optional callback for handling decoding custom types. Should have the
        signature ``dec_hook(type: Type, obj: Any) -> Any``, where ``type`` is the
        expected message type, and ``obj`` is the decoded representation composed
        of only basic JSON types. This hook should transform ``obj`` into type
        ``type``, or raise a ``NotImplementedError`` if unsupported.

    Returns
    -------
    obj : Any
        The deserialized object.

    See Also
    --------
    Decoder.decode
    """\
''')


def test_abstract_class_shows_all_facts_but_private_ones(reflected: Callable[..., str]) -> None:
    text = "from gallery.shapes import Body"
    assert reflected(text) == snapshot('''\
# from gallery.shapes
class Body(ABC):
    """Anything with a body."""
    name: str
    """How it is called."""
    # in grams
    weight: float = 1_000.0
    limit: ClassVar[int] = 0x10
    def stop(self) -> None:
        """Stand still."""
    def _apply(self, raw: bytes) -> None:
        """Part of the interface, though private."""
    @property
    def position(self) -> tuple[float, float]:
        """Metres from the start."""
    speed: float
    """Metres per second."""\
''')


def test_plain_class_shows_its_public_methods(reflected: Callable[..., str]) -> None:
    text = "from gallery.shapes import Move"
    assert reflected(text) == snapshot('''\
# from gallery.shapes
class Move:
    """A movement under way."""
    DEFAULT_S = 2.5
    def __init__(self, ball: Ball, *, run_immediately: bool = False) -> None:
        """Args:
        ball: The one that moves.
        """
    def roll(self, heading: int, speed: int = 100, *, on_step: RollFunc | None = None, **options: Any) -> Move:
        """Roll forward.

        Args:
            heading: Degrees,
                clockwise.
            speed: Up to 255.

        Returns:
            Itself.
        """
    async def wait(self, timeout_s: float = 1.0) -> bool:
        """Wait for the end."""
    async def steps(self) -> AsyncIterator[int]: ...
    def __enter__(self) -> Move: ...
    def __exit__(self, *exc: object) -> None: ...
    def __len__(self) -> int: ...
    @classmethod
    def idle(cls) -> Move: ...
    @staticmethod
    def degrees(radians: float, /) -> float: ...
    def cached(self, key: str) -> str: ...
    @property
    def log(self) -> list[str]:
        """What happened so far."""
    @contextmanager
    def lights(self, color: Color = Color.RED) -> Generator[None]:
        """Shine while inside."""
    class Options:
        """How to move."""
        def soft(self) -> bool: ...

# from gallery.shapes (not imported)
class Ball(Body):
    """A ball that rolls."""
    def new_move(self, run_immediately: bool = False, plan: Plan | None = None) -> Move:
        """Start a movement."""
    def shine(self, color: Color) -> None: ...

RollFunc = Callable[["Ball", float], bool]
"""Called while rolling, with the ball and the seconds passed; return False to stop."""

class Color(Enum):
    """What it shines in."""
    RED = "red"
    BLUE = "blue"  # the default
    BRIGHT = "BRIGHT".lower()  # 'bright'
    """Whatever stands out."""
    @property
    def is_dark(self) -> bool: ...

class Body(ABC):
    """Anything with a body."""
    name: str
    """How it is called."""
    # in grams
    weight: float = 1_000.0
    limit: ClassVar[int] = 0x10
    def stop(self) -> None:
        """Stand still."""
    def _apply(self, raw: bytes) -> None:
        """Part of the interface, though private."""
    @property
    def position(self) -> tuple[float, float]:
        """Metres from the start."""
    speed: float
    """Metres per second."""\
''')


def test_protocol_and_generic(reflected: Callable[..., str]) -> None:
    text = "from gallery.shapes import Drawable, Box"
    assert reflected(text) == snapshot("""\
# from gallery.shapes
class Drawable(Protocol):
    width: int
    def draw(self, canvas: list[list[int]]) -> None: ...

class Box(Generic[T]):
    def put(self, item: T) -> Box[T]: ...\
""")


def test_enum_shows_values_that_the_source_leaves_out(reflected: Callable[..., str]) -> None:
    text = "from gallery.shapes import Color, Mode"
    assert reflected(text) == snapshot('''\
# from gallery.shapes
class Color(Enum):
    """What it shines in."""
    RED = "red"
    BLUE = "blue"  # the default
    BRIGHT = "BRIGHT".lower()  # 'bright'
    """Whatever stands out."""
    @property
    def is_dark(self) -> bool: ...

class Mode(IntFlag):
    FAST = auto()  # 1
    QUIET = auto()  # 2\
''')


def test_pydantic_model_shows_defaults_and_constraints(reflected: Callable[..., str]) -> None:
    text = "from gallery.records import Step"
    assert reflected(text) == snapshot('''\
# from gallery.records
class Step(BaseModel):
    """One step."""
    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", max_length=20, description="What to do")
    times: Annotated[int, Field(ge=1, description="How often")] = 1
    level: Level = "low"
    @field_validator("times")
    @classmethod
    def even(cls, value: int) -> int:
        """Must be even, or 1."""
    def label(self) -> str: ...

# from gallery.records (not imported)
Level = Literal["low", "high"]\
''')


def test_dataclass_keeps_what_says_how_to_make_one(reflected: Callable[..., str]) -> None:
    text = "from gallery.records import Point"
    assert reflected(text) == snapshot('''\
# from gallery.records
@dataclass(frozen=True, kw_only=True)
class Point:
    """A point.

    Attributes:
        x: To the right.
    """
    x: float
    y: float = 0.0
    tags: list[str] = field(default_factory=list)
    def moved(self, dx: float) -> "Point": ...\
''')


def test_typed_dict_and_named_tuple(reflected: Callable[..., str]) -> None:
    text = "from gallery.records import Row, Pair"
    assert reflected(text) == snapshot('''\
# from gallery.records
class Row(TypedDict, total=False):
    id: int
    """The key."""
    title: str

class Pair(NamedTuple):
    left: int
    right: int = 0\
''')


def test_classes_made_by_calls_are_shown_as_written(reflected: Callable[..., str]) -> None:
    text = "from gallery.records import Triple, Size, Dynamic"
    assert reflected(text) == snapshot("""\
# from gallery.records
Triple = namedtuple("Triple", ["a", "b", "c"])
Size = enum.Enum("Size", "SMALL LARGE")
Dynamic = create_model("Dynamic", x=(int, 3), y=(str, ...))\
""")


def test_type_aliases_are_shown_as_written(reflected: Callable[..., str]) -> None:
    text = "from gallery.records import UserId, Level\nfrom gallery.shapes import RollFunc, T"
    assert reflected(text) == snapshot('''\
# from gallery.records
UserId = NewType("UserId", int)
Level = Literal["low", "high"]

# from gallery.shapes
RollFunc = Callable[["Ball", float], bool]
"""Called while rolling, with the ball and the seconds passed; return False to stop."""

T = TypeVar("T")

# from gallery.shapes (not imported)
class Ball(Body):
    """A ball that rolls."""
    def new_move(self, run_immediately: bool = False, plan: Plan | None = None) -> Move:
        """Start a movement."""
    def shine(self, color: Color) -> None: ...

class Body(ABC):
    """Anything with a body."""
    name: str
    """How it is called."""
    # in grams
    weight: float = 1_000.0
    limit: ClassVar[int] = 0x10
    def stop(self) -> None:
        """Stand still."""
    def _apply(self, raw: bytes) -> None:
        """Part of the interface, though private."""
    @property
    def position(self) -> tuple[float, float]:
        """Metres from the start."""
    speed: float
    """Metres per second."""

class Move:
    """A movement under way."""
    DEFAULT_S = 2.5
    def __init__(self, ball: Ball, *, run_immediately: bool = False) -> None:
        """Args:
        ball: The one that moves.
        """
    def roll(self, heading: int, speed: int = 100, *, on_step: RollFunc | None = None, **options: Any) -> Move:
        """Roll forward.

        Args:
            heading: Degrees,
                clockwise.
            speed: Up to 255.

        Returns:
            Itself.
        """
    async def wait(self, timeout_s: float = 1.0) -> bool:
        """Wait for the end."""
    async def steps(self) -> AsyncIterator[int]: ...
    def __enter__(self) -> Move: ...
    def __exit__(self, *exc: object) -> None: ...
    def __len__(self) -> int: ...
    @classmethod
    def idle(cls) -> Move: ...
    @staticmethod
    def degrees(radians: float, /) -> float: ...
    def cached(self, key: str) -> str: ...
    @property
    def log(self) -> list[str]:
        """What happened so far."""
    @contextmanager
    def lights(self, color: Color = Color.RED) -> Generator[None]:
        """Shine while inside."""
    class Options:
        """How to move."""
        def soft(self) -> bool: ...

class Color(Enum):
    """What it shines in."""
    RED = "red"
    BLUE = "blue"  # the default
    BRIGHT = "BRIGHT".lower()  # 'bright'
    """Whatever stands out."""
    @property
    def is_dark(self) -> bool: ...\
''')


def test_constants_show_short_values(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import MAX_ITEMS, RATIO, UNITS, KINDS, FAVOURITE, DOC"
    assert reflected(text) == snapshot('''\
# from gallery.tools
MAX_ITEMS: int = 50

RATIO: Final[float] = 0.5
"""Of width to height."""

UNITS: list = ["mm", "cm"]
KINDS: frozenset = frozenset({'a', 'b', 'c'})
FAVOURITE: Color = Color.RED
DOC: str = r"a\\d"

# from gallery.shapes (not imported)
class Color(Enum):
    """What it shines in."""
    RED = "red"
    BLUE = "blue"  # the default
    BRIGHT = "BRIGHT".lower()  # 'bright'
    """Whatever stands out."""
    @property
    def is_dark(self) -> bool: ...\
''')


def test_values_that_are_long_secret_or_no_data_show_their_type(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import API_KEY, TEXT, HOME, PATTERN, MARKER"
    assert reflected(text) == snapshot("""\
# from gallery.tools
API_KEY: str
TEXT: str
HOME: PosixPath
PATTERN: Pattern
MARKER: object\
""")


def test_instance_brings_its_class(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import move"
    assert reflected(text) == snapshot('''\
# from gallery.tools
move: Move

# from gallery.shapes (not imported)
class Move:
    """A movement under way."""
    DEFAULT_S = 2.5
    def __init__(self, ball: Ball, *, run_immediately: bool = False) -> None:
        """Args:
        ball: The one that moves.
        """
    def roll(self, heading: int, speed: int = 100, *, on_step: RollFunc | None = None, **options: Any) -> Move:
        """Roll forward.

        Args:
            heading: Degrees,
                clockwise.
            speed: Up to 255.

        Returns:
            Itself.
        """
    async def wait(self, timeout_s: float = 1.0) -> bool:
        """Wait for the end."""
    async def steps(self) -> AsyncIterator[int]: ...
    def __enter__(self) -> Move: ...
    def __exit__(self, *exc: object) -> None: ...
    def __len__(self) -> int: ...
    @classmethod
    def idle(cls) -> Move: ...
    @staticmethod
    def degrees(radians: float, /) -> float: ...
    def cached(self, key: str) -> str: ...
    @property
    def log(self) -> list[str]:
        """What happened so far."""
    @contextmanager
    def lights(self, color: Color = Color.RED) -> Generator[None]:
        """Shine while inside."""
    class Options:
        """How to move."""
        def soft(self) -> bool: ...

class Ball(Body):
    """A ball that rolls."""
    def new_move(self, run_immediately: bool = False, plan: Plan | None = None) -> Move:
        """Start a movement."""
    def shine(self, color: Color) -> None: ...

RollFunc = Callable[["Ball", float], bool]
"""Called while rolling, with the ball and the seconds passed; return False to stop."""

class Color(Enum):
    """What it shines in."""
    RED = "red"
    BLUE = "blue"  # the default
    BRIGHT = "BRIGHT".lower()  # 'bright'
    """Whatever stands out."""
    @property
    def is_dark(self) -> bool: ...

class Body(ABC):
    """Anything with a body."""
    name: str
    """How it is called."""
    # in grams
    weight: float = 1_000.0
    limit: ClassVar[int] = 0x10
    def stop(self) -> None:
        """Stand still."""
    def _apply(self, raw: bytes) -> None:
        """Part of the interface, though private."""
    @property
    def position(self) -> tuple[float, float]:
        """Metres from the start."""
    speed: float
    """Metres per second."""\
''')


def test_alias_is_noted(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import area as size\nfrom gallery.shapes import Drawable as D"
    assert reflected(text) == snapshot('''\
# from gallery.tools
def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""
size = area

# from gallery.shapes
class Drawable(Protocol):
    width: int
    def draw(self, canvas: list[list[int]]) -> None: ...
D = Drawable\
''')


def test_second_name_of_the_same_is_one_line(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import area\nfrom gallery import surface"
    assert reflected(text) == snapshot('''\
# from gallery.tools
def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""

# from gallery
surface = area\
''')


def test_module_is_one_line(reflected: Callable[..., str]) -> None:
    text = "import gallery.tools\nimport gallery.records as rec\nfrom gallery import shapes, shapes as forms"
    assert reflected(text) == snapshot("""\
import gallery.tools  # Functions and values.
import gallery.records as rec  # Data.
from gallery import shapes  # Interfaces and classes.
from gallery import shapes as forms  # Interfaces and classes.\
""")


def test_star_import_brings_public_names(reflected: Callable[..., str]) -> None:
    text = "from gallery import *"
    assert reflected(text) == snapshot('''\
# from gallery
class Ball(Body):
    """A ball that rolls."""
    def new_move(self, run_immediately: bool = False, plan: Plan | None = None) -> Move:
        """Start a movement."""
    def shine(self, color: Color) -> None: ...

def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""
surface = area

# from gallery.shapes (not imported)
class Body(ABC):
    """Anything with a body."""
    name: str
    """How it is called."""
    # in grams
    weight: float = 1_000.0
    limit: ClassVar[int] = 0x10
    def stop(self) -> None:
        """Stand still."""
    def _apply(self, raw: bytes) -> None:
        """Part of the interface, though private."""
    @property
    def position(self) -> tuple[float, float]:
        """Metres from the start."""
    speed: float
    """Metres per second."""

class Move:
    """A movement under way."""
    DEFAULT_S = 2.5
    def __init__(self, ball: Ball, *, run_immediately: bool = False) -> None:
        """Args:
        ball: The one that moves.
        """
    def roll(self, heading: int, speed: int = 100, *, on_step: RollFunc | None = None, **options: Any) -> Move:
        """Roll forward.

        Args:
            heading: Degrees,
                clockwise.
            speed: Up to 255.

        Returns:
            Itself.
        """
    async def wait(self, timeout_s: float = 1.0) -> bool:
        """Wait for the end."""
    async def steps(self) -> AsyncIterator[int]: ...
    def __enter__(self) -> Move: ...
    def __exit__(self, *exc: object) -> None: ...
    def __len__(self) -> int: ...
    @classmethod
    def idle(cls) -> Move: ...
    @staticmethod
    def degrees(radians: float, /) -> float: ...
    def cached(self, key: str) -> str: ...
    @property
    def log(self) -> list[str]:
        """What happened so far."""
    @contextmanager
    def lights(self, color: Color = Color.RED) -> Generator[None]:
        """Shine while inside."""
    class Options:
        """How to move."""
        def soft(self) -> bool: ...

class Color(Enum):
    """What it shines in."""
    RED = "red"
    BLUE = "blue"  # the default
    BRIGHT = "BRIGHT".lower()  # 'bright'
    """Whatever stands out."""
    @property
    def is_dark(self) -> bool: ...

RollFunc = Callable[["Ball", float], bool]
"""Called while rolling, with the ball and the seconds passed; return False to stop."""\
''')


def test_class_and_object_that_describe_themselves(reflected: Callable[..., str]) -> None:
    text = "from gallery.speaking import Spoken, ada, Silent"
    assert reflected(text) == snapshot("""\
# from gallery.speaking
class Spoken:
    '''In its own words.'''

# ada: Ada is a person, and this is no Python\
""")


def test_order_is_that_of_the_file(reflected: Callable[..., str]) -> None:
    text = "from gallery.tools import MAX_ITEMS\nfrom gallery.records import Row\nfrom gallery.tools import area"
    assert reflected(text) == snapshot('''\
# from gallery.tools
MAX_ITEMS: int = 50

# from gallery.records
class Row(TypedDict, total=False):
    id: int
    """The key."""
    title: str

# from gallery.tools
def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""\
''')


def test_types_are_reached_once_in_the_order_named(reflected: Callable[..., str]) -> None:
    headings = [
        line for line in reflected("from gallery.shapes import Ball").split("\n") if line[:6] in ("class ", "RollFu")
    ]
    assert headings == snapshot(
        [
            "class Ball(Body):",
            "class Body(ABC):",
            "class Move:",
            "class Color(Enum):",
            'RollFunc = Callable[["Ball", float], bool]',
        ]
    )


def test_nothing_is_said_about_what_every_model_knows(reflected: Callable[..., str]) -> None:
    text = (
        "import os, json\nfrom typing import Any, Callable\nfrom pathlib import Path\n"
        "from collections import OrderedDict\n"
        "from pydantic import BaseModel, Field\nfrom typing_extensions import TypedDict\n"
        "from ghostos_moss import Moss as Parent\nfrom gallery.tools import Path as P\n"
    )
    assert reflected(text) == ""


def test_types_of_other_packages_are_not_reached(reflected: Callable[..., str], tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "moss_uses_gallery.py").write_text("from gallery.shapes import Move\ndef go(move: Move) -> None: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert reflected("from moss_uses_gallery import go") == snapshot("""\
# from moss_uses_gallery
def go(move: Move) -> None: ...\
""")


def test_types_that_the_module_names_through_a_module_are_reached(reflected: Callable[..., str]) -> None:
    text = "from gallery import records as rec\nclass Holder:\n    row: rec.Row\n    other: 'rec.Pair'\n"
    assert reflected(text) == snapshot('''\
from gallery import records as rec  # Data.

# from gallery.records (here: rec)
class Row(TypedDict, total=False):
    id: int
    """The key."""
    title: str

class Pair(NamedTuple):
    left: int
    right: int = 0\
''')


def test_names_imported_in_a_hidden_region_are_neither_reflected_nor_reached(reflected: Callable[..., str]) -> None:
    shown = "from gallery.shapes import Body\nfrom gallery.tools import rolls\n"
    prompt = reflected(f"{shown}# <moss-hide>\nfrom gallery.shapes import Ball\n# </moss-hide>\n")
    assert "def rolls(ball: Ball)" in prompt
    assert "class Ball" not in prompt


def test_visible_source_may_name_what_a_hidden_region_imports(reflected: Callable[..., str]) -> None:
    hidden = "# <moss-hide>\nfrom gallery.records import Pair\n# </moss-hide>\n"
    assert "class Pair" in reflected(f"import gallery.records\n{hidden}def f(pair: Pair): ...\n")


def test_names_not_bound_at_run_time_are_left_out(reflected: Callable[..., str]) -> None:
    unbound = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from gallery.tools import area\n"
    deleted = "from gallery.tools import fetch\ndel fetch\n"
    assert reflected(unbound + deleted) == ""


def test_types_imported_for_type_checkers_only_are_not_reached_whether_loaded_or_not(
    reflected: Callable[..., str],
) -> None:
    assert "class Plan" not in reflected("from gallery.shapes import Ball")
    assert "class Plan" not in reflected("import gallery.records\nfrom gallery.shapes import Ball")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is new in Python 3.12")
def test_type_parameters_and_type_statements(reflected: Callable[..., str], tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "moss_generic.py").write_text(
        "type Pairs[T] = list[tuple[T, T]]\n'''Two of each.'''\n"
        "class Box[T: int]:\n    def put[S](self, item: T, more: Pairs[S]) -> None: ...\n"
        "def first[T](items: Pairs[T]) -> T: ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert reflected("from moss_generic import first, Box").split("\n") == [
        "# from moss_generic",
        "def first[T](items: Pairs[T]) -> T: ...",
        "",
        "class Box[T: int]:",
        "    def put[S](self, item: T, more: Pairs[S]) -> None: ...",
        "",
        "# from moss_generic (not imported)",
        "type Pairs[T] = list[tuple[T, T]]",
        '"""Two of each."""',
    ]


def test_members_in_hidden_regions_of_an_imported_file_stay_hidden(
    reflected: Callable[..., str], tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "moss_partly.py").write_text(
        "class A:\n    def shown(self) -> int: ...\n"
        "    # <moss-hide>\n    def secret(self) -> int: ...\n    # </moss-hide>\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for level in ("full", "source"):
        prompt = reflected("from moss_partly import A", level=level)
        assert "shown" in prompt
        assert "secret" not in prompt
        assert "moss-hide" not in prompt


def test_imported_file_with_unpaired_marks_is_an_error(
    reflected: Callable[..., str], tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "moss_unpaired.py").write_text("# <moss-hide>\nclass A: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HiddenRegionError, match=r"moss_unpaired\.py, line 1"):
        reflected("from moss_unpaired import A")


def test_class_prompt_that_raises_names_the_class(reflected: Callable[..., str]) -> None:
    with pytest.raises(LifecycleError, match=r"Broken\.__class_prompt__: it raised ValueError: out of words"):
        reflected("from gallery.speaking import Broken")


ODD = """
import sys

class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

class Hostile(metaclass=Meta): ...

class Loud:
    def __getattr__(self, name):
        raise RuntimeError(name)
    def __repr__(self):
        raise RuntimeError
    def __eq__(self, other):
        raise RuntimeError

loud = Loud()
made = type("Made", (), {"x": 1, "__doc__": "Made at run time.", "go": lambda self, at=loud: None})
big = 10 ** 5000
nested = [[[[[[[[]]]]]]]]
loop = []
loop.append(loop)
none = None
number = float("nan")

def make():
    class Local:
        def go(self) -> int: ...
    def local(x: Local = object()) -> Local: ...
    return Local, local

Local, local = make()

class Named:
    __name__ = None
    __wrapped__ = 3

named = Named()
exec("def from_text(x: int) -> int: ...\\nclass FromText:\\n    def go(self): ...")
"""


def test_odd_objects_end_in_a_plainer_description(reflected: Callable[..., str], tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "moss_odd.py").write_text(ODD)
    monkeypatch.syspath_prepend(tmp_path)
    names = "Hostile, loud, made, big, nested, loop, none, number, Local, local, named, from_text, FromText"
    assert reflected(f"from moss_odd import {names}") == snapshot("""\
# from moss_odd
Hostile: Meta
loud: Loud
made = type("Made", (), {"x": 1, "__doc__": "Made at run time.", "go": lambda self, at=loud: None})
big: int
nested: list = [[[[[[[[]]]]]]]]
loop: list = []
none: None = None
number: float = nan

class Local:
    def go(self) -> int: ...

def local(x: Local = ...) -> Local: ...
named: Named
def from_text(x: int) -> int: ...

class FromText:
    def go(self): ...

# from moss_odd (not imported)
class Loud: ...
class Named: ...\
""")


def test_source_level_is_the_literal_text(reflected: Callable[..., str]) -> None:
    text = "from gallery.records import Point\nfrom gallery.tools import tagged, MAX_ITEMS"
    assert reflected(text, level="source") == snapshot('''\
# from gallery.records
@dataclass(frozen=True, kw_only=True)
class Point:
    """A point.

    Attributes:
        x: To the right.
    """

    x: float
    y: float = 0.0  # pragma: no cover
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None: ...

    def moved(self, dx: float) -> "Point":
        return self

# from gallery.tools
@tag("tool")
def tagged(x: int) -> int:
    """Tagged."""
    return x

MAX_ITEMS: int = 50\
''')


@pytest.mark.parametrize("level", ["full", "no_param_docs", "no_docs", "source"])
def test_stubs_are_valid_python(reflected: Callable[..., str], level: PromptLevel) -> None:
    prompt = reflected(ALL_GALLERY, level=level)
    assert len(ast.parse(prompt).body) > 50
    assert " at 0x" not in prompt


def test_docs_survive_being_written_back(reflected: Callable[..., str]) -> None:
    tree = ast.parse(reflected("from gallery.tools import fetch, area\nfrom gallery.shapes import Move"))
    docs = {
        node.name: ast.get_docstring(node)
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef | ast.ClassDef)
    }
    assert docs["fetch"] == sys.modules["gallery.tools"].fetch.__doc__
    assert docs["Move"] == sys.modules["gallery.shapes"].Move.__doc__
