"""Objects that act by themselves, and bringing them to rest when the code that drove them was stopped."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

__all__ = ["Body", "find_bodies", "stop_bodies"]

_WAIT_S: Final = 0.15

_logger = logging.getLogger(__name__)


class Body(ABC):
    """Parent of contracts for what goes on by itself once it was told to: a robot, a motor, a machine.

    Whoever drives it may be stopped in the middle: by a deadline, by the user, or because its process died. Then, and
    only then, the executor calls `release`.
    """

    @abstractmethod
    def stop(self) -> None:
        """Come to rest at once, and forget what is queued. From any thread; harmless twice."""

    def release(self) -> None:
        """Come to rest, as who drove it does so no more: `stop`, unless it knows that somebody else drives it."""
        self.stop()


def find_bodies(injected: Mapping[str, object]) -> dict[str, Body]:
    """Return those of the injected objects that must be stopped, by attribute."""
    return {name: value for name, value in injected.items() if isinstance(value, Body)}


def stop_bodies(bodies: Mapping[str, Body]) -> tuple[str, ...]:
    """Stop them all at the same time, and wait a moment; what to tell the model of each."""
    outcomes: dict[str, str] = {}

    def stop(name: str, body: Body) -> None:
        try:
            body.release()
        except Exception as exc:
            _logger.exception("moss.%s could not be stopped", name)
            outcomes[name] = f"moss.{name} could not be stopped: {type(exc).__name__}: {exc}"
        else:
            outcomes[name] = f"moss.{name} was stopped"

    threads = [threading.Thread(target=stop, args=item, name="moss-stop-body", daemon=True) for item in bodies.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_WAIT_S)
    return tuple(outcomes.get(name, f"moss.{name} was told to stop, and has not stopped yet") for name in bodies)
