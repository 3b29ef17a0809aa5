import asyncio

import pytest

from ghostos_container import (
    AsyncShutdownError,
    Container,
    ContainerClosedError,
    ContainerError,
    ShutdownError,
    provide,
)


def test_shutdown_is_last_in_first_out_children_first():
    root, order = Container(), []
    first, second = root.child(), root.child()
    for container, name in (
        (root, "root 1"),
        (first, "first"),
        (second, "second 1"),
        (second, "second 2"),
        (root, "root 2"),
    ):
        container.add_shutdown(lambda name=name: order.append(name))
    root.shutdown()
    assert order == ["second 2", "second 1", "first", "root 2", "root 1"]


def test_shutdown_twice_is_once():
    container, calls = Container(), []
    container.add_shutdown(lambda: calls.append(1))
    container.add_shutdown(container.shutdown)
    container.shutdown()
    container.shutdown()
    assert calls == [1]


def test_a_value_is_not_closed_unless_it_was_added():
    class Connection:
        closed = False

        def close(self) -> None:
            self.closed = True

    mine, theirs = Connection(), Connection()
    with Container() as container:
        container.set("theirs", theirs)
        container.set("mine", mine)
        container.add_shutdown(mine.close)
    assert (mine.closed, theirs.closed) == (True, False)


def test_errors_come_in_a_group_and_stop_nothing():
    root, order = Container(name="app"), []
    child = root.child()
    root.add_shutdown(lambda: order.append("root"))
    root.add_shutdown(lambda: 1 // 0)
    child.add_shutdown(lambda: {}["missing"])
    with pytest.raises(ShutdownError) as caught:
        root.shutdown()
    assert isinstance(caught.value, ExceptionGroup)
    assert isinstance(caught.value, ContainerError)
    assert [type(exc) for exc in caught.value.exceptions] == [KeyError, ZeroDivisionError]
    assert isinstance(caught.value.subgroup(KeyError), ShutdownError)
    assert order == ["root"]


def test_an_interrupt_comes_out_after_the_rest_has_run():
    container, order = Container(), []

    def interrupt() -> None:
        raise KeyboardInterrupt

    container.add_shutdown(lambda: order.append("ran"))
    container.add_shutdown(interrupt)
    container.add_shutdown(lambda: 1 // 0)
    with pytest.raises(KeyboardInterrupt) as caught:
        container.shutdown()
    assert order == ["ran"]
    assert isinstance(caught.value.__cause__, ShutdownError)


def test_the_container_works_until_its_last_callback_and_takes_further_ones():
    container = Container()
    seen: list[str] = []
    container.set(list, seen)

    def last() -> None:
        container.add_shutdown(lambda: container.force_fetch(list).append("later"))
        with pytest.raises(ContainerClosedError):
            container.child()

    container.add_shutdown(last)
    container.shutdown()
    assert seen == ["later"]


@pytest.mark.parametrize(
    "use",
    [
        lambda c: c.get("dsn"),
        lambda c: c.force_fetch("dsn"),
        lambda c: c.make("dsn"),
        lambda c: c.set("dsn", 1),
        lambda c: c.register(provide("dsn")(lambda _: 1)),
        lambda c: c.bound("dsn"),
        lambda c: c.contracts(),
        lambda c: c.child(),
        lambda c: c.bootstrap(),
        lambda c: c.add_shutdown(print),
    ],
)
def test_use_after_shutdown_is_an_error(use):
    container = Container(name="app")
    container.set("dsn", "sqlite://")
    container.shutdown()
    with pytest.raises(ContainerClosedError, match="'app' is shut down"):
        use(container)


def test_a_singleton_that_is_finished_after_the_shutdown_is_not_handed_out():
    container = Container()
    container.register(provide("service")(lambda c: c.shutdown()))
    with pytest.raises(ContainerClosedError):
        container.get("service")


async def test_async_callbacks_are_awaited_in_order():
    order: list[str] = []

    async def close() -> None:
        await asyncio.sleep(0)
        order.append("async")

    async with Container() as container:
        container.add_shutdown(lambda: order.append("sync"))
        container.add_shutdown(close)
    assert order == ["async", "sync"]


async def test_sync_shutdown_refuses_async_callbacks_before_it_begins():
    root, order = Container(), []

    async def close() -> None:
        order.append("async")

    root.child().add_shutdown(close)
    root.add_shutdown(lambda: order.append("sync"))
    with pytest.raises(AsyncShutdownError, match="close is async"):
        root.shutdown()
    assert order == []
    await root.ashutdown()
    assert order == ["async", "sync"]


async def test_a_callback_that_turns_out_async_is_reported():
    async def close() -> None: ...

    container = Container()
    container.add_shutdown(lambda: close())  # noqa: PLW0108 - hides from inspection that it is async
    with pytest.raises(ShutdownError) as caught:
        container.shutdown()
    assert isinstance(caught.value.exceptions[0], AsyncShutdownError)


async def test_cancelled_shutdown_runs_the_rest_and_is_cancelled():
    container, order, started = Container(), [], asyncio.Event()

    async def hang() -> None:
        started.set()
        await asyncio.Event().wait()

    container.add_shutdown(lambda: order.append("ran"))
    container.add_shutdown(hang)
    task = asyncio.create_task(container.ashutdown())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert order == ["ran"]
