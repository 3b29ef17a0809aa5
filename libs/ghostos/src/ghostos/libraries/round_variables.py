"""`Variables` for one round."""

from typing import Any, Final

from ghostos.contracts.session import Session
from ghostos.contracts.store import Store
from ghostos.contracts.variables import Variables
from ghostos.core.json import JsonObject
from ghostos.core.variable import Variable
from ghostos.libraries.saved_for_code import RoundStore, check_text, in_words_for_code, need_ghost
from ghostos.runtime.loop_thread import LoopThread
from ghostos.runtime.saved_values import load_value, save_value
from ghostos_container import Container

__all__ = ["NoVariables", "RoundVariables", "make_variables"]

_MOST_TOLD: Final = 50
"""Of the values that a round saved, so that clients learn their ids."""


class RoundVariables(Variables):
    """Its methods are called from other threads than the Matrix's. What is saved is committed at once."""

    def __init__(self, own: RoundStore) -> None:
        self._own = own
        self._saved: list[Variable] = []
        own.session.before_commit(self._tell)

    def save(self, value: Any, description: str = "") -> str:  # noqa: ANN401 - as in `Variables`
        """See `Variables`."""
        text = check_text(description, "description")
        variable = self._own.ask(save_value(self._own.store, value, description=text, task_id=self._own.task_id))
        self._saved.append(variable)
        return variable.id

    def get(self, id: str) -> Any:  # noqa: ANN401 - as in `Variables`
        """See `Variables`."""
        asked = check_text(id, "id")
        variable = self._own.ask(self._own.store.get_variable(asked, task_id=self._own.task_id))
        with in_words_for_code():
            return load_value(variable)

    def give(self, id: str, thread: str) -> None:
        """See `Variables`."""
        self._own.give("variable", id, thread)

    def _tell(self) -> None:
        """Leave a message for each, when the round is over: that is how clients learn of them."""
        for variable in self._saved[:_MOST_TOLD]:
            data: JsonObject = {"variable": variable.id, "type": variable.type}
            content = variable.description or variable.type
            self._own.session.add(content, role="environment", type="variable", data=data)
        self._saved.clear()


class NoVariables(Variables):
    """Stands on a `Moss` that no ghost works in."""

    def save(self, value: Any, description: str = "") -> str:  # noqa: ANN401 - as in `Variables`
        """See `Variables`."""
        raise need_ghost("variables")

    def get(self, id: str) -> Any:  # noqa: ANN401 - as in `Variables`
        """See `Variables`."""
        raise need_ghost("variables")

    def give(self, id: str, thread: str) -> None:
        """See `Variables`."""
        raise need_ghost("variables")


def make_variables(container: Container) -> Variables:
    """Return those of the round that a container belongs to; a stand-in where it belongs to none."""
    session = container.get(Session)
    if session is None:
        return NoVariables()
    store, loop_thread = container.force_fetch(Store), container.force_fetch(LoopThread)
    return RoundVariables(RoundStore(session, store=store, loop_thread=loop_thread))
