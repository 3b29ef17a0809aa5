"""Looking at the configuration of a workspace and changing it: what `ghostos config` and the page of models share."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from ghostos.config import AppSettings, ServiceSettings, Settings, Workspace, default_services
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
from ghostos.libraries.app_settings import parse_settings, read_env
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
_UNFIT: Final = frozenset(":`")
"""What no name of a service has."""


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

    def is_in_environment(self, variable: str) -> bool:
        """Whether the process's own environment has a variable."""
        return self._live.is_in_environment(variable)

    def change(self, changes: Mapping[tuple[str, ...], SettingValue | None]) -> tuple[str, ...]:
        """Change settings in `configs/ghostos.toml`, all of them or none; the file is made where there is none.

        The stored key of a service that is taken out whole goes with it, where no other service uses it.

        Args:
            changes: By the names that lead to a setting. None takes it out, as it does a whole group.

        Returns:
            The variables whose keys were taken out of `.env`.

        Raises:
            ConfigError: The file cannot be read, would not say what it must, or is written in a way that is not
                changed for the user.
            NewerFormatError: A newer version wrote it.
            WorkspaceError: It cannot be written.
        """
        path = self.workspace.config_file
        unused: set[str] = set()

        def change(before: bytes) -> bytes:
            text = _decode(before, path) if before else _NEW_FILE
            old = parse_settings(text, path=path)
            for names, value in changes.items():
                text = _change_one(text, names, value=value, path=path)
            settings = parse_settings(text, path=path)
            for names in changes:
                _check_sense(settings, names)
            removed = {names[1] for names, value in changes.items() if names[:-1] == ("services",) and value is None}
            unused.update(_list_variables(old, removed & {*old.services}) - _list_variables(settings, None))
            return text.encode()

        try:
            change_file(path, change)
        except OSError as exc:
            raise translate_os_error(exc, path=path) from exc
        forgotten = tuple(sorted(unused & {*read_env(self.workspace.env_file)})) if unused else ()
        for variable in forgotten:
            remove_key(self.workspace, variable)
        return forgotten

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

    def remove_key(self, service: str) -> str:
        """Take the key of a service out of the workspace's `.env`; the environment is not changed.

        Args:
            service: Its name. Where none has that name: the variable of a key that is left of one, or what that would
                be called for a service of this name.

        Returns:
            The variable; "" where the service has none.

        Raises:
            ConfigError: There is no such service and no such key, or a line of the file is none.
            WorkspaceError: The file cannot be written.
        """
        variable = self._find_left_over(service)
        if variable is None:
            variable = get_service_settings(service, settings=self.read().settings).api_key_env
        if variable:
            remove_key(self.workspace, variable)
        return variable

    def _find_left_over(self, name: str) -> str | None:
        """Return the variable of a key that no service of that name uses."""
        if self.read().settings.find_service(name) is not None:
            return None
        stored = read_env(self.workspace.env_file)
        return next((each for each in (name, propose_variable(name)) if each in stored), None)


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
    words = "".join(char if char.isascii() and char.isalnum() else "_" for char in service.upper())
    return f"{'_' if words[:1].isdigit() else ''}{words}_API_KEY"


def _list_variables(settings: Settings, services: Collection[str] | None) -> set[str]:
    """Return the variables that services take their keys from; of all services where none are named."""
    names = {*default_services(), *settings.services} if services is None else services
    return {service.api_key_env for name in names if (service := settings.find_service(name)) and service.api_key_env}


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path} is not UTF-8: {exc}.", advice="Save it as UTF-8, or empty it.") from exc


def _change_one(text: str, names: tuple[str, ...], *, value: SettingValue | None, path: Path) -> str:
    after = change_setting(text, names, value=value)
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
    if not name or not name.isprintable() or not _UNFIT.isdisjoint(name):
        raise ConfigError(
            f"{name!r:.60} is no name of a service.",
            advice="Choose one on one line, without a colon or a backtick, like mine.",
        )
    if service.base_url is not None:
        Service(name=name, base_url=service.base_url)
    for field in ("api_key_env", "base_url_env", "proxy_env"):
        variable = str(getattr(service, field))
        if variable and not VARIABLE_NAME.fullmatch(variable):
            raise ConfigError(
                f"services.{name}.{field}: {variable!r:.40} is no name of a variable.",
                advice=f"It names the variable that holds the value, like {propose_variable(name)}.",
            )
