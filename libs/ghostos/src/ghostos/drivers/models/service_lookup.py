"""From what the application was told to the service that a model's name means: its settings, its key, its address."""

import difflib
from dataclasses import replace
from typing import Final

from pydantic import SecretStr

from ghostos.config import AppSettings, ServiceSettings, Settings, default_services
from ghostos.drivers.models.service import Service, check_key, check_proxy
from ghostos.errors import ConfigError

__all__ = ["MODEL_NAME_HINT", "REHEARSAL", "find_key", "get_service_settings", "make_service", "parse_model_name"]

REHEARSAL: Final = "rehearsal"
"""The name that means the rehearsal of a target, and no service."""
MODEL_NAME_HINT: Final = "A model is named provider:model, like openai:gpt-4o."
_OPENAI_ADDRESS: Final = "https://api.openai.com/v1"


def parse_model_name(name: str, *, settings: Settings) -> tuple[str, str, ServiceSettings]:
    """Return the service's name, the model's as the service knows it, and the service's settings.

    Raises:
        ConfigError: It is not of the form `provider:model`, or no service has that name.
    """
    provider, colon, model_name = name.partition(":")
    service = settings.find_service(provider)
    if service is not None and model_name:
        return provider, model_name, service
    if not colon:
        meant = f"{name}:MODEL" if service is not None else f"openai:{name}"
        raise ConfigError(f"'{name}' names no service and model: did you mean {meant}?", advice=MODEL_NAME_HINT)
    if service is not None:
        raise ConfigError(f"'{name}' names the service, but no model of it.", advice=MODEL_NAME_HINT)
    raise _unknown_service(provider, settings=settings, rest=f":{model_name}")


def get_service_settings(name: str, *, settings: Settings) -> ServiceSettings:
    """Return the settings of a service.

    Raises:
        ConfigError: No service has that name.
    """
    service = settings.find_service(name)
    if service is None:
        raise _unknown_service(name, settings=settings)
    return service


def find_key(app: AppSettings, *, provider: str, service: ServiceSettings) -> SecretStr | None:
    """Return the key of a service as it is sent; None where none is set.

    Raises:
        ConfigError: The service needs one and does not say where it is, or it is none that can be sent.
    """
    if not service.api_key_env:
        if service.needs_key:
            raise ConfigError(
                f"The service '{provider}' needs a key, but does not say where it is.",
                advice=f"Set api_key_env or needs_key = false under [services.{provider}] in configs/ghostos.toml.",
            )
        return None
    value = app.find_variable(service.api_key_env)
    if value is None or not value.get_secret_value().strip():
        return None
    return check_key(value, source=service.api_key_env)


def make_service(app: AppSettings, *, provider: str, service: ServiceSettings, key: SecretStr | None) -> Service:
    """Return the service as a driver talks to it.

    Raises:
        ConfigError: It has no address, or its address or proxy cannot be used.
    """
    address = app.find_variable(service.base_url_env) if service.base_url_env else None
    proxy = app.find_variable(service.proxy_env) if service.proxy_env else None
    base_url = address.get_secret_value().strip() if address else service.base_url
    if base_url is None and provider == "openai":
        base_url = _OPENAI_ADDRESS
    if base_url is None:
        raise ConfigError(
            f"The service '{provider}' has no address.",
            advice=f"Set base_url under [services.{provider}] in configs/ghostos.toml.",
        )
    made = Service(
        name=provider,
        base_url=base_url,
        key=key,
        proxy=check_proxy(proxy, source=service.proxy_env) if proxy else None,
        key_source=service.api_key_env,
        timeout_s=service.timeout_s,
        max_retries=service.max_retries,
    )
    # A server on this machine is there or not; those of a turn are enough where it is there and has trouble.
    is_default = "max_retries" not in service.model_fields_set
    return replace(made, max_retries=0) if is_default and made.is_local else made


def _unknown_service(name: str, *, settings: Settings, rest: str = "") -> ConfigError:
    known = sorted({*settings.services, *default_services()})
    close = difflib.get_close_matches(name, known, n=1)
    hint = f": did you mean {close[0]}{rest}?" if close else "."
    return ConfigError(
        f"No service is called '{name}'{hint}",
        advice=f"Known are {', '.join(known)}; others are added under [services] in configs/ghostos.toml.",
    )
