"""The behaviours of the tasks that a Matrix works on, made from their ghosts and kept for their next rounds."""

from collections import OrderedDict

from ghostos.contracts.ghost import Ghost, GhostDriver
from ghostos.core.json import JsonObject
from ghostos.core.task import Task
from ghostos.runtime.ghost_kinds import GhostKinds


class TaskDrivers:
    """Drivers by task. They hold nothing that cannot be made anew, so only those used last are kept.

    Args:
        kinds: What makes a ghost from its stored definition.
        keep: How many drivers are kept.
    """

    def __init__(self, kinds: GhostKinds, *, keep: int = 256) -> None:
        self._kinds = kinds
        self._keep = keep
        self._drivers: OrderedDict[str, tuple[JsonObject, GhostDriver]] = OrderedDict()

    def add_kind(self, kind: type[Ghost]) -> None:
        """Know the class of ghosts that a client has."""
        self._kinds.add(kind)

    def ghost_of(self, task: Task) -> Ghost:
        """Return a task's ghost, as it is defined now.

        Raises:
            GhostGoneError: The ghost cannot be made here.
        """
        return self._kinds.load(task.effective_ghost)

    def get(self, task: Task) -> GhostDriver:
        """Return the behaviour of a task's ghost, as it is defined now.

        Raises:
            GhostGoneError: The ghost cannot be made here.
        """
        definition = task.effective_ghost
        kept = self._drivers.get(task.id)
        if kept is not None and kept[0] == definition:
            self._drivers.move_to_end(task.id)
            return kept[1]
        driver = self.ghost_of(task).create_driver()
        self._put(task.id, definition=definition, driver=driver)
        return driver

    def _put(self, task_id: str, *, definition: JsonObject, driver: GhostDriver) -> None:
        self._drivers[task_id] = definition, driver
        self._drivers.move_to_end(task_id)
        while len(self._drivers) > self._keep:
            self._drivers.popitem(last=False)
