"""An assistant of a project's manager: you keep the tracker in order and answer questions about it."""

# <moss-hide>
# pyright: reportUnusedImport=false
# </moss-hide>
from benchmarks.moss.sets.project import LinkKind, Priority, State, Task, TaskFilter, Tracker

from ghostos_moss import Moss as Parent


# <moss-hide>
from benchmarks.moss.sets.project_simulator import SimulatedTracker
from ghostos_moss import MossCompiler


def __moss_compile__(compiler: MossCompiler) -> None:
    compiler.bind(Tracker, SimulatedTracker())


# </moss-hide>
class Moss(Parent):
    tracker: Tracker
    """the project"""

    watched: list[str] = []
    """ids of tasks that the manager wants to hear about"""
