"""What one run of the application was told: the workspace's settings, the environment, its `.env`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from ghostos.config import CONFIG_VERSION, AppSettings, Settings, Workspace
from ghostos.errors import ConfigError, NewerFormatError


def load_app_settings(workspace: Workspace, *, environment: Mapping[str, str], model: str | None = None) -> AppSettings:
    """Read the settings of a workspace; a workspace that does not exist has the defaults.

    Args:
        workspace: Where they are.
        environment: The process's own variables; they go before the workspace's `.env`.
        model: What the user named.

    Raises:
        ConfigError: A file cannot be read or does not say what it must.
        NewerFormatError: A newer version wrote the settings.
    """
    variables = {name: value for name, value in _read_env(workspace.env_file).items() if value}
    variables.update(environment)
    return AppSettings(
        workspace=workspace,
        settings=_read_settings(workspace.config_file),
        environment={name: SecretStr(value) for name, value in variables.items()},
        model=model,
    )


def _read_env(path: Path) -> dict[str, str | None]:
    if not path.is_file():
        return {}
    try:
        return dict(dotenv_values(path, interpolate=False))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}.", advice="Mend or remove the file.") from exc


def _read_settings(path: Path) -> Settings:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}.", advice="Mend the file, or remove it.") from exc
    version = found.get("version", CONFIG_VERSION)
    if isinstance(version, int) and version > CONFIG_VERSION:
        raise NewerFormatError(
            f"{path} has format {version}; this version of GhostOS reads up to {CONFIG_VERSION}.",
            advice="Update GhostOS, or choose another workspace with --workspace DIR.",
        )
    try:
        return Settings.model_validate(found)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {place}: {first['msg']}.", advice="Mend that setting.") from exc
