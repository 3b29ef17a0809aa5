"""A warning for modules that open something while they are imported, and are imported on both sides."""

import os

from ghostos_container import Container
from ghostos_moss import Executor, find_openings, load_source, runs_on_host

__all__ = ["describe_openings"]


def describe_openings(container: Container, *, module: str) -> list[str]:
    """Return a line for each place where a module opens what it will open twice; none where it is not confined.

    Args:
        container: Has the executor.
        module: Of a ghost; it can be opened.
    """
    source = load_source(module)
    if container.force_fetch(Executor).name != "process" or not runs_on_host(source):
        return []
    path, here = source.filename, os.getcwd()
    shown = os.path.relpath(path, here) if path.startswith(f"{here}/") else path
    return [
        f"{shown}:{each.line}: {each.call}(...) runs twice: once here and once in the worker; "
        "make it in __moss_compile__ or __matrix_providers__"
        for each in find_openings(source)
    ]
