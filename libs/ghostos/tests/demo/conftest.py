"""The demos as they are: the real application without a key, so that each plays its rehearsal, without its delay."""

import importlib.util
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ghostos.abcd import Conversation, Matrix
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import AppSettings, default_services
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.core.message import Message
from ghostos.drivers.models.registry import Models
from ghostos.ghosts.target import load_target
from ghostos.prototypes.spherogpt.bolt import SimulatedBolt, simulated_bolt
from ghostos_container import Container, provide

T = TypeVar("T")

pytest.register_assert_rewrite(f"{__package__}.bolt_outcomes")


@pytest.fixture(scope="session")
def count_cl100k() -> Callable[[str], int]:
    """Counts tokens exactly, by the table that the benchmarks have."""
    path = Path(__file__).parents[4] / "benchmarks" / "cl100k.py"
    spec = importlib.util.spec_from_file_location("cl100k", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.count


@dataclass(frozen=True)
class Turn:
    """What one turn added to its thread."""

    messages: list[Message]

    @property
    def said(self) -> list[str]:
        return [m.content.strip() for m in self.messages if m.type == "text" and m.role != "user"]

    @property
    def code(self) -> list[str]:
        return [m.content.strip() for m in self.messages if m.type == "code"]

    @property
    def outputs(self) -> list[tuple[str, str]]:
        return [(data_of(m)["status"], m.content) for m in self.messages if m.type == "output"]


def data_of(message: Message) -> dict[str, Any]:
    """The data of a message that has some."""
    assert isinstance(message.data, dict)
    return message.data


def shuffled(items: Iterable[T], *, seed: int) -> list[T]:
    """The items in an order that looks like any, and is the same in each run."""
    mixed = list(items)
    random.Random(seed).shuffle(mixed)  # noqa: S311  # an order, not a secret
    return mixed


def talk(conversation: Conversation, text: str) -> Turn:
    """Say something and hear the whole turn."""
    _, receiver = conversation.talk(text)
    with receiver:
        return Turn([delta.message for delta in receiver.recv() if delta.message])


@pytest.fixture(scope="module")
def no_keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for service in default_services().values():
            if service.api_key_env:
                patch.delenv(service.api_key_env, raising=False)
        yield


@provide(ModelRegistry, singleton=False)
def quick_models(container: Container) -> ModelRegistry:
    return Models(container.force_fetch(AppSettings), rehearsal_delay_s=0)


@pytest.fixture(scope="module")
def start(no_keys) -> Iterator[Callable[[Path], Matrix]]:
    """Start a Matrix over a workspace, as one more process would."""
    started: list[Matrix] = []

    def start(workspace: Path) -> Matrix:
        container = make_app_container(workspace, providers=[quick_models, *simulated_bolt(clock="virtual")])
        started.append(get_ghostos(container).create_matrix("demo"))
        return started[-1]

    yield start
    for matrix in started:
        matrix.close()
        matrix.container.shutdown()


@pytest.fixture(scope="module")
def matrix(start, tmp_path_factory) -> Matrix:
    return start(tmp_path_factory.mktemp("workspace"))


def open_demo(matrix: Matrix, name: str, *, thread: str | None = None) -> Conversation:
    """Open a conversation with a demo, in a thread of its own unless one is named."""
    target = load_target(name)
    if target.providers:  # one thread at a time drives the ball, and its time goes by only while somebody waits
        matrix.container.force_fetch(SimulatedBolt).ball.wait()
    return matrix.sync(target.ghost, thread=thread, target=target.name)
