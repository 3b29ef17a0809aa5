"""What one run of the application was told: the workspace's settings, the environment, its `.env`."""

import difflib
import tomllib
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Final, get_args

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream
from pydantic import BaseModel, SecretStr, ValidationError

from ghostos.config import CONFIG_VERSION, AppSettings, Confinement, Settings, Workspace, default_services
from ghostos.errors import ConfigError, NewerFormatError

_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL", "PROXY")
SHORTEST_SECRET: Final = 6
"""What is shorter stands in other words as well: hiding it would hide them."""


def load_app_settings(
    workspace: Workspace,
    *,
    environment: Mapping[str, str],
    model: str | None = None,
    confinement: Confinement | None = None,
) -> AppSettings:
    """Read the settings of a workspace; a workspace that does not exist has the defaults.

    Args:
        workspace: Where they are.
        environment: The process's own variables; they go before the workspace's `.env`.
        model: What the user named.
        confinement: What the user named.

    Raises:
        ConfigError: A file cannot be read or does not say what it must.
        NewerFormatError: A newer version wrote the settings.
    """
    variables = {name: value for name, value in read_env(workspace.env_file).items() if value}
    variables.update(environment)
    return AppSettings(
        workspace=workspace,
        settings=read_settings(workspace.config_file),
        environment={name: SecretStr(value) for name, value in variables.items()},
        model=model,
        confinement=confinement or Confinement(),
    )


def get_file_version(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does; empty where there is none, or it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:  # what is wrong is said when it is read
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def read_settings(path: Path) -> Settings:
    """Read a workspace's settings; where there is no file, the defaults.

    Raises:
        ConfigError: It cannot be read or does not say what it must.
        NewerFormatError: A newer version wrote it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as exc:
        raise _unreadable(path, exc) from exc
    return parse_settings(text, path=path)


def parse_settings(text: str, *, path: Path) -> Settings:
    """Return what a text says that is, or is to be, the file of settings at `path`.

    Raises:
        ConfigError: It does not say what it must.
        NewerFormatError: A newer version wrote it.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _unreadable(path, exc) from exc
    version = found.get("version", CONFIG_VERSION)
    if isinstance(version, int) and version > CONFIG_VERSION:
        raise NewerFormatError(
            f"{path} has format {version}; this version of GhostOS reads up to {CONFIG_VERSION}.",
            advice="Update GhostOS, or choose another workspace with --workspace DIR.",
        )
    try:
        return Settings.model_validate(found)
    except ValidationError as exc:
        raise _refused(path, exc) from exc


def read_env(path: Path) -> dict[str, str | None]:
    """Read a file of variables; where there is none, nothing.

    Raises:
        ConfigError: It cannot be read, or a line of it is no NAME=value; no text of it is in the message.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as exc:
        raise _unreadable(path, exc) from exc
    check_env_text(text, path=path)
    return dict(dotenv_values(stream=StringIO(text), interpolate=False))


def check_env_text(text: str, *, path: Path) -> None:
    """Check that a text can be read as a file of variables.

    Raises:
        ConfigError: A line is no NAME=value.
    """
    for binding in parse_stream(StringIO(text)):
        if binding.error:  # without its text: it may hold a key
            raise ConfigError(
                f"{path}, line {_count_lines_to(binding)}: this is no NAME=value.",
                advice="Mend that line, or put # before it.",
            )


def find_secrets(app: AppSettings) -> list[str]:
    """Return the values that belong in no log, the longest first.

    Those are the values of all variables in the workspace's `.env`, of those that a service takes its key or its proxy
    from, and of those whose names speak of keys.
    """
    filed = read_env(app.workspace.env_file)
    services = [app.settings.find_service(name) for name in app.settings.services]
    named = {name for service in services if service for name in (service.api_key_env, service.proxy_env)}
    values = {value for value in filed.values() if value}
    values.update(
        secret.get_secret_value()
        for name, secret in app.environment.items()
        if name in filed or name in named or any(word in name.upper() for word in _SECRET_WORDS)
    )
    return sorted((value for value in values if len(value) >= SHORTEST_SECRET), key=len, reverse=True)


def list_key_names(app: AppSettings) -> set[str]:
    """Return the names of variables that GhostOS takes keys and proxies from, and of all in the workspace's `.env`."""
    services = [app.settings.find_service(name) for name in {*default_services(), *app.settings.services}]
    named = {name for service in services if service for name in (service.api_key_env, service.proxy_env) if name}
    return named | {*read_env(app.workspace.env_file)}


def _refused(path: Path, error: ValidationError) -> ConfigError:
    """Return the error that names the first setting that cannot be used."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return ConfigError(f"{path}: {place}: {first['msg']}.", advice="Mend that setting.")
    *_, name = map(str, first["loc"])
    close = difflib.get_close_matches(name, _list_setting_names(Settings), n=1)
    meant = f" Did you mean {close[0]}?" if close else ""
    return ConfigError(
        f"{path}: there is no setting {place}.{meant}", advice="All settings: docs/configuration.md (ghostos docs)."
    )


def _list_setting_names(model: type[BaseModel]) -> set[str]:
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for each in (field.annotation, *get_args(field.annotation)):
            if isinstance(each, type) and issubclass(each, BaseModel):
                names |= _list_setting_names(each)
    return names


def _count_lines_to(binding: Binding) -> int:
    """Return the line that a binding stands on: what is read for one may begin with the empty lines before it."""
    text = binding.original.string
    return binding.original.line + len(text[: len(text) - len(text.lstrip())].splitlines())


def _unreadable(path: Path, cause: Exception) -> ConfigError:
    if isinstance(cause, PermissionError):
        advice = "Give yourself the right to read it, or choose another workspace with --workspace DIR."
        return ConfigError(f"{path} cannot be read: {cause.strerror}.", advice=advice)
    return ConfigError(f"{path} cannot be read: {cause}.", advice="Mend the file, or empty it: then the defaults hold.")
