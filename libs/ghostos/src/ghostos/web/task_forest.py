"""Tasks as trees: who made whom, in the order in which a list of them is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ghostos.contracts.task_records import TaskLine

__all__ = ["Leaf", "list_forest"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A task in its tree.

    Attributes:
        task: The task.
        depth: How many of those that made it stand above it; 0 also where its maker is not in the list.
    """

    task: TaskLine
    depth: int


def list_forest(tasks: Sequence[TaskLine]) -> list[Leaf]:
    """Return each task behind the one that made it, trees and children in the order of the list."""
    listed = {task.id for task in tasks}
    children: dict[str, list[TaskLine]] = {}
    roots: list[TaskLine] = []
    for task in tasks:
        if task.parent_id is None or task.parent_id not in listed:
            roots.append(task)
        else:
            children.setdefault(task.parent_id, []).append(task)
    return [*_walk(roots, children)]


def _walk(roots: Sequence[TaskLine], children: dict[str, list[TaskLine]]) -> Iterator[Leaf]:
    waiting = [Leaf(task, 0) for task in reversed(roots)]
    while waiting:
        leaf = waiting.pop()
        yield leaf
        waiting += [Leaf(task, leaf.depth + 1) for task in reversed(children.get(leaf.task.id, ()))]
