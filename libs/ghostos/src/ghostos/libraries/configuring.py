"""Looking at the configuration of a workspace and changing it: what `ghostos config` and the page of models share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from ghostos.config import AppSettings, ServiceSettings, Settings, Workspace
from ghostos.drivers.models.key_check import KeyReport, check_service
from ghostos.drivers.models.service import Service, check_key
from ghostos.drivers.models.service_lookup import (
    REHEARSAL,
    find_key,
    get_service_settings,
    make_service,
    parse_model_name,
)
from ghostos.drivers.store.disk import translate_os_error
from ghostos.errors import ConfigError, ModelKeyMissingError
from ghostos.libraries.app_settings import parse_settings
from ghostos.libraries.atomic_files import change_file
from ghostos.libraries.env_text import VARIABLE_NAME
from ghostos.libraries.in_force import (
    InForce,
    ServiceState,
    get_service_state,
    list_in_force,
    list_model_fields,
    list_services,
)
from ghostos.libraries.key_file import remove_key, store_key
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.settings_text import SettingValue, change_setting
from ghostos.libraries.workspace_log import hide_in_logs

__all__ = ["Configuration", "propose_variable"]

_NEW_FILE: Final = "version = 1\n"


class Configuration:
    """The settings and keys of one workspace. What is stored counts from the next look at `live` on.

    Args:
        live: What counts now.
    """

    def __init__(self, live: LiveSettings) -> None:
        self._live = live

    @property
    def workspace(self) -> Workspace:
        """Whose files are changed."""
        return self._live.workspace

    def read(self) -> AppSettings:
        """Return what counts now.

        Raises:
            ConfigError: A file cannot be read or does not say what it must.
            NewerFormatError: A newer version wrote the settings.
        """
        return self._live.read()

    def list_in_force(self) -> list[InForce]:
        """Return every setting with what counts now. Raises what `read` does."""
        return list_in_force(self._live, app=self.read())

    def list_model(self, name: str) -> list[InForce]:
        """Return what counts for one model, whether it is named anywhere or not. Raises what `read` does."""
        return list_model_fields(name, live=self._live, app=self.read())

    def list_services(self) -> list[ServiceState]:
        """Return all services and where their keys are. Raises what `read` does."""
        return list_services(self._live, app=self.read())

    def get_service(self, name: str) -> ServiceState:
        """Return one service.

        Raises:
            ConfigError: None has that name, or as `read`.
        """
        app = self.read()
        get_service_settings(name, settings=app.settings)
        return get_service_state(name, live=self._live, app=app)

    def is_overridden(self, service: ServiceState) -> bool:
        """Whether the environment has the variable of a service's key, if only an empty one: that one is used."""
        return bool(service.settings.api_key_env) and self._live.is_in_environment(service.settings.api_key_env)

    def change(self, changes: Mapping[tuple[str, ...], SettingValue | None]) -> None:
        """Change settings in `configs/ghostos.toml`, all of them or none; the file is made where there is none.

        Args:
            changes: By the names that lead to a setting. None takes it out, as it does a whole group.

        Raises:
            ConfigError: The file cannot be read, would not say what it must, or is written in a way that is not
                changed for the user.
            NewerFormatError: A newer version wrote it.
            WorkspaceError: It cannot be written.
        """
        path = self.workspace.config_file

        def change(before: bytes) -> bytes:
            text = _decode(before, path) if before else _NEW_FILE
            parse_settings(text, path=path)
            for names, value in changes.items():
                text = _change_one(text, names, value, path=path)
            settings = parse_settings(text, path=path)
            for names in changes:
                _check_sense(settings, names)
            return text.encode()

        try:
            change_file(path, change)
        except OSError as exc:
            raise translate_os_error(exc, path=path) from exc

    async def check_key(self, service: str, *, key: SecretStr | None = None, model: str = "") -> KeyReport:
        """Ask a service whether it takes a key; without one that it needs nobody is asked.

        Args:
            service: Its name.
            key: None is the one that is stored or in the environment.
            model: As the service knows it; "": the workspace's default model, where that is one of it.

        Raises:
            ConfigError: There is no such service, it cannot be asked, or the key is none that can be sent.
            ModelKeyMissingError: There is no key.
        """
        app = self.read()
        settings = get_service_settings(service, settings=app.settings)
        if key is None:
            key = find_key(app, provider=service, service=settings)
            if key is None and settings.needs_key:
                raise ModelKeyMissingError(f"{service}:{model}" if model else service, variable=settings.api_key_env)
        else:
            key = _take(key, settings)
        asked = make_service(app, provider=service, service=settings, key=key)
        return await check_service(asked, model=model or _model_of(service, app=app))

    def store_key(self, service: str, *, key: SecretStr) -> None:
        """Keep the key of a service in the workspace's `.env`. It is not tested by this.

        Raises:
            ConfigError: There is no such service, it has no variable for a key, or the key is none that can be sent.
            WorkspaceError: The file cannot be written.
        """
        settings = get_service_settings(service, settings=self.read().settings)
        if not settings.api_key_env:
            raise ConfigError(
                f"The service '{service}' names no variable for a key.",
                advice=f"Name one: ghostos config set services.{service}.api_key_env {propose_variable(service)}",
            )
        store_key(self.workspace, settings.api_key_env, key=_take(key, settings))

    def remove_key(self, service: str) -> None:
        """Take the key of a service out of the workspace's `.env`; the environment is not changed.

        Raises:
            ConfigError: There is no such service, or a line of the file is none.
            WorkspaceError: The file cannot be written.
        """
        settings = get_service_settings(service, settings=self.read().settings)
        if settings.api_key_env:
            remove_key(self.workspace, settings.api_key_env)


