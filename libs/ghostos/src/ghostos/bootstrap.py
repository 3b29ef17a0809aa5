"""Puts an application together. The only place that chooses drivers."""

import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ghostos.config import AppSettings, Confinement
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.assets import Assets
from ghostos.contracts.body_feed import BodyFeed
from ghostos.contracts.dispatch import Dispatch
from ghostos.contracts.journal import Journals
from ghostos.contracts.matrix import GhostOS
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.contracts.nodes import Nodes
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.sent_prompts import SentPrompts
from ghostos.contracts.store import Store
from ghostos.contracts.variables import Variables
from ghostos.contracts.web_client import WebClient
from ghostos.drivers.http.web_access import WebAccess
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.round_subtasks import make_subtasks
from ghostos.ghosts.subtasks import Subtasks
from ghostos.ghosts.target import Approve, Target, load_target
from ghostos.libraries.accepted import open_accepted_files
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.permission_book import SettingsPermissionBook
from ghostos.libraries.round_assets import make_assets
from ghostos.libraries.round_variables import make_variables
from ghostos.libraries.workspace_log import open_workspace_log
from ghostos.libraries.workspaces import find_workspace, list_private_places
from ghostos.runtime.body_feed import LatestBodyFeed
from ghostos.runtime.ghost_kinds import GhostKinds
from ghostos.runtime.ghost_os import ContainerGhostOS
from ghostos.runtime.sent_prompts import LatestSentPrompts
from ghostos_container import Container, Provider, provide
from ghostos_moss import (
    AcceptedFiles,
    Executor,
    Limits,
    MossCompiler,
    OffExecutor,
    Permissions,
    ProcessExecutor,
    new_compiler,
)

__all__ = ["get_container", "get_ghostos", "install_target", "make_app_container"]

_MIB = 1024**2
_SWITCH_S = 0.0005
"""How long a busy thread of this process may keep others waiting: a call from confined code wakes one several times."""


def make_app_container(
    workspace: Path | None = None,
    *,
    providers: Iterable[Provider[Any]] = (),
    model: str | None = None,
    confinement: Confinement | None = None,
) -> Container:
    """Return a root container with everything that GhostOS needs, each part made when it is first asked for.

    Args:
        workspace: The workspace's folder. None: `GHOSTOS_WORKSPACE`, `./app` where `ghostos init` made it, else the
            user's own.
        providers: Dependencies of yours, also in the place of GhostOS's own.
        model: `provider:model` for every ghost, whatever it names itself.
        confinement: Where models' code runs and what it may touch; None is what the workspace's settings say.

    Raises:
        TypeError: A literal Ellipsis was given: the seeds' `...` is the reader's to fill in.
    """
    if workspace is ...:  # pyright: ignore[reportUnnecessaryComparison]  # as the readme's snippet has it
        msg = "make_app_container(...) got a literal Ellipsis: leave it out, or give the workspace's path"
        raise TypeError(msg)
    container = Container(name="ghostos")
    container.register(*_default_providers(workspace, model=model, confinement=confinement))
    container.register(*providers)
    return container


@contextmanager
def install_target(
    name: str, *, accepted: AcceptedFiles, make_container: Callable[[], Container], approve: Approve | None = None
) -> Generator[tuple[Target, Container]]:
    """Find a target, then make an application for it, with the target's own providers. Opens no database.

    Args:
        name: A Python file or a module's name.
        accepted: Says which content of the user's files runs here.
        make_container: Makes the application's container, which is shut down at the end.
        approve: Which code of its ghost waits for a person; None leaves it to the ghost.

    Raises:
        TargetError: The target is missing, does not parse, fails on import, or waits to be accepted.
    """
    target = load_target(name, accepted=accepted, approve=approve)
    container = make_container()
    try:
        container.set(AcceptedFiles, accepted)
        container.register(*target.providers)
        container.bootstrap()
        yield target, container
    finally:
        container.shutdown()


def get_container() -> Container:
    """Return the process's default container. Opens no database, needs no key, makes no folder."""
    return _default.get()


def get_ghostos(container: Container | None = None) -> GhostOS:
    """Return the agent OS of a container; of the process's default one where none is given."""
    return (container or get_container()).force_fetch(GhostOS)


