"""What a round does with its event: stops are the runtime's own; the ghost does the rest."""

import asyncio
import logging
from collections.abc import Callable

from ghostos.contracts.ghost import GhostDriver
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.store import Store
from ghostos.core.task import Task
from ghostos.errors import GhostGoneError, GhostOSError, LeaseLostError, TurnFailedError
from ghostos.runtime.event_records import record_events
from ghostos.runtime.ghost_calls import current_session
from ghostos.runtime.permission_answers import find_grant, record_grant
from ghostos.runtime.retries import try_again
from ghostos.runtime.round_end import RoundEnd, end_round, end_with_error, go_on
from ghostos.runtime.session import RoundSession
from ghostos.runtime.stops import STOPPED, RoundStop, stop_task

_logger = logging.getLogger(__name__)


async def handle_round(
    session: RoundSession, *, driver: Callable[[Task], GhostDriver], store: Store, stop: RoundStop
) -> RoundEnd:
    """Handle the session's event; whatever goes wrong within is an end of the round, too.

    Raises:
        LeaseLostError: Another process has the task.
        GhostGoneError: The task's ghost cannot be made.
        asyncio.CancelledError: The Matrix is being closed.
    """
    if session.event.type == "cancel":
        return await stop_task(session, store=store)
    try:
        async with stop.enclose():
            return await _handle_event(session, driver=driver, store=store)
    except (LeaseLostError, GhostGoneError):
        raise
    except GhostOSError as exc:
        return try_again(session, exc) or end_with_error(session, exc)
    except TimeoutError as exc:
        return _end_stopped(session) if stop.is_requested else _end_with_fault(session, exc)
    except asyncio.CancelledError as exc:
        if _is_being_cancelled():
            raise
        return _end_with_fault(session, exc)
    except Exception as exc:  # noqa: BLE001 - logged: whatever a ghost raises ends its round, and nothing else
        return _end_with_fault(session, exc)


async def _handle_event(session: RoundSession, *, driver: Callable[[Task], GhostDriver], store: Store) -> RoundEnd:
    current_session.set(session)
    await record_events(session, store=store)
    if (grant := find_grant(session)) is not None:
        await record_grant(session, grant, book=session.container.force_fetch(PermissionBook))
    if session.joins_turn and session.interrupted_run is None:
        return go_on(session)
    operator = await driver(session.task).on_event(session)
    session.check_none_open()
    return end_round(session, operator)


def _end_stopped(session: RoundSession) -> RoundEnd:
    session.cut_reply()
    session.add(STOPPED, role="system", type="state", data={"state": STOPPED})
    return RoundEnd(state="waiting")


def _end_with_fault(session: RoundSession, fault: BaseException) -> RoundEnd:
    _logger.error("the handler of task %s failed", session.task.id, exc_info=fault)
    return end_with_error(session, internal_error(fault))


def internal_error(cause: BaseException) -> GhostOSError:
    """Return what a user is told of a fault that has no words of this project."""
    advice = "The traceback is in the workspace's runtime/logs; the thread can go on."
    if isinstance(cause, ModuleNotFoundError):  # not of an agent's file: that has words of this project
        advice = "If GhostOS was updated, install it again (in a clone: make setup); see ghostos doctor."
    error = TurnFailedError(f"The turn failed: {type(cause).__name__}: {cause}", advice=advice)
    error.__cause__ = cause
    return error


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
