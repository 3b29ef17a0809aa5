"""What is in force, and who says so: a flag, the environment, the workspace's files, or nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from ghostos.config import AppSettings, ModelSettings, ServiceSettings, default_services
from ghostos.drivers.models.service import Service
from ghostos.drivers.models.service_lookup import REHEARSAL, make_service
from ghostos.errors import ConfigError
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.setting_names import Setting, list_named, list_settings, read_value
from ghostos.libraries.settings_text import SettingValue

__all__ = [
    "InForce",
    "KeyPlace",
    "ServiceState",
    "get_service_state",
    "list_in_force",
    "list_model_fields",
    "list_services",
]

Origin: TypeAlias = Literal["flag", "environment", ".env", "file", "built in", "default"]
"""`built in`: known of that service or model without any configuration."""
KeyPlace: TypeAlias = Literal["environment", ".env", "missing", "not needed"]

_PERMISSIONS: Final = ("code", "permissions")


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting as it counts now.

    Attributes:
        setting: Which.
        value: None where it is not set. An address is without user name and password.
        origin: Who says so.
        in_file: What the file says, whatever goes before it; None where it says nothing. An address as above.
    """

    setting: Setting
    value: object
    origin: Origin
    in_file: SettingValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """A service as it can be used now.

    Attributes:
        name: The part of `provider:model` before the colon.
        settings: Its settings.
        address: Where it is asked, without user name and password; "" where that cannot be said.
        key: Where its key is.
        fault: Why it cannot be used, whatever key it has; "" where it can.
    """

    name: str
    settings: ServiceSettings
    address: str
    key: KeyPlace
    fault: str = ""

    @property
    def takes_key(self) -> bool:
        """Whether a key can be kept for it."""
        return bool(self.settings.api_key_env)


def list_services(live: LiveSettings, *, app: AppSettings) -> list[ServiceState]:
    """Return all services: those that are known without configuration, then those of the file."""
    return [get_service_state(name, live=live, app=app) for name in _service_names(app)]


def get_service_state(name: str, *, live: LiveSettings, app: AppSettings) -> ServiceState:
    """Return how a service can be used; one without settings as what nobody has configured."""
    settings = app.settings.find_service(name) or ServiceSettings()
    address, fault = "", ""
    try:
        address = make_service(app, provider=name, service=settings, key=None).address
    except ConfigError as exc:
        fault = str(exc).replace("\n", " ")
    if not settings.api_key_env and settings.needs_key:
        fault = fault or "It needs a key, but does not say in which variable it is (api_key_env)."
    return ServiceState(
        name=name, settings=settings, address=address, key=_find_key_place(settings, live=live, app=app), fault=fault
    )


def list_in_force(live: LiveSettings, *, app: AppSettings) -> list[InForce]:
    """Return every setting with what counts now, those of all services and of the models that are named."""
    named = [app.settings.default_model, *([app.model] if app.model else [])]
    models = dict.fromkeys([*(name for name in named if name != REHEARSAL), *app.settings.models])
    return [_look_up(each, live=live, app=app) for each in list_settings(_service_names(app), list(models))]


def list_model_fields(name: str, *, live: LiveSettings, app: AppSettings) -> list[InForce]:
    """Return what counts for one model."""
    return [_look_up(each, live=live, app=app) for each in list_named("models", name)]


def _service_names(app: AppSettings) -> Sequence[str]:
    return list(dict.fromkeys([*default_services(), *app.settings.services]))


def _find_key_place(service: ServiceSettings, *, live: LiveSettings, app: AppSettings) -> KeyPlace:
    value = app.find_variable(service.api_key_env) if service.api_key_env else None
    if value is not None and value.get_secret_value().strip():
        return "environment" if live.is_in_environment(service.api_key_env) else ".env"
    return "missing" if service.needs_key else "not needed"


def _look_up(setting: Setting, *, live: LiveSettings, app: AppSettings) -> InForce:
    in_file = _read_file(setting, app)
    for value, origin in (*_find_flag(setting, app), *_find_variable(setting, live=live, app=app)):
        return InForce(setting, value, origin, in_file)
    if in_file is not None:
        return InForce(setting, in_file, "file", in_file)
    if setting.path[0] == "services":
        known: ServiceSettings | ModelSettings = default_services().get(setting.path[1], ServiceSettings())
    elif setting.path[0] == "models":
        known = app.settings.get_model(setting.path[1])
    else:
        return InForce(setting, read_value(setting.path, settings=app.settings), "default")
    value: object = getattr(known, setting.path[-1])
    return InForce(setting, value, "default" if value == setting.default else "built in")


def _read_file(setting: Setting, app: AppSettings) -> SettingValue | None:
    table = read_value(setting.path[:-1], settings=app.settings) if setting.path[:-1] else app.settings
    if setting.path[-1] not in getattr(table, "model_fields_set", ()):
        return None
    if setting.path[0] == "services" and setting.path[-1] == "base_url":
        return _hide_password(str(getattr(table, "base_url", "")))
    return cast("SettingValue", read_value(setting.path, settings=app.settings))


def _find_flag(setting: Setting, app: AppSettings) -> Iterator[tuple[object, Origin]]:
    if setting.path == ("default_model",) and app.model:
        yield app.model, "flag"
    if setting.path == ("code", "sandbox") and app.confinement.sandbox:
        yield app.confinement.sandbox, "flag"
    permissions = app.confinement.permissions
    if setting.path[:2] == _PERMISSIONS and permissions is not None:
        named: object = True if permissions.everything else getattr(permissions, setting.path[-1])
        if named is not None:
            yield (list(cast("tuple[str, ...]", named)) if isinstance(named, tuple) else named), "flag"


def _find_variable(setting: Setting, *, live: LiveSettings, app: AppSettings) -> Iterator[tuple[object, Origin]]:
    if setting.path[0] != "services" or setting.path[-1] != "base_url":
        return
    service = app.settings.find_service(setting.path[1])
    name = service.base_url_env if service else ""
    if name and (value := app.find_variable(name)) is not None:
        yield _hide_password(value.get_secret_value()), "environment" if live.is_in_environment(name) else ".env"


def _hide_password(address: str) -> str:
    try:
        return Service(name="x", base_url=address.strip()).address
    except ConfigError:  # any part of it may be a password's
        return "(not an address)"
