"""Opens a Matrix over a workspace of its own, with the settings that a figure asks for."""

import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ghostos.abcd import Matrix
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Durability, Workspace
from ghostos_container import Provider

AGENT_FILE = """
from ghostos_moss import Moss as Parent

def plus(a: int, b: int) -> int:
    return a + b

class Moss(Parent):
    count: int = 0
"""


@contextmanager
def open_matrix(
    *, providers: Iterable[Provider[Any]] = (), durability: Durability = "normal", slots: int | None = None
) -> Generator[Matrix]:
    """Have one in a temporary folder; None leaves the slots at their default."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_matrix_in(Path(folder), providers=providers, durability=durability) as matrix,
    ):
        if slots is not None:
            matrix.background_run(slots)
        yield matrix


@contextmanager
def open_matrix_in(
    folder: Path, *, providers: Iterable[Provider[Any]] = (), durability: Durability = "normal"
) -> Generator[Matrix]:
    """Have one over the workspace in a folder, which is made where there is none."""
    workspace = find_workspace(folder)
    workspace.config_file.parent.mkdir(parents=True, exist_ok=True)
    workspace.config_file.write_text(
        f'version = 1\n[store]\ndurability = "{durability}"\n'
        # Long threads are measured whole: summarising them is a model's work.
        '[models."openai:gpt-4o"]\ncontext_tokens = 100_000_000\n'
    )
    container = make_app_container(workspace.root, providers=providers)
    try:
        with get_ghostos(container).create_matrix("benchmark") as matrix:
            yield matrix
    finally:
        container.shutdown()


def find_workspace(folder: Path) -> Workspace:
    """Where the workspace of a folder is."""
    return Workspace(folder / "workspace")


def write_agent(folder: Path) -> str:
    """Write the module that an agent works with; its path."""
    file = folder / "plus_file.py"
    file.write_text(AGENT_FILE)
    return str(file)
