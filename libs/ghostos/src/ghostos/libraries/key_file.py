"""The workspace's `.env`, where keys are kept: readable by its owner alone, whatever else is in it left as it is."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from ghostos.config import Workspace
from ghostos.drivers.store.disk import translate_os_error
from ghostos.errors import ConfigError, WorkspaceError
from ghostos.libraries.app_settings import check_env_text
from ghostos.libraries.atomic_files import change_file
from ghostos.libraries.env_text import VARIABLE_NAME, remove_variable, set_variable

__all__ = ["remove_key", "store_key"]


def store_key(workspace: Workspace, name: str, *, key: SecretStr) -> None:
    """Keep a key under the name of its variable. The workspace is made where it does not exist.

    Raises:
        ConfigError: The file holds a line that is none, or the name is none of a variable.
        WorkspaceError: The file cannot be read or written, or belongs to somebody else.
    """
    if not VARIABLE_NAME.fullmatch(name):
        raise ConfigError(
            f"'{name}' is no name of a variable that can hold a key.",
            advice="Set api_key_env of the service to one like MINE_API_KEY.",
        )
    _change(workspace.env_file, partial(set_variable, name=name, value=key.get_secret_value()))


def remove_key(workspace: Workspace, name: str) -> None:
    """Forget a key. Harmless where there is none.

    Raises:
        ConfigError: As `store_key`.
        WorkspaceError: As `store_key`.
    """
    if workspace.env_file.exists():
        _change(workspace.env_file, partial(remove_variable, name=name))


def _change(path: Path, change: Callable[[str], str]) -> None:
    def change_bytes(before: bytes) -> bytes:
        try:
            text = before.decode()
        except UnicodeDecodeError as exc:  # without its text: it may hold a key
            raise ConfigError(f"{path} is not UTF-8.", advice="Save it as UTF-8.") from exc
        check_env_text(text, path=path)
        return change(text).encode()

    try:
        change_file(path, change_bytes, is_private=True)
    except PermissionError as exc:
        raise WorkspaceError(
            f"{path} cannot be changed: {exc.strerror or exc}.",
            advice="Give yourself the right to write there, or choose another workspace with --workspace DIR.",
        ) from exc
    except OSError as exc:
        raise translate_os_error(exc, path=path) from exc
