"""What the page works with: one target in one Matrix. It knows nothing of Streamlit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ghostos.abcd import Conversation, Matrix
from ghostos.config import AppSettings
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.body_feed import BodyFeed
from ghostos.contracts.model_driver import ModelDriver, ModelRegistry
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.store import ThreadSummary
from ghostos.contracts.thread_search import FoundThread, ThreadQuery
from ghostos.core.ids import is_id
from ghostos.core.permission import select_grants
from ghostos.core.task import Task
from ghostos.drivers.models.rehearsal import RehearsalModel
from ghostos.errors import ConfigError, GhostOSError, ModelKeyMissingError, NewerFormatError, ThreadNotFoundError
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.target import Target
from ghostos.ghosts.thread_prompt import ThreadPrompt
from ghostos.libraries.profiles import describe_profile, profile_in
from ghostos_moss import Executor

__all__ = ["ModelInfo", "WebApp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """Who answers.

    Attributes:
        label: The model as interfaces call it; the name of the one whose key is missing.
        is_rehearsal: Whether the replies are recorded.
        missing_key: What is missing, where nobody can answer.
    """

    label: str
    is_rehearsal: bool = False
    missing_key: ModelKeyMissingError | None = None

    @property
    def who(self) -> str:
        """Who it is, in words."""
        if self.missing_key is not None:
            return f"nobody yet: {self.missing_key.variable} is not set, the key for {self.label}"
        return "a rehearsal: recorded replies, no model" if self.is_rehearsal else self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp:
    """One target, served to any number of pages. Its methods block: call them from threads, not from an event loop.

    Attributes:
        target: What the user pointed at.
        matrix: Where its ghost works.
        models: Chooses who answers.
        executor: Where models' code runs: `off` is this process.
        book: What it may touch there.
        files: Where images of threads lie.
        bodies: What is moved here.
        key_file: What lets browsers in.
        first_thread: The thread that a page without one begins with; None begins a new one.
        debug: Whether the user asked for tracebacks.
    """

    target: Target
    matrix: Matrix
    models: ModelRegistry
    executor: str
    book: PermissionBook
    files: AssetFiles
    bodies: BodyFeed
    key_file: Path
    first_thread: str | None = None
    debug: bool = False

    @classmethod
    def over(cls, matrix: Matrix, *, target: Target, first_thread: str | None = None, debug: bool = False) -> Self:
        """Return the application of a target in a Matrix; what it needs is taken now: a page may outlive the Matrix."""
        workspace = matrix.container.force_fetch(AppSettings).workspace
        return cls(
            target=target,
            matrix=matrix,
            models=matrix.container.force_fetch(ModelRegistry),
            executor=matrix.container.force_fetch(Executor).name,
            book=matrix.container.force_fetch(PermissionBook),
            files=matrix.container.force_fetch(AssetFiles),
            bodies=matrix.container.force_fetch(BodyFeed),
            key_file=workspace.web_key,
            first_thread=first_thread,
            debug=debug,
        )

    @property
    def title(self) -> str:
        """What the page is called."""
        return self.target.ghost.name or self.target.source.name

    def describe_model(self, task: Task | None = None) -> ModelInfo:
        """Say who would answer now.

        Args:
            task: In the thread of this task; None: in a new one.

        Raises:
            ConfigError: The model's name, its service's settings or the rehearsal cannot be used.
            NewerFormatError: A newer version wrote the settings.
        """
        try:
            driver = self._find_driver(task)
        except ModelKeyMissingError as exc:
            return ModelInfo(label=exc.model, missing_key=exc)
        return ModelInfo(label=driver.label, is_rehearsal=driver.is_rehearsal)

    def find_phrases(self, conversation: Conversation | None) -> list[str]:
        """Return what the rehearsal would answer next in a thread; nothing where a model answers, or nobody can."""
        try:
            driver = self._find_driver(conversation.get_task() if conversation else None)
        except (ModelKeyMissingError, ConfigError, NewerFormatError):  # `describe_model` says so
            return []
        if not isinstance(driver, RehearsalModel):
            return []
        return driver.rehearsal.phrases_for(ThreadPrompt().render(conversation.history() if conversation else []))

    def _find_driver(self, task: Task | None) -> ModelDriver:
        """Return who answers: the model of a thread may be another than its file's."""
        own = task.effective_ghost.get("model") if task is not None else self.target.ghost.model
        target = self.target.name if task is None else task.target
        return self.models.get(own if isinstance(own, str) else None, target=target)

    def runs_unconfined(self) -> bool:
        """Whether code that the model writes runs in this process, with all that the user may do."""
        return isinstance(self.target.ghost, MossAgent) and self.executor == "off"

    def describe_profile(self, task: Task | None = None) -> str:
        """Say how code that the model writes runs, for one thread as it stands; empty where it writes none."""
        if not isinstance(self.target.ghost, MossAgent):
            return ""
        grants = select_grants(task.grants, turn=task.turn) if task is not None else []
        is_under_way = task is not None and task.state in {"running", "parked"}
        held = [grant for grant in grants if is_under_way or grant.scope != "once"]
        return describe_profile(profile_in(self.book, executor=self.executor, module=self.target.module, grants=held))

    def find_task(self, thread: str) -> Task | None:
        """Return the task of a thread as it stands; None where there is no thread of that name."""
        return asyncio.run(self.matrix.store.find_task(thread))

    def list_threads(self, *, limit: int) -> list[ThreadSummary]:
        """Return the target's threads, the one last used first."""
        return asyncio.run(self.matrix.store.list_threads(limit=limit, target=self.target.name))

    def list_own_threads(self, *, limit: int) -> Sequence[FoundThread]:
        """Return those of them that a user has begun."""
        query = ThreadQuery(target=self.target.name, limit=limit)
        return asyncio.run(self.matrix.store.search_threads(query)).threads

    def find_conversation(self, thread: str) -> Conversation | None:
        """Open a thread that exists; None where there is none of that name.

        Raises:
            ThreadTargetError: It belongs to another target.
        """
        return self.open_conversation(thread) if self.find_task(thread) is not None else None

    def open_conversation(self, thread: str | None) -> Conversation:
        """Open a thread, a new one where there is none of that name.

        Raises:
            ThreadTargetError: It belongs to another target.
        """
        return self.matrix.sync(self.target.ghost, thread=thread, target=self.target.name)

    async def find_open(self, thread: str) -> Conversation | None:
        """Open a thread that exists, also one that a ghost has made.

        Args:
            thread: Its name or its id.

        Returns:
            None where there is none of that name.

        Raises:
            ThreadNotFoundError: None of that id is there (any more), and nothing takes its place.
            ThreadTargetError: It belongs to another target.
        """
        task = await self.matrix.store.find_task(thread)
        if task is None:
            if is_id(thread):
                raise ThreadNotFoundError(thread)
            return None
        target = self.target.name if task.parent_id is None else task.target
        conversation = await self.matrix.a_sync(self.target.ghost, thread=task.id, target=target)
        if conversation.task_id != task.id:  # it was deleted meanwhile
            raise ThreadNotFoundError(thread)
        return conversation

    async def open_new(self, thread: str | None) -> Conversation:
        """Begin a thread; one that has that name already is gone on with.

        Raises:
            ThreadNotFoundError: It is an id, of a thread that is not there (any more).
            ThreadTargetError: It belongs to another target.
        """
        if thread is not None and is_id(thread):
            return await self.get_open(thread)
        return await self.matrix.a_sync(self.target.ghost, thread=thread, target=self.target.name)

    async def get_open(self, thread: str) -> Conversation:
        """Open a thread that exists; raises as `find_open` does.

        Raises:
            ThreadNotFoundError: There is none of that name.
        """
        if (conversation := await self.find_open(thread)) is None:
            raise ThreadNotFoundError(thread)
        return conversation

    def stop_bodies(self) -> None:
        """Have what moves here stand still.

        Raises:
            GhostOSError: A body could not be stopped.
        """
        try:
            self.bodies.stop()
        except ExceptionGroup as exc:
            reasons = "; ".join(f"{type(error).__name__}: {error}" for error in exc.exceptions)
            happened = f"A body could not be stopped: {reasons}."
            raise GhostOSError(happened, advice="Stop it by hand, and look at the log.") from exc
