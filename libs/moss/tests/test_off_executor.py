"""What is particular to the executor without confinement. What all have in common: `test_executor_contract.py`."""

import threading
from collections.abc import Mapping

import pytest

from ghostos_container import Container
from ghostos_moss import ModuleSession, MossRuntime, OffExecutor, Permissions, PyContext, load_source, new_compiler


@pytest.fixture
def open_off(write_module):
    sessions: list[ModuleSession] = []

    def open_it(
        source: str, *, injections: Mapping[str, object] | None = None, permissions: Permissions | None = None
    ) -> ModuleSession:
        sessions.append(
            OffExecutor().open(
                load_source(write_module(source)),
                pycontext=PyContext(),
                container=Container(),
                injections=injections or {},
                permissions=permissions,
            )
        )
        return sessions[-1]

    yield open_it
    for session in sessions:
        session.close()


def test_off_has_its_name_and_takes_permissions_without_enforcing_them(open_off):
    session = open_off("import os", permissions=Permissions())
    assert OffExecutor().name == "off"
    assert session.run("print(os.getpid() > 0)").std_output == "True\n"


def test_off_injects_the_real_objects(open_off):
    thing = object()
    session = open_off("", injections={"thing": thing})
    assert session.run(f"print(id(moss.thing) == {id(thing)})").std_output == "True\n"
    assert session.run("1").calls == ()


def test_a_runtime_may_be_closed_while_it_runs(write_module):
    runtime: MossRuntime = new_compiler().compile(write_module(""))
    started = threading.Event()
    runtime.locals()["started"] = started
    errors: list[BaseException] = []

    def work() -> None:
        try:
            runtime.execute(code="started.set()\nwhile True: pass")
        except BaseException as exc:  # noqa: BLE001 - what is tested
            errors.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    runtime.close()
    thread.join(timeout=30)
    assert "its runtime was closed" in str(errors[0])
