"""Which folder is the workspace, and how one is made."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from pydantic import TypeAdapter

from ghostos.config import Workspace
from ghostos.errors import NotConfiguredError, WorkspaceError, WorkspaceReadOnlyError
from ghostos.libraries.atomic_files import folder_locked, write_atomically

DEFAULT_FOLDER = "app"
_RECORD = "workspaces.json"

_NO_SETTINGS = (
    "it has no configs/ghostos.toml. Make that anew with ghostos init, which leaves the rest as it is; "
    "or use it with --workspace app"
)

CONFIG_TEMPLATE = """\
# Settings of this GhostOS workspace. A flag goes before the environment, that before this file.
# All keys and their defaults: docs/configuration.md (ghostos docs).
version = 1

# Which model ghosts use that name none: provider:model.
# default_model = "openai:gpt-4o"

# [code]
# timeout_s = 120.0        # longest run of one piece of code

# [store]
# durability = "normal"    # survives kill -9; "full" survives a power cut

# A service of your own that speaks the OpenAI protocol; use it as --model mine:some-model
# [services.mine]
# base_url = "http://127.0.0.1:8000/v1"
# api_key_env = "MINE_API_KEY"
# needs_key = false
"""

ENV_TEMPLATE = """\
# Keys for this workspace, readable by you alone. The environment goes before this file.
# OPENAI_API_KEY=
# OPENAI_BASE_URL=
# OPENAI_PROXY=socks5://127.0.0.1:1080
# DEEPSEEK_API_KEY=
# MOONSHOT_API_KEY=
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWorkspace:
    """The workspace of this run.

    Attributes:
        workspace: Where it is. It may not exist yet.
        notices: One line each, for the user: what was ignored or will be made.
    """

    workspace: Workspace
    notices: tuple[str, ...] = field(default=())


def find_workspace(chosen: Path | None, *, environment: Mapping[str, str]) -> FoundWorkspace:
    """Return the workspace to use: the chosen one, GHOSTOS_WORKSPACE, ./app where `ghostos init` made it, the user's.

    Makes nothing. A folder `./app` that this machine's `ghostos init` did not make is not used: its settings could
    send keys elsewhere.

    Raises:
        WorkspaceError: Which it is cannot be known.
    """
    if chosen is not None:
        return FoundWorkspace(workspace=Workspace(make_absolute(chosen)))
    if named := environment.get("GHOSTOS_WORKSPACE"):
        return FoundWorkspace(workspace=Workspace(make_absolute(Path(named))))
    local = Workspace(make_absolute(Path(DEFAULT_FOLDER)))
    why_not = _why_not(local)
    if why_not is None:
        return FoundWorkspace(workspace=local)
    notices = [f"Ignored {local.root}: {why_not}"] if why_not else []
    own = Workspace(user_data_folder())
    if not os.path.exists(own.runtime):  # unlike Path.exists, raises nothing where it may not look
        notices.append(f"Threads and settings are kept in {own.root}")
    return FoundWorkspace(workspace=own, notices=tuple(notices))


def make_absolute(path: Path) -> Path:
    """Return a path as one from the root on.

    Raises:
        WorkspaceError: It begins at the current folder, which is gone.
    """
    try:
        return path.absolute()
    except OSError as exc:
        raise WorkspaceError(
            f"The current folder, which {path} is looked for in, is not there: {exc.strerror or exc}.",
            advice="Go to a folder that exists (cd), or give full paths.",
        ) from exc


def exists(path: Path) -> bool:
    """Return whether a file or folder of a workspace is there.

    Raises:
        WorkspaceError: The system does not let this be known.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as exc:
        raise WorkspaceError(
            f"{path} cannot be read: {exc.strerror or exc}.",
            advice="Give yourself the right to read it, or choose another workspace with --workspace DIR.",
        ) from exc
    return True


def user_data_folder() -> Path:
    """Return the user's own data folder of GhostOS; it may not exist."""
    return platformdirs.user_data_path("ghostos", appauthor=False)