def _default_providers(
    workspace: Path | None, *, model: str | None, confinement: Confinement | None
) -> list[Provider[Any]]:
    @provide(LiveSettings)
    def live_settings(container: Container) -> LiveSettings:
        found = find_workspace(workspace, environment=os.environ)
        return LiveSettings(found.workspace, environment=os.environ, model=model, confinement=confinement)

    return [
        live_settings,
        provide(AppSettings, singleton=False)(_get_settings),
        provide(Store)(_make_store),
        provide(AssetFiles)(_make_asset_files),
        provide(Journals)(_make_journals),
        provide(BodyFeed)(_make_body_feed),
        provide(SentPrompts)(_make_sent_prompts),
        provide(Dispatch, singleton=False)(_make_dispatch),
        provide(Nodes, singleton=False)(_make_nodes),
        provide(ModelRegistry, singleton=False)(_make_models),
        provide(AcceptedFiles)(_make_accepted_files),
        provide(Executor)(_make_executor),
        provide(PermissionBook)(_make_permission_book),
        provide(WebAccess)(_make_web_access),
        provide(WebClient, singleton=False)(_make_web_client),
        provide(MossCompiler, singleton=False)(new_compiler),
        provide(GhostKinds)(_make_ghost_kinds),
        provide(Variables, singleton=False)(make_variables),
        provide(Assets, singleton=False)(make_assets),
        provide(Subtasks, singleton=False)(make_subtasks),
        provide(GhostOS)(_make_ghost_os),
    ]


def _get_settings(container: Container) -> AppSettings:
    return container.force_fetch(LiveSettings).current


def _make_ghost_os(container: Container) -> GhostOS:
    _switch_often()
    return ContainerGhostOS(container)


def _switch_often() -> None:
    """Let threads take turns often: the loop must not wait for one that computes."""
    sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))


def _make_executor(container: Container) -> Executor:
    app = container.force_fetch(AppSettings)
    if (app.confinement.sandbox or app.settings.code.sandbox) == "off":
        return OffExecutor()
    limits, settings = app.settings.code.limits, container.force_fetch(LiveSettings)
    _switch_often()
    executor = ProcessExecutor(
        never=list_private_places(app.workspace),
        accepted=container.force_fetch(AcceptedFiles),
        secrets=lambda: settings.secrets,
        permissions=app.confinement.permissions,
        limits=Limits(
            memory_bytes=limits.memory_mb * _MIB,
            cpu_s=limits.cpu_s,
            file_bytes=limits.file_mb * _MIB,
            open_files=limits.open_files,
            threads=limits.threads,
            calls=limits.calls,
            output_chars=limits.output_chars,
        ),
        keep_s=limits.keep_s,
        most_kept=limits.most_kept,
    )
    container.add_shutdown(executor.close)
    return executor


def _make_accepted_files(container: Container) -> AcceptedFiles:
    accepted = open_accepted_files(container.force_fetch(AppSettings).workspace)
    container.add_shutdown(accepted.close)
    return accepted


def _make_permission_book(container: Container) -> PermissionBook:
    return SettingsPermissionBook(container.force_fetch(LiveSettings), executor=container.force_fetch(Executor))


def _make_web_access(container: Container) -> WebAccess:
    access = WebAccess()
    container.add_shutdown(access.close)
    return access


def _make_web_client(container: Container) -> WebClient:
    """One for each `moss`, which may do what the code of that may."""
    from ghostos.drivers.http.web_client import GuardedWebClient

    return GuardedWebClient(container.force_fetch(Permissions), access=container.force_fetch(WebAccess))


def _make_nodes(container: Container) -> Nodes:
    from ghostos.drivers.nodes.files import FileNodes

    return FileNodes(container.force_fetch(AppSettings).workspace.nodes, store=container.force_fetch(Store))


def _make_body_feed(container: Container) -> BodyFeed:
    """One for the application, not for each Matrix: a target's bodies are made in its container."""
    return LatestBodyFeed()


def _make_sent_prompts(container: Container) -> SentPrompts:
    return LatestSentPrompts()


def _make_ghost_kinds(container: Container) -> GhostKinds:
    return GhostKinds(Chatbot, MossAgent)


def _make_dispatch(container: Container) -> Dispatch:
    from ghostos.drivers.dispatch.embedded import EmbeddedDispatch

    return EmbeddedDispatch()


def _make_store(container: Container) -> Store:
    from ghostos.drivers.store.sql import open_store

    app = container.force_fetch(AppSettings)
    store = open_store(app.workspace.database, durability=app.settings.store.durability)
    container.add_shutdown(open_workspace_log(app))
    container.add_shutdown(store.close)
    return store


def _make_asset_files(container: Container) -> AssetFiles:
    from ghostos.drivers.assets.files import FileAssets

    app = container.force_fetch(AppSettings)
    return FileAssets(
        app.workspace.assets,
        max_bytes=app.settings.assets.max_mb * _MIB,
        durability=app.settings.store.durability,
    )


def _make_journals(container: Container) -> Journals:
    from ghostos.drivers.journal.files import FileJournals

    return FileJournals(container.force_fetch(AppSettings).workspace.rounds)


def _make_models(container: Container) -> ModelRegistry:
    from ghostos.drivers.models.registry import Models

    settings = container.force_fetch(LiveSettings)
    return Models(settings.current, reload=settings.read, assets=container.force_fetch(AssetFiles))


class _DefaultContainer:
    """The one default container of the process, made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._container: Container | None = None

    def get(self) -> Container:
        with self._lock:
            if self._container is None:
                self._container = make_app_container()
            return self._container


_default = _DefaultContainer()
