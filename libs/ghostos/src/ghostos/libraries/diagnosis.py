"""What is there of an installation and its workspace, what is missing, and what to do about it. Changes nothing."""

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ghostos.config import AppSettings, Workspace, default_services
from ghostos.drivers.models.registry import Models
from ghostos.drivers.store.schema.revisions import HEAD_REVISION, SchemaState, read_schema
from ghostos.errors import GhostOSError, ModelKeyMissingError, WorkspaceError
from ghostos.libraries.accepted import describe_refusal, open_accepted_files
from ghostos.libraries.app_settings import load_app_settings
from ghostos.libraries.requirements import list_missing
from ghostos_moss import Permissions, ProcessExecutor
from ghostos_moss.errors import AcceptanceRecordError, ConfinementError

__all__ = ["Finding", "FindingState", "examine"]

FindingState = Literal["ok", "note", "broken"]

_DISTRIBUTIONS = ("ghostos-core", "ghostos-moss", "ghostos-container", "ghostos-common")
_SOURCE_FOLDER = Path(__file__).parents[3]
"""Where the `pyproject.toml` of a clone is."""
_EXTRAS = {
    "web": ("streamlit", "uvicorn"),
    "postgres": ("psycopg", "procrastinate"),
    "sphero": ("spherov2", "bleak"),
    "realtime": ("pyaudio",),
    "anthropic": ("anthropic",),
    "gemini": ("google.genai",),
    "otel": ("opentelemetry.sdk",),
}
_LEAST_SPACE_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        state: `broken` keeps something from working, a `note` does not.
        subject: What was looked at, in a word or two.
        text: What was found. Not escaped: names of files and settings are the user's.
        advice: What to do; "" where nothing must be done.
    """

    state: FindingState
    subject: str
    text: str
    advice: str = ""


def examine(workspace: Workspace, *, model: str | None = None) -> Iterator[Finding]:
    """Look at everything, one after the other; confinement is tried by confining a process. No key is among the texts.

    Args:
        workspace: Where settings, keys and the database lie, or will.
        model: `provider:model`, in the place of what the settings name.
    """
    yield Finding("ok", "python", f"{platform.python_version()} at {sys.executable}, {platform.platform(terse=True)}")
    yield _examine_versions()
    yield Finding("ok", "sqlite", sqlite3.sqlite_version)
    yield _examine_workspace(workspace)
    yield _examine_space(workspace)
    yield _examine_database(workspace)
    yield _examine_accepted(workspace)
    app = None
    try:
        app = load_app_settings(workspace, environment=os.environ, model=model)
    except GhostOSError as exc:
        yield Finding("broken", "settings", exc.happened, exc.advice)
    else:
        yield _examine_settings(workspace)
        yield from _examine_models(app)
    yield from _examine_env_file(workspace)
    yield _examine_confinement(app)
    for extra, modules in _EXTRAS.items():
        yield _examine_extra(extra, modules)


def _examine_versions() -> Finding:
    installed: list[str] = []
    for name in _DISTRIBUTIONS:
        try:
            installed.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            return Finding("broken", "ghostos", f"{name} is not installed", "From a clone: make setup")
    if missing := list_missing("ghostos-core", folder=_SOURCE_FOLDER):
        advice = "An update brought them: install GhostOS again as you did at first (in a clone: make setup)"
        return Finding("broken", "ghostos", f"it needs what is not installed: {', '.join(missing)}", advice)
    return Finding("ok", "ghostos", ", ".join(installed))


def _examine_workspace(workspace: Workspace) -> Finding:
    place = _nearest_folder(workspace.runtime)
    if not os.path.isdir(place):
        return Finding("broken", "workspace", f"{workspace.root}: {place} is not a folder", "Choose --workspace DIR")
    if not os.access(place, os.W_OK | os.X_OK):
        advice = "Give yourself the right to write there, or choose another with --workspace DIR"
        return Finding("broken", "workspace", f"{workspace.root}: {place} cannot be written", advice)
    if not os.path.isdir(workspace.runtime):
        return Finding("note", "workspace", f"{workspace.root}: not used yet, made when it is")
    return Finding("ok", "workspace", f"{workspace.root}: can be written")


def _examine_space(workspace: Workspace) -> Finding:
    try:
        free = shutil.disk_usage(_nearest_folder(workspace.runtime)).free
    except OSError as exc:
        return Finding("broken", "disk", f"cannot be asked: {exc.strerror}")
    text = f"{free / 1024**2:,.0f} MiB free"
    return (
        Finding("broken", "disk", text, "Make some space") if free < _LEAST_SPACE_BYTES else Finding("ok", "disk", text)
    )


def _examine_database(workspace: Workspace) -> Finding:
    database = workspace.database
    if not os.path.isfile(database):
        return Finding("note", "database", "none yet")
    # Without a write-ahead log nobody writes, and SQLite need not make its shared memory to read.
    how = "mode=ro" if os.path.exists(f"{database}-wal") else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?{how}", uri=True)) as connection:
            schema = read_schema(connection)
    except sqlite3.Error as exc:
        return Finding("broken", "database", f"{database} cannot be read: {exc}", "Choose --workspace DIR")
    match schema.state:
        case SchemaState.CURRENT:
            return Finding("ok", "database", f"format {schema.revision}")
        case SchemaState.EMPTY | SchemaState.OLDER:
            text = f"format {schema.revision or 'none'}: brought up to {HEAD_REVISION} when it is next used"
            return Finding("note", "database", text)
        case SchemaState.NEWER:
            text = f"format {schema.revision}: made by a newer version; this one knows none after {HEAD_REVISION}"
            return Finding("broken", "database", text, "Use the version of GhostOS that made it, or a newer one")
        case SchemaState.FOREIGN:
            return Finding("broken", "database", f"{database} is not one of GhostOS", "Choose --workspace DIR")


def _examine_accepted(workspace: Workspace) -> Finding:
    """What the user accepted to run here: a record that cannot be read stops the commands that need it."""
    try:
        count = open_accepted_files(workspace).check_record()
    except WorkspaceError as exc:
        return Finding("broken", "workspaces", exc.happened, exc.advice)
    except AcceptanceRecordError as exc:
        error = describe_refusal(exc)
        return Finding("broken", "accepted", error.happened, error.advice)
    return Finding("ok", "accepted", f"{count} file{'' if count == 1 else 's'} recorded that ran with your rights")


def _examine_settings(workspace: Workspace) -> Finding:
    if os.path.isfile(workspace.config_file):
        return Finding("ok", "settings", str(workspace.config_file))
    return Finding("note", "settings", "the defaults: there is no file of settings")


def _examine_env_file(workspace: Workspace) -> Iterator[Finding]:
    """Say so where others can read keys; POSIX alone has such permissions."""
    try:
        mode = workspace.env_file.stat().st_mode
    except OSError:
        return  # none, or one that the settings have been reported for
    if os.name == "posix" and mode & 0o077:
        text = f"{workspace.env_file} is open to others (mode {mode & 0o777:03o})"
        yield Finding("note", "key file", text, f"Keep your keys to yourself: chmod 600 {workspace.env_file}")


def _examine_models(app: AppSettings) -> Iterator[Finding]:
    services = [app.settings.find_service(name) for name in {**default_services(), **app.settings.services}]
    names = [service.api_key_env for service in services if service and service.api_key_env]
    keys = [name for name in dict.fromkeys(names) if app.find_variable(name) is not None]
    missing = f"none; looked for {', '.join(names)} in the environment and in {app.workspace.env_file}"
    advice = "" if keys else "Keep one, tested first: ghostos config key openai"
    yield Finding("ok" if keys else "note", "keys", ", ".join(keys) or missing, advice)
    try:
        label = Models(app).get(None, target=None).label
    except ModelKeyMissingError as exc:
        yield Finding("note", "model", f"{exc.happened} Targets with a rehearsal can be tried without.", exc.advice)
    except GhostOSError as exc:
        yield Finding("broken", "model", exc.happened, exc.advice)
    else:
        yield Finding("ok", "model", label)


def _examine_confinement(app: AppSettings | None) -> Finding:
    """Try it, by confining a process."""
    subject = "confinement"
    if app is not None and app.settings.code.sandbox == "off":
        return Finding("note", subject, "switched off (code.sandbox): models' code runs UNCONFINED, with your rights")
    executor = ProcessExecutor()
    try:
        executor.check_system()
    except ConfinementError as exc:
        advice = "Run GhostOS where that is to be had; or, on a machine that you can lose, with --sandbox off."
        return Finding("broken", subject, str(exc), advice)
    finally:
        executor.close()
    settings = app.settings.code.permissions if app is not None else None
    allowed = Permissions(**settings.model_dump()).describe() if settings else "nothing"
    return Finding("ok", subject, f"models' code runs in a process of its own; the workspace allows it: {allowed}")


def _examine_extra(extra: str, modules: tuple[str, ...]) -> Finding:
    if all(_is_installed(module) for module in modules):
        return Finding("ok", f"extra {extra}", "installed")
    return Finding("note", f"extra {extra}", f"not installed: pip install 'ghostos-core[{extra}]'")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it would be in
        return False


def _nearest_folder(path: Path) -> Path:
    """Return the path, or what is nearest above it that exists."""
    return next(place for place in (path, *path.parents) if os.path.exists(place))
