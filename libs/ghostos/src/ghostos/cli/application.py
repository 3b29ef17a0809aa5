"""Opens what a command works with, in the order in which faults are reported: target, workspace, confinement, key."""

import os
import shlex
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from ghostos.abcd import Conversation, Matrix, Receiver
from ghostos.bootstrap import get_ghostos, install_target, make_app_container
from ghostos.cli.failures import StoppedError
from ghostos.cli.options import Common
from ghostos.cli.refused_notes import RefusedNotes
from ghostos.cli.startup import start
from ghostos.cli.streams import write_note
from ghostos.config import AppSettings
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.model_driver import ModelDriver, ModelRegistry
from ghostos.contracts.store import Store
from ghostos.core.collector import collector_paused
from ghostos.core.escaping import escape_line
from ghostos.ghosts.module import open_module as open_module_of
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.target import Target
from ghostos.libraries.accepted import open_accepted_files
from ghostos.libraries.flow import FlowRecord
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.openings import describe_openings
from ghostos.libraries.workspaces import FoundWorkspace, find_workspace
from ghostos_container import Container
from ghostos_moss import AcceptedFiles, ModuleSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A target and the container of an application over the user's workspace."""

    target: Target
    container: Container
    refused: RefusedNotes


def make_container(common: Common, *, found: FoundWorkspace | None = None) -> Container:
    """Return the application's container over the user's workspace, and begin its log. Makes no file.

    Args:
        common: The shared options.
        found: The workspace, if it was found before.

    Raises:
        ConfigError: A setting cannot be read.
    """
    settings = start(common, found=found)
    confinement = settings.current.confinement
    container = make_app_container(settings.workspace.root, model=common.model, confinement=confinement)
    container.set(LiveSettings, settings)
    return container


@contextmanager
def open_target(name: str, *, common: Common) -> Generator[Application]:
    """Find a target and an application for it, with the target's own providers. Opens no database.

    Raises:
        TargetError: The target is missing, does not parse, fails on import, or waits to be accepted.
    """
    found = find_workspace(common.workspace, environment=os.environ)
    make = partial(make_container, common, found=found)
    with (
        closing(open_accepted_files(found.workspace)) as accepted,
        install_target(name, accepted=accepted, make_container=make, approve=common.approve) as (target, container),
        RefusedNotes(accepted) as refused,
    ):
        yield Application(target=target, container=container, refused=refused)


@contextmanager
def open_module(app: Application, *, flow: FlowRecord) -> Generator[ModuleSession]:
    """Compile the target's module and inject its `Moss`, as a ghost's first round does. What it opens twice is said.

    Args:
        app: Whose target is meant. That of a ghost without a module is the file itself.
        flow: Gets what code says to `moss.flow`.

    Raises:
        TargetError: It cannot be compiled or injected.
    """
    session = open_module_of(app.target.module, container=app.container, flow=flow)
    try:
        for line in describe_openings(app.container, module=app.target.module):
            write_note(escape_line(f"note: {line}"))
        yield session
    finally:
        session.close()


@contextmanager
def open_client(name: str, *, common: Common) -> Generator["Client"]:
    """Open a conversation with a target. Every fault that can be known is found before a thread is created."""
    with open_target(name, common=common) as app:
        if isinstance(app.target.ghost, MossAgent):
            with open_module(app, flow=FlowRecord()):
                pass  # that it opens is what is asked
        app.refused.write()
        with collector_paused():
            app.container.force_fetch(Store)
        app.container.force_fetch(AcceptedFiles).keep()
        client = Client(app, common=common)
        try:
            yield client
        finally:
            client.close()


class Client:
    """A conversation of this process with one target."""

    def __init__(self, app: Application, *, common: Common) -> None:
        self._app = app
        self._common = common
        self._matrix = self._open_matrix()
        try:
            self.model: ModelDriver = self._matrix.container.force_fetch(ModelRegistry).get(
                app.target.ghost.model, target=app.target.name
            )
            self.conversation: Conversation = self._sync(common.thread)
        except BaseException:
            self._matrix.close()
            raise

    @property
    def store(self) -> Store:
        """The workspace's database."""
        return self._matrix.store

    @property
    def files(self) -> AssetFiles:
        """The contents of the workspace's saved files."""
        return self._matrix.container.force_fetch(AssetFiles)

    def find_unfinished_turn(self) -> Receiver | None:
        """Go on with a turn that is not finished, say so, and listen to it; None where there is none."""
        receiver = self.conversation.resume()
        if receiver is not None:
            write_note("note: A turn of this thread was not finished; that comes first.")
        return receiver

    def describe_interruption(self) -> StoppedError:
        """Return what to tell a user who stopped a turn."""
        words = ["ghostos", "ask", self._app.target.name, "--thread", self.conversation.thread]
        if self._common.workspace is not None:
            words += ["--workspace", str(self._common.workspace)]
        return StoppedError(
            f"The turn is kept in the thread {self.conversation.thread}.",
            advice=f"Go on with: {shlex.join(words)} MESSAGE (what was begun is finished first)",
        )

    def stop_turn(self) -> None:
        """Stop what runs, at once; it is kept, and goes on with `find_unfinished_turn`."""
        thread = self.conversation.thread
        self._matrix.close()
        self._matrix = self._open_matrix()
        self.conversation = self._sync(thread)

    def close(self) -> None:
        """Park what runs. A second Ctrl-C ends the process: the thread survives that as well."""
        try:
            self._matrix.close()
        except KeyboardInterrupt:
            os._exit(130)

    def _open_matrix(self) -> Matrix:
        return get_ghostos(self._app.container).create_matrix("cli")

    def _sync(self, thread: str | None) -> Conversation:
        return self._matrix.sync(self._app.target.ghost, thread=thread, target=self._app.target.name)


def get_settings(container: Container) -> AppSettings:
    """Return what the application was told."""
    return container.force_fetch(AppSettings)
