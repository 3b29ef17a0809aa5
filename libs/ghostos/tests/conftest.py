"""An application of its own for each test: a workspace in a temporary folder and a scripted model."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ghostos.abcd import Matrix
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import AppSettings, Confinement, TurnSettings
from ghostos.core.message import Delta
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos_container import Container

StartMatrix = Callable[[ScriptedModel], Matrix]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def confinement() -> Confinement | None:
    """Rounds are tested where code can leave marks for the test; those of confined code are in `test_confined.py`."""
    return Confinement("off")


@pytest.fixture
def model_retries() -> int:
    """A model that fails is not asked again, but where that is what is tested."""
    return 0


@pytest.fixture
def start_matrix(workspace: Path, confinement: Confinement | None, model_retries: int) -> Iterator[StartMatrix]:
    """Start a Matrix over the test's workspace; each call is one more process as far as the product can tell."""
    started: list[tuple[Matrix, Container]] = []

    def start(model: ScriptedModel) -> Matrix:
        container = make_app_container(workspace, providers=[use_model(model)], confinement=confinement)
        app = container.force_fetch(AppSettings)
        settings = app.settings.model_copy(update={"turn": TurnSettings(model_retries=model_retries)})
        container.set(AppSettings, replace(app, settings=settings))
        matrix = get_ghostos(container).create_matrix("test")
        started.append((matrix, container))
        return matrix

    yield start
    for matrix, container in started:
        matrix.close()
        container.shutdown()


@pytest.fixture
def two_functions(tmp_path: Path) -> Path:
    """A plain Python file."""
    path = tmp_path / "numbers_file.py"
    path.write_text("def plus(a: int, b: int) -> int:\n    return a + b\n")
    return path


def texts(deltas: list[Delta]) -> list[str]:
    """The whole messages among deltas, as `type: content`."""
    return [f"{delta.message.type}: {delta.message.content}" for delta in deltas if delta.message]
