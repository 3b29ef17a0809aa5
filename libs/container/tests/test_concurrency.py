import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from ghostos_container import AsyncFactoryError, CircularDependencyError, Container, provide

WAIT_S = 20


def test_sixteen_threads_get_one_instance():
    container, barrier, made = Container(), Barrier(16), []

    @provide("service")
    def factory(_: Container) -> object:
        made.append(object())
        Event().wait(0.05)
        return made[-1]

    container.register(factory)

    def ask(_: int) -> object:
        barrier.wait(WAIT_S)
        return container.get("service")

    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(ask, range(16)))
    assert len(made) == 1
    assert all(value is made[0] for value in got)


def test_threads_that_wait_try_themselves_when_the_first_fails():
    container, barrier, calls = Container(), Barrier(4), []

    @provide("service")
    def factory(_: Container) -> str:
        calls.append(1)
        if len(calls) == 1:
            Event().wait(0.05)
            raise ValueError("first")
        return "made"

    container.register(factory)

    def ask(_: int) -> str:
        barrier.wait(WAIT_S)
        try:
            return str(container.get("service"))
        except ValueError as exc:
            return str(exc)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == ["first", "made", "made", "made"]
    assert len(calls) == 2


def test_opposite_order_in_two_threads_is_a_cycle_and_no_deadlock():
    container, both_began = Container(), Barrier(2)
    met: set[str] = set()

    def factory_of(contract: str, needs: str):
        def factory(c: Container) -> object:
            if contract not in met:  # each begins its own before it needs the other's
                met.add(contract)
                both_began.wait(WAIT_S)
            return (contract, c.get(needs))

        return factory

    container.register(provide("A")(factory_of("A", "B")), provide("B")(factory_of("B", "A")))

    def ask(contract: str) -> CircularDependencyError:
        with pytest.raises(CircularDependencyError) as caught:
            container.get(contract)
        return caught.value

    with ThreadPoolExecutor(2) as pool:
        errors = [future.result(WAIT_S) for future in [pool.submit(ask, "A"), pool.submit(ask, "B")]]
    assert {error.cycle for error in errors} <= {("A", "B", "A"), ("B", "A", "B")}


def test_two_keys_that_do_not_need_each_other_are_made_at_the_same_time():
    container, both = Container(), Barrier(2)
    for key in ("A", "B"):
        container.register(provide(key)(lambda _: both.wait(WAIT_S)))
    with ThreadPoolExecutor(2) as pool:
        assert sorted(str(position) for position in pool.map(container.get, "AB")) == ["0", "1"]


async def test_async_tasks_get_one_instance():
    container, made = Container(), []

    @provide("service")
    async def factory(_: Container) -> object:
        made.append(object())
        await asyncio.sleep(0.01)
        return made[-1]

    container.register(factory)
    got = await asyncio.gather(*(container.aget("service") for _ in range(16)))
    assert made == [got[0]]
    assert all(value is got[0] for value in got)
    assert container.get("service") is got[0]


async def test_cancelling_one_who_waits_leaves_the_others_alone():
    container, may_end = Container(), asyncio.Event()

    @provide("service")
    async def factory(_: Container) -> str:
        await may_end.wait()
        return "made"

    container.register(factory)
    maker, impatient, patient = (asyncio.create_task(container.aget("service")) for _ in range(3))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    may_end.set()
    assert await asyncio.gather(maker, patient) == ["made", "made"]
    assert impatient.cancelled()


async def test_when_the_maker_is_cancelled_one_who_waits_makes_it():
    container, calls, may_end = Container(), [], asyncio.Event()

    @provide("service")
    async def factory(_: Container) -> int:
        calls.append(1)
        await may_end.wait()
        return len(calls)

    container.register(factory)
    maker, other = (asyncio.create_task(container.aget("service")) for _ in range(2))
    await asyncio.sleep(0)
    maker.cancel()
    may_end.set()
    assert await asyncio.wait_for(other, WAIT_S) == 2


async def test_a_task_waits_for_a_thread_without_blocking_its_loop():
    container, began, may_end = Container(), Event(), Event()

    @provide("service")
    def factory(_: Container) -> str:
        began.set()
        may_end.wait(WAIT_S)
        return "made"

    container.register(factory)
    in_thread = asyncio.create_task(asyncio.to_thread(container.get, "service"))
    await asyncio.to_thread(began.wait, WAIT_S)
    in_loop = asyncio.create_task(container.aget("service"))
    await asyncio.sleep(0)
    may_end.set()
    assert await asyncio.gather(in_thread, in_loop) == ["made", "made"]


async def test_opposite_order_in_two_tasks_is_a_cycle_and_no_deadlock():
    container = Container()

    def factory_of(needs: str):
        async def factory(c: Container) -> object:
            await asyncio.sleep(0)
            return await c.aget(needs)

        return factory

    container.register(provide("A")(factory_of("B")), provide("B")(factory_of("A")))
    asked = asyncio.gather(container.aget("A"), container.aget("B"), return_exceptions=True)
    assert [type(result) for result in await asyncio.wait_for(asked, WAIT_S)] == [CircularDependencyError] * 2


async def test_a_factory_may_resolve_in_parallel_what_shares_a_dependency():
    container = Container()

    def needing(*contracts: str):
        async def factory(c: Container) -> list[object]:
            await asyncio.sleep(0)
            return list(await asyncio.gather(*(c.aget(contract) for contract in contracts)))

        return factory

    container.register(provide("top")(needing("left", "right")))
    container.register(provide("left")(needing("shared")), provide("right")(needing("shared")))
    container.register(provide("shared")(needing()))
    assert await asyncio.wait_for(container.aget("top"), WAIT_S) == [[[]], [[]]]


async def test_a_task_that_outlives_its_factory_has_no_path():
    container, may_go = Container(), asyncio.Event()

    async def later() -> object:
        await may_go.wait()
        return container.get("service")

    @provide("service", singleton=False)
    def factory(_: Container) -> object:
        return asyncio.create_task(later()) if not may_go.is_set() else "made"

    container.register(factory)
    task = container.get("service")
    assert isinstance(task, asyncio.Task)
    may_go.set()
    assert await task == "made"


async def test_an_async_factory_asked_synchronously_is_an_error():
    container = Container()

    async def factory(_: Container) -> str:
        return "made"

    container.register(provide("kept")(factory), provide("new", singleton=False)(factory))
    for ask in (lambda: container.get("kept"), lambda: container.get("new"), lambda: container.make("kept")):
        with pytest.raises(AsyncFactoryError, match="has an async factory"):
            ask()
    assert [await container.aget("kept"), await container.aget("new"), await container.amake("kept")] == ["made"] * 3
    assert container.get("kept") == "made"
