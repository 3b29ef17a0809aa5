"""What the pages that look into things ask for. It knows nothing of Streamlit."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ghostos.config import AppSettings
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.contracts.sent_prompts import SentPrompt, SentPrompts
from ghostos.contracts.store import ThreadSummary
from ghostos.contracts.task_records import ChangingRound, EventListing, RoundChange, TaskListing
from ghostos.core.json import Json
from ghostos.core.node import Node
from ghostos.core.permission import Grant, select_grants
from ghostos.core.prompt import Prompt
from ghostos.core.task import Task
from ghostos.core.trace import ModelCall
from ghostos.drivers.models.service_lookup import REHEARSAL, parse_model_name
from ghostos.errors import GhostOSError
from ghostos.ghosts.next_prompt import preview_next_prompt
from ghostos.libraries.permission_levels import KindDecision, list_decisions
from ghostos.libraries.threads import get_thread
from ghostos.runtime.child_rights import BoundPermissionBook
from ghostos.runtime.ghost_editing import edit_ghost, reset_ghost
from ghostos.runtime.ghost_kinds import GhostKinds
from ghostos.runtime.loop_thread import LoopThread
from ghostos.web.app import WebApp
from ghostos_moss import Permissions, load_source
from ghostos_moss.errors import MossError

__all__ = ["HeldNow", "Inspection"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldNow:
    """What code of a thread may touch, and why.

    Attributes:
        permissions: All told; with the clicks that hold, within what a subtask's maker may.
        decisions: Who decides each kind, before any click.
        grants: The user's clicks that hold in the next turn, or this one.
        gone: Those that do so no more.
        left_out: What the settings name and what cannot be granted, with the reason.
        is_bound: Whether another task made it, and bounds it.
    """

    permissions: Permissions
    decisions: Sequence[KindDecision]
    grants: Sequence[Grant]
    gone: Sequence[Grant]
    left_out: Sequence[str]
    is_bound: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """Looks into the tasks of an application's workspace. Its methods block, like those of `WebApp`.

    All raise `GhostOSError` where the workspace cannot serve.

    Attributes:
        app: The application.
    """

    app: WebApp

    def list_threads(self, *, limit: int) -> list[ThreadSummary]:
        """Return the target's threads, those that ghosts have made among them, the one last used first."""
        return self.app.list_threads(limit=limit)

    def find_task(self, thread: str) -> Task | None:
        """Return the task of a thread of this target; None where there is none."""
        task = self.app.find_task(thread)
        return task if task is not None and task.target == self.app.target.name else None

    def list_prompts(self, task: Task) -> Sequence[SentPrompt]:
        """Return what models were sent in the task's latest rounds, if that was done in this process."""
        return self.app.matrix.container.force_fetch(SentPrompts).list(task.id)

    def preview_prompt(self, task: Task) -> Prompt:
        """Return what its model would be sent next; see `preview_next_prompt`."""
        return self._on_loop(preview_next_prompt(self.app.matrix.container, task), "preview_prompt")

    def list_calls(self, task: Task) -> dict[int, Sequence[ModelCall]]:
        """Return the task's model calls, as their services counted them, by round."""
        trace = asyncio.run(self.app.matrix.store.read_trace(task.id))
        return {each.round: each.calls or () for each in trace.rounds}

    def list_changing_rounds(self, task: Task, *, limit: int) -> list[ChangingRound]:
        """Return the rounds that changed what survives of the task's module, the latest first."""
        return asyncio.run(self.app.matrix.store.list_changing_rounds(task.id, limit=limit))

    def find_change(self, task: Task, *, number: int) -> RoundChange | None:
        """Return what a round changed."""
        return asyncio.run(self.app.matrix.store.find_round_change(task.id, number=number))

    def list_events(self, task: Task, *, limit: int) -> EventListing:
        """Return the latest events of the task, in the order in which they came."""
        return asyncio.run(self.app.matrix.store.list_events(task.id, limit=limit))

    def find_permissions(self, task: Task) -> HeldNow | None:
        """Return what the task's code may touch; None where its ghost runs no code.

        Raises:
            GhostOSError: The module's own permissions, or the settings, cannot be read.
        """
        module = task.ghost.get("moss_module")
        if not isinstance(module, str):
            return None
        is_under_way = task.state in {"running", "parked"}
        now = select_grants(task.grants, turn=task.turn if is_under_way else task.turn + 1)
        book = self.app.book if task.rights is None else BoundPermissionBook(self.app.book, task.rights)
        try:
            source = load_source(module)
            held = book.get(source, grants=now)
            decisions = list_decisions(self.app.matrix.container.force_fetch(AppSettings), source)
        except MossError as exc:
            raise GhostOSError(str(exc).rstrip("."), advice="Mend that line of the file.") from exc
        return HeldNow(
            permissions=held.permissions,
            decisions=decisions,
            grants=now,
            gone=[grant for grant in task.grants if grant not in now],
            left_out=held.left_out,
            is_bound=task.rights is not None,
        )

    def edit_ghost(self, task: Task, changed: Mapping[str, Json]) -> None:
        """Set fields of the thread's ghost, and leave the others as they are; see `runtime.ghost_editing.edit_ghost`.

        Raises:
            ThreadNotFoundError: The task is gone.
            ConfigError: There is no such model.
            UsageError: A field cannot have that value.
        """
        model = changed.get("model")
        if isinstance(model, str):
            if model and model != REHEARSAL:  # whatever --model says: that is another time's
                parse_model_name(model, settings=self.app.matrix.container.force_fetch(AppSettings).settings)
            self.app.matrix.container.force_fetch(ModelRegistry).get(model, target=task.target)
        kinds = self.app.matrix.container.force_fetch(GhostKinds)

        async def edit() -> None:
            now = await get_thread(self.app.matrix.store, task.id)
            await edit_ghost(self.app.matrix.store, now, kinds=kinds, wanted={**(now.ghost_edits or {}), **changed})

        asyncio.run(edit())

    def reset_ghost(self, task: Task) -> None:
        """Have the thread's ghost be as it is defined again."""
        asyncio.run(reset_ghost(self.app.matrix.store, task))

    def find_file_ghost(self, task: Task) -> Mapping[str, Json]:
        """Return the ghost's definition without what was set: the file's, or what the task's maker gave it."""
        return task.ghost if task.parent_id is not None else self.app.target.ghost.dump()

    def list_tasks(self, *, limit: int, only_target: bool, only_unfinished: bool) -> TaskListing:
        """Return tasks of the workspace, the one with the latest commit first."""
        target = self.app.target.name if only_target else None
        return asyncio.run(
            self.app.matrix.store.list_tasks(limit=limit, target=target, only_unfinished=only_unfinished)
        )

    def list_nodes(self) -> list[Node]:
        """Return the processes at work in the workspace, the oldest first."""
        return asyncio.run(self.app.matrix.store.list_nodes())

    def find_change_number(self) -> int:
        """Return a number that is another one once anything was committed. Cheap."""
        return asyncio.run(self.app.matrix.store.find_change_number())

    def stop_turn(self, task_id: str) -> None:
        """Stop a task's turn, in whichever process it runs, and what its code has set in motion.

        Raises:
            ThreadNotFoundError: The task is gone.
        """
        self.app.matrix.send_event(task_id, "cancel", {"reason": "stopped on the page"})

    def _on_loop(self, coroutine: Coroutine[Any, Any, T], name: str) -> T:
        return self.app.matrix.container.force_fetch(LoopThread).run(coroutine, method=name, twin=name)
