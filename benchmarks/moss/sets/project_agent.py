"""An assistant of a project's manager: you keep the tracker in order and answer questions about it."""

# <moss-hide>
# pyright: reportUnusedImport=false
# </moss-hide>
from benchmarks.moss.sets.project import LinkKind, Priority, State, Task, TaskFilter, Tracker

from ghostos_moss import Moss as Parent


class Moss(Parent):
    tracker: Tracker
    """the project"""

    watched: list[str] = []
    """ids of tasks that the manager wants to hear about"""
