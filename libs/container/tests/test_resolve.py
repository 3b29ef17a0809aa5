import asyncio
from typing import Protocol

import pytest

from ghostos_container import (
    CircularDependencyError,
    Container,
    ContractNotBoundError,
    NotMakeableError,
    Provider,
    WrongTypeError,
    provide,
)


class Clock:
    pass


class ClockProvider(Provider[Clock]):
    def factory(self, container: Container) -> Clock:
        return Clock()


def test_singleton_is_made_once():
    container = Container()
    container.register(ClockProvider())
    assert container.get(Clock) is container.force_fetch(Clock) is container.fetch(Clock)


def test_a_provider_without_singleton_makes_one_each_time():
    container = Container()
    container.register(provide(Clock, singleton=False)(lambda _: Clock()))
    assert container.get(Clock) is not container.get(Clock)


def test_unbound_contract_is_none_for_get_and_fetch_and_an_error_for_force_fetch():
    container = Container()
    assert container.get(Clock) is None
    assert container.fetch(Clock) is None
    with pytest.raises(ContractNotBoundError) as caught:
        container.force_fetch(Clock)
    assert str(caught.value) == (
        "No provider is bound for 'Clock': call container.register(...) or container.set(Clock, ...)"
    )
    assert caught.value.contract is Clock


def test_none_is_a_value():
    container, calls = Container(), []
    container.register(provide(Clock)(lambda _: calls.append(1)))
    assert container.get(Clock) is None
    assert container.force_fetch(Clock) is None
    assert calls == [1]
    assert container.bound(Clock)


@pytest.mark.parametrize("key", ["dsn", ("clock", "utc"), 7, list[int], Clock | None])
def test_any_hashable_is_a_key(key: object):
    container = Container()
    container.set(key, "value")
    assert container.get(key) == "value"


def test_a_rebind_is_honoured_at_once():
    container = Container()
    child = container.child()
    container.register(ClockProvider())
    old, new = child.get(Clock), Clock()
    container.bind(Clock, new)
    assert old is not new
    assert container.get(Clock) is child.get(Clock) is new
    container.register(ClockProvider())
    assert child.get(Clock) not in (old, new)


def test_a_rebind_while_the_singleton_is_made_wins():
    container, new = Container(), Clock()

    @provide(Clock)
    def slow(container: Container) -> Clock:
        container.set(Clock, new)
        return Clock()

    container.register(slow)
    assert container.get(Clock) is not new
    assert container.get(Clock) is new


def test_fetch_checks_the_type_and_get_does_not():
    container = Container()
    container.set(Clock, "noon")
    assert container.get(Clock) == "noon"
    for ask in (container.fetch, container.force_fetch):
        with pytest.raises(WrongTypeError, match="'Clock' is bound to an instance of 'str'") as caught:
            ask(Clock)
        assert caught.value.value == "noon"


def test_what_cannot_be_checked_is_not():
    class Speaks(Protocol):
        def speak(self) -> str: ...

    container = Container()
    container.set(Speaks, 1)
    container.set(list[int], "no list")
    assert container.fetch(Speaks) == 1
    assert container.fetch(list[int]) == "no list"


def test_make_makes_a_new_one_and_keeps_none():
    container = Container()
    container.register(ClockProvider())
    kept = container.get(Clock)
    assert container.make(Clock) is not kept
    assert container.get(Clock) is kept


def test_make_needs_a_provider():
    container = Container()
    with pytest.raises(ContractNotBoundError):
        container.make(Clock)
    container.set(Clock, Clock())
    with pytest.raises(NotMakeableError, match="bound to a value"):
        container.make(Clock)


def test_alias_follows_rebinds_and_children():
    container = Container()
    container.register(provide(Clock, aliases=["clock"])(lambda _: Clock()))
    assert container.get("clock") is container.get(Clock)
    child = container.child()
    child.set(Clock, "the child's")
    assert child.get("clock") == "the child's"
    container.set("clock", "an own value")
    assert container.get("clock") == "an own value"
    assert container.get(Clock) != "an own value"


def test_aliases_that_name_each_other_end():
    root = Container()
    root.register(provide("a", aliases=["b"])(lambda _: "made of a"))
    child = root.child()
    child.register(provide("b", aliases=["a"])(lambda _: "made of b"))
    child.register(provide("b", inheritable=False)(lambda _: "unseen below"))
    assert child.child().get("a") == "made of a"


def test_error_draws_the_path():
    container = Container()
    container.register(provide("mail")(lambda c: c.force_fetch(Clock)), provide("report")(lambda c: c.get("mail")))
    with pytest.raises(ContractNotBoundError, match=r"needed by 'report' -> 'mail' -> Clock") as caught:
        container.get("report")
    assert caught.value.path == ("report", "mail", Clock)


def test_error_of_a_factory_comes_out_as_it_is_with_one_note():
    container = Container()
    container.register(provide("clock")(lambda _: 1 // 0), provide("report")(lambda c: c.get("clock")))
    with pytest.raises(ZeroDivisionError) as caught:
        container.get("report")
    assert caught.value.__notes__ == ["While resolving 'report' -> 'clock'"]


def test_a_singleton_that_failed_is_tried_again():
    container, outcomes = Container(), iter([ValueError("not yet"), Clock()])

    @provide(Clock)
    def flaky(_: Container) -> Clock:
        outcome = next(outcomes)
        if isinstance(outcome, ValueError):
            raise outcome
        return outcome

    container.register(flaky)
    with pytest.raises(ValueError, match="not yet"):
        container.get(Clock)
    assert isinstance(container.get(Clock), Clock)


def test_a_class_of_the_same_name_is_pointed_out():
    other = type("Clock", (), {"__module__": "copy_of_module"})
    container = Container()
    container.set(other, other())
    with pytest.raises(ContractNotBoundError, match="from 'copy_of_module'") as caught:
        container.force_fetch(type("Clock", (), {}))
    assert caught.value.lookalikes == (other,)


@pytest.mark.parametrize("singleton", [True, False])
def test_a_cycle_is_named(singleton):
    container = Container()
    for contract, needs in (("start", "A"), ("A", "B"), ("B", "A")):
        container.register(provide(contract, singleton=singleton)(lambda c, needs=needs: c.get(needs)))
    with pytest.raises(CircularDependencyError) as caught:
        container.get("start")
    assert caught.value.cycle == ("A", "B", "A")
    assert "'A' -> 'B' -> 'A'" in str(caught.value)


def test_a_singleton_that_makes_itself_is_a_cycle():
    container = Container()
    container.register(provide("A")(lambda c: c.make("A")))
    with pytest.raises(CircularDependencyError) as caught:
        container.get("A")
    assert caught.value.cycle == ("A", "A")


def test_the_container_answers_for_itself_unless_it_is_bound():
    root = Container()
    child = root.child()
    assert root.get(Container) is root
    assert child.force_fetch(Container) is child
    assert child.bound(Container)
    assert Container not in child.contracts()
    root.set(Container, child)
    assert root.get(Container) is child


async def test_async_twins_agree_with_the_sync_ones():
    container = Container()
    container.register(ClockProvider())
    clock = await container.aget(Clock)
    assert clock is container.get(Clock) is await container.afetch(Clock) is await container.aforce_fetch(Clock)
    assert await container.amake(Clock) is not clock
    assert await container.aget("unbound") is None
    with pytest.raises(ContractNotBoundError):
        await container.aforce_fetch("unbound")
    await asyncio.sleep(0)
