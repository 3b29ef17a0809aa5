"""Objects of the host in confined code: what they raise, hand over, and iterate over, as it would be in process."""

import pytest

from ghostos_container import Container
from ghostos_moss import PyContext, load_source

SHOP = """
    from collections.abc import Callable, Iterator
    from pydantic import BaseModel, ValidationError

    class Order(BaseModel):
        count: int

    class SoldOutError(Exception):
        def __init__(self, item, left):
            self.item, self.left = item, left
        def __str__(self):
            return f"{self.item}: {self.left} left"

    class Item:
        def name(self) -> str: ...

    class Shop:
        def fail(self, kind: str) -> None: ...
        async def get(self, number: int) -> Item: ...
        def all(self, count: int) -> Iterator[Item]: ...
        def take(self) -> Iterator[int]: ...
        def some(self) -> Iterator[int]: ...
        def taken(self) -> int: ...

    class RealItem(Item):
        def name(self):
            return "item"

    class RealShop(Shop):
        def __init__(self):
            self.count = 0
        def fail(self, kind):
            match kind:
                case "decode":
                    b"\\xff".decode("utf-8")
                case "group":
                    raise ExceptionGroup("two things", [ValueError("a"), KeyError("b")])
                case "model":
                    Order.model_validate({"count": "many"})
                case "own":
                    raise SoldOutError("tea", 2)
                case "key":
                    raise KeyError("tea")
                case "file":
                    raise FileNotFoundError(2, "No such file", "tea.txt")
        async def get(self, number):
            return RealItem()
        def all(self, count):
            return (RealItem() for _ in range(count))
        def take(self):
            while self.count < 1000:
                self.count += 1
                yield self.count
        def some(self):
            yield from range(10)
            raise ValueError("the tenth is the last")
        def taken(self):
            return self.count
"""
AGENT = """
    from {shop} import Item, Order, Shop, SoldOutError, ValidationError
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        shop: Shop
"""


@pytest.fixture
def library(write_module):
    return __import__(write_module(SHOP))


@pytest.fixture
def session(process_executor, write_module, library):
    container = Container()
    container.set(library.Shop, library.RealShop())
    source = load_source(write_module(AGENT.replace("{shop}", library.__name__)))
    session = process_executor.open(source, pycontext=PyContext(), container=container, injections={})
    yield session
    session.close()


@pytest.mark.parametrize("kind", ["decode", "group", "model", "own", "key", "file"])
def test_an_error_of_the_host_arrives_with_its_text_and_the_name_of_its_class(session, library, kind):
    with pytest.raises(Exception) as raised:
        library.RealShop().fail(kind)
    code = (
        f"try:\n    moss.shop.fail({kind!r})\nexcept Exception as exc:\n    print(f'{{type(exc).__name__}}: {{exc}}')\n"
    )
    result = session.run(code)
    assert result.error is None
    assert result.std_output == f"{type(raised.value).__name__}: {raised.value}\n"
    assert str(raised.value) in session.run(f"moss.shop.fail({kind!r})").error


def test_an_error_of_the_host_is_caught_as_what_it_is(session):
    code = (
        "for kind, error in (('decode', UnicodeDecodeError), ('own', SoldOutError), ('key', LookupError)):\n"
        "    try:\n"
        "        moss.shop.fail(kind)\n"
        "    except error:\n"
        "        print(kind)\n"
    )
    result = session.run(code)
    assert (result.error, result.std_output) == (None, "decode\nown\nkey\n")


def test_objects_that_awaited_calls_return_are_let_go(session):
    code = (
        "import asyncio\n"
        "async def run(moss):\n"
        "    for _ in range(202):\n"
        "        await asyncio.gather(*[moss.shop.get(number) for number in range(50)])\n"
    )
    assert session.run(code, timeout_s=100).error is None


def test_objects_of_an_iterator_are_let_go_as_they_are_read(session):
    result = session.run("sum(item.name() == 'item' for item in moss.shop.all(10_050))", timeout_s=100)
    assert (result.error, result.returns) == (None, None)


def test_objects_of_iterators_that_nobody_reads_to_the_end_are_let_go(session):
    code = (
        "for _ in range(700):\n"
        "    for at, item in enumerate(moss.shop.all(100)):\n"
        "        if at == 15:\n"
        "            break\n"
        "for _ in range(2000):\n"
        "    moss.shop.all(100)\n"
    )
    assert session.run(code, timeout_s=100).error is None


def test_an_iterator_is_read_no_further_than_code_has_to(session):
    result = session.run("for number in moss.shop.take():\n    break\nprint(number, moss.shop.taken())")
    assert (result.error, result.std_output) == (None, "1 1\n")
    result = session.run("print(sum(moss.shop.take()) == sum(range(2, 1001)))")
    assert (result.error, result.std_output) == (None, "True\n")


def test_items_before_an_error_of_an_iterator_arrive(session):
    code = "try:\n    for item in moss.shop.some():\n        print(item)\nexcept ValueError as exc:\n    print(exc)\n"
    result = session.run(code)
    assert result.error is None
    assert result.std_output.split("\n") == [*map(str, range(10)), "the tenth is the last", ""]


def test_who_may_not_call_gets_no_items_either(session):
    asked = []

    def check():
        asked.append(1)
        if len(asked) > 2:
            raise RuntimeError("the task is another's")

    result = session.run("for item in moss.shop.some():\n    print(item)", before_call=check)
    assert "the task is another's" in result.error
    assert result.std_output == "0\n"