def list_workspaces() -> list[Workspace]:
    """Return the workspaces of this user that are known here, the user's own first; they may not exist.

    Raises:
        WorkspaceError: The record of them cannot be read.
    """
    return [*map(Workspace, (user_data_folder(), *map(Path, _recorded())))]


def list_private_places(workspace: Workspace) -> list[Path]:
    """Return the files and folders that no permission for code may include: those of all workspaces known here.

    Another one is believed as well when it is used next, so it counts as much as the present one. Of each, what holds
    keys and settings is named by itself, too: it may be a link that leads out of the workspace.

    Raises:
        WorkspaceError: The record of workspaces cannot be read: code must not run without it.
    """
    return [
        place
        for each in (workspace, *list_workspaces())
        for place in (each.root, each.config_file.parent, each.config_file, each.env_file, each.runtime, each.database)
    ]


def init_workspace(root: Path) -> list[Path]:
    """Make a workspace and record that this machine made it. Files that exist are left as they are.

    Returns:
        What was made.

    Raises:
        NotConfiguredError: The place is taken by a file.
        WorkspaceReadOnlyError: Nothing can be written there.
        WorkspaceError: The record of workspaces cannot be read.
    """
    workspace = Workspace(make_absolute(root))
    try:
        folders = ((workspace.root, 0o777), (workspace.config_file.parent, 0o777), (workspace.runtime, 0o700))
        made = [folder for folder, mode in folders if _mkdir(folder, mode=mode)]
        made += [
            path
            for path, text, mode in (
                (workspace.config_file, CONFIG_TEMPLATE, 0o644),
                (workspace.env_file, ENV_TEMPLATE, 0o600),
                (workspace.root / ".gitignore", ".env\nruntime/\n", 0o644),
            )
            if _write_new(path, text, mode=mode)
        ]
        _record(workspace.root.resolve())
    except (FileExistsError, NotADirectoryError) as exc:
        raise NotConfiguredError(
            f"No workspace can be made at {workspace.root}: {exc.filename} is not a folder.",
            advice="Choose another place: ghostos init DIR",
        ) from exc
    except OSError as exc:
        raise WorkspaceReadOnlyError.at(workspace.root, exc) from exc
    return made


def _why_not(local: Workspace) -> str | None:
    """Return why `./app` is not to be used; "" where it is no workspace, None where it is to be used."""
    try:
        has_settings, has_threads = local.config_file.is_file(), local.database.is_file()
        if not has_settings and not has_threads and not local.env_file.is_file():
            return ""
        is_ours = str(local.root.resolve()) in _recorded()
        if not has_settings:  # where it was never a workspace, a .env of others is nothing to speak of
            return _NO_SETTINGS if is_ours or has_threads else ""
    except OSError as exc:
        return f"it cannot be read: {exc.strerror or exc}"
    return None if is_ours else "ghostos init did not make it on this machine. Use it with --workspace app"


def _mkdir(folder: Path, *, mode: int) -> bool:
    if folder.is_dir():
        return False
    folder.mkdir(mode, parents=True)
    return True


def _write_new(path: Path, text: str, *, mode: int) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def _recorded() -> list[str]:
    """Paths of the workspaces that this machine made. Only where there is no record there are none.

    Raises:
        WorkspaceError: It cannot be read.
    """
    record = user_data_folder() / _RECORD
    try:
        return _record_of_paths.validate_json(record.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        raise _unreadable(record, exc.strerror or str(exc)) from exc
    except ValueError as exc:
        raise _unreadable(record, "it is no JSON list of paths") from exc


_record_of_paths = TypeAdapter(list[str])


def _unreadable(record: Path, reason: str) -> WorkspaceError:
    return WorkspaceError(
        f"{record}, which lists your workspaces, cannot be read: {reason}.",
        advice="Mend it; or remove it, and run ghostos init DIR again for each: their keys are kept from code by it.",
    )


def _record(root: Path) -> None:
    folder = user_data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with folder_locked(folder):
        recorded = _recorded()
        if str(root) not in recorded:
            write_atomically(folder / _RECORD, json.dumps([*recorded, str(root)], indent=1).encode())
