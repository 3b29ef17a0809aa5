import gc
import weakref

import pytest

from ghostos_container import Container, ContainerClosedError, provide


def test_child_container_falls_back_to_parent():
    root = Container(name="app")
    child = root.child("task")
    root.set("dsn", "sqlite://")
    assert child.get("dsn") == "sqlite://"
    assert child.parent is root
    assert repr(child) == "<Container 'app/task'>"


def test_a_child_hides_what_the_parent_has():
    root = Container()
    child = Container(root)
    root.set("dsn", "root")
    child.register(provide("dsn")(lambda _: "child"))
    assert (child.get("dsn"), root.get("dsn")) == ("child", "root")


def test_a_singleton_of_the_parent_never_gets_hold_of_what_a_child_has():
    root = Container()
    root.register(provide("service")(lambda c: (c, c.get("user"))))
    child = root.child()
    child.set("user", "alice")
    assert child.get("service") == (root, None)
    assert root.get("service") is child.get("service")


def test_a_factory_runs_with_the_container_that_asks():
    root = Container()
    root.register(provide("service", singleton=False)(lambda c: (c, c.get("user"))))
    child = root.child()
    child.set("user", "alice")
    assert child.get("service") == (child, "alice")
    assert root.get("service") == (root, None)


def test_make_runs_with_the_container_that_asks():
    root = Container()
    root.register(provide("service")(lambda c: (c,)))
    child = root.child()
    assert child.make("service") == (child,)


def test_a_provider_that_is_not_inheritable_is_seen_in_its_own_container_only():
    top = Container()
    middle = top.child()
    bottom = middle.child()
    top.set("dsn", "top")
    middle.register(provide("dsn", inheritable=False, aliases=["url"])(lambda _: "middle"))
    assert (middle.get("dsn"), middle.get("url")) == ("middle", "middle")
    assert bottom.get("dsn") == "top"
    assert not bottom.bound("url")
    assert bottom.contracts() == ["dsn"]


def test_contracts_are_listed_own_first():
    root = Container()
    child = root.child()
    root.register(provide("a", aliases=["b"])(lambda _: 1))
    child.set("c", 1)
    child.set("a", 1)
    assert child.contracts() == ["c", "a", "b"]
    assert child.contracts(recursively=False) == ["c", "a"]


def test_a_child_that_is_dropped_is_freed_at_once():
    root = Container()
    root.register(provide("user", singleton=False)(lambda c: c.get("dsn")))
    child = root.child()
    child.set("dsn", "sqlite://")
    child.register(provide("service")(lambda c: c.get("dsn")))
    child.get("service")
    child.get("user")
    gone = weakref.ref(child)
    gc.disable()
    try:
        del child
        assert gone() is None
    finally:
        gc.enable()


def test_a_grandchild_with_a_callback_is_not_lost():
    root, closed = Container(), []
    root.child().child().add_shutdown(lambda: closed.append("grandchild"))
    gc.collect()
    root.shutdown()
    assert closed == ["grandchild"]


def test_a_shut_down_child_is_released_by_its_parent():
    root = Container()
    child = root.child()
    child.add_shutdown(lambda: None)
    child.shutdown()
    gone = weakref.ref(child)
    del child
    gc.collect()
    assert gone() is None


def test_a_closed_parent_closes_its_children():
    root = Container()
    child = root.child()
    root.shutdown()
    with pytest.raises(ContainerClosedError):
        child.get("dsn")