def _take(key: SecretStr, settings: ServiceSettings) -> SecretStr:
    """Return a key as it is sent and stored; from now on it is in no log."""
    taken = check_key(key, source=settings.api_key_env or "this field")
    hide_in_logs([taken.get_secret_value()])
    return taken


def _model_of(service: str, *, app: AppSettings) -> str:
    provider, _, model = (app.model or app.settings.default_model).partition(":")
    return model if provider == service else ""


def propose_variable(service: str) -> str:
    """Return the name of a variable for the key of a service of one's own."""
    return f"{''.join(char if char.isalnum() else '_' for char in service.upper())}_API_KEY"


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path} is not UTF-8: {exc}.", advice="Save it as UTF-8, or empty it.") from exc


def _change_one(text: str, names: tuple[str, ...], value: SettingValue | None, *, path: Path) -> str:
    after = change_setting(text, names, value)
    if after is None:
        raise ConfigError(
            f"{path} writes {'.'.join(names)} in a way that is not changed for you.", advice="Change it there yourself."
        )
    return after


def _check_sense(settings: Settings, names: tuple[str, ...]) -> None:
    """Check what the types of settings cannot say of one that is changed."""
    if names == ("default_model",) and settings.default_model != REHEARSAL:
        parse_model_name(settings.default_model, settings=settings)
    group, name = (*names, "")[:2]
    if group == "models" and name in settings.models:
        parse_model_name(name, settings=settings)
    elif group == "services" and name in settings.services:
        _check_service(name, settings.services[name])
    elif group == "services" and (name or "openai") == settings.default_model.partition(":")[0]:
        parse_model_name(settings.default_model, settings=settings)  # it may be gone


def _check_service(name: str, service: ServiceSettings) -> None:
    if not name or ":" in name:
        raise ConfigError(f"'{name}' is no name of a service.", advice="Choose one without a colon, like mine.")
    if service.base_url is not None:
        Service(name=name, base_url=service.base_url)
    for field in ("api_key_env", "base_url_env", "proxy_env"):
        variable = str(getattr(service, field))
        if variable and not VARIABLE_NAME.fullmatch(variable):
            raise ConfigError(
                f"services.{name}.{field}: {variable!r:.40} is no name of a variable.",
                advice=f"It names the variable that holds the value, like {propose_variable(name)}.",
            )
