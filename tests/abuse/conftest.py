"""One executor for all attacks, and orphans that come to this process."""

import ctypes
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.abuse.harness import USER, Scene, find_users_python, open_scene
from tests.abuse.house import House, open_house

from ghostos_moss import ProcessExecutor
from ghostos_moss.errors import ConfinementError

_PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture(scope="session")
def executor() -> Iterator[ProcessExecutor]:
    made = ProcessExecutor()
    try:
        made.check_system()
    except ConfinementError as exc:
        pytest.skip(str(exc))
    yield made
    made.close()


@pytest.fixture(scope="session", autouse=True)
def _orphans_come_here() -> Iterator[None]:
    """What a command leaves behind becomes a child of this process, and is seen."""
    library = ctypes.CDLL(None)
    library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    library.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with open_scene() as made:
        made.host = os.getpid()
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.syspath_prepend(str(made.target.parent))
        yield made


@pytest.fixture
def users_scene(users_python: str | None) -> Iterator[Scene | None]:
    """A scene of an ordinary user, where the tests run as root and such a user can run anything."""
    if users_python is None:
        yield None
        return
    with open_scene(uid=USER, python=users_python) as made:
        yield made


@pytest.fixture(scope="session")
def users_python() -> Iterator[str | None]:
    """An interpreter that an ordinary user can start. None where the tests are run by one."""
    if os.getuid() != 0:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="abuse-python-") as folder:
        Path(folder).chmod(0o755)
        yield find_users_python(Path(folder))


@pytest.fixture
def users_own_scene(users_scene: Scene | None) -> Scene:
    if users_scene is None:
        pytest.skip("the tests run as an ordinary user, or none can start an interpreter of this version")
    return users_scene


@pytest.fixture
def houses(users_python: str | None) -> Iterator[list[House]]:
    """One of the user that runs the tests and, where that is root, one of an ordinary one, too."""
    with ExitStack() as stack:
        made = [stack.enter_context(open_house())]
        if users_python is not None:
            made.append(stack.enter_context(open_house(uid=USER, python=users_python)))
        yield made


@pytest.fixture
def house() -> Iterator[House]:
    """One of the user that runs the tests."""
    with open_house() as made:
        yield made
