"""Chooses the driver for a model's name: the user's choice, the ghost's, the workspace's; else a rehearsal."""

import difflib
import threading
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from ghostos.config import AppSettings, ServiceSettings, default_services
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.model_driver import ModelDriver
from ghostos.drivers.models.openai_chat import OpenAIChatDriver
from ghostos.drivers.models.rehearsal import RehearsalModel, find_rehearsal, load_rehearsal
from ghostos.drivers.models.service import Service, check_key, check_proxy
from ghostos.errors import ConfigError, ModelKeyMissingError

__all__ = ["Models"]

_REHEARSAL = "rehearsal"
_OPENAI_ADDRESS = "https://api.openai.com/v1"
_ALL_MODELS_HINT = "A model is named provider:model, like openai:gpt-4o."


class Models:
    """The drivers of one application: made when first asked for, then kept and shared. Any thread may ask.

    Args:
        app: What the application was told. A model that the user named goes before every other, and nothing takes its
            place; `rehearsal` is the name of the target's rehearsal.
        assets: Where the images of threads lie; None: no model is sent any.
        rehearsal_delay_s: Wait before each word of a rehearsal, seconds.
    """

    def __init__(self, app: AppSettings, *, assets: AssetFiles | None = None, rehearsal_delay_s: float = 0.02) -> None:
        self._app = app
        self._assets = assets
        self._rehearsal_delay_s = rehearsal_delay_s
        self._lock = threading.Lock()
        self._drivers: dict[str, OpenAIChatDriver] = {}
        self._rehearsals: dict[Path, tuple[tuple[int, int], RehearsalModel]] = {}

    def get(self, model: str | None, *, target: str | None) -> ModelDriver:
        """Return the driver for `provider:model`; the SDK is not imported by that.

        Args:
            model: As the ghost names it. None is the workspace's default.
            target: What the ghost was made from: a file's path or a module's name.

        Raises:
            ModelKeyMissingError: The model has no key, and there is no rehearsal to take its place.
            ConfigError: No service has that name, or its settings or the rehearsal cannot be used.
        """
        name = self._app.model or model or self._app.settings.default_model
        rehearsal = find_rehearsal(target) if target else None
        if name == _REHEARSAL:
            if rehearsal is None:
                raise ConfigError(
                    f"There is no rehearsal beside {target or 'a ghost without a target'}.", advice=_ALL_MODELS_HINT
                )
            return self._get_rehearsal(rehearsal)
        provider, model_name, settings = self._parse(name)
        key = self._find_key(provider, settings)
        if key is None and settings.needs_key:
            if rehearsal is None or self._app.model is not None:
                raise ModelKeyMissingError(name, variable=settings.api_key_env)
            return self._get_rehearsal(rehearsal)
        with self._lock:
            if name not in self._drivers:
                service = self._make_service(provider, settings=settings, key=key)
                particular = self._app.settings.get_model(name)
                self._drivers[name] = OpenAIChatDriver(
                    service, model=model_name, settings=particular, assets=self._assets
                )
            return self._drivers[name]

    async def aclose(self) -> None:
        """Close every driver that was made. Harmless twice."""
        with self._lock:
            drivers = list(self._drivers.values())
            self._drivers.clear()
        for driver in drivers:
            await driver.aclose()

    def _get_rehearsal(self, path: Path) -> RehearsalModel:
        """Return the rehearsal as its file is now."""
        status = path.stat()
        version = (status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._rehearsals.get(path)
            if known is None or known[0] != version:
                known = (version, RehearsalModel(load_rehearsal(path), delay_s=self._rehearsal_delay_s))
                self._rehearsals[path] = known
            return known[1]

    def _parse(self, name: str) -> tuple[str, str, ServiceSettings]:
        provider, colon, model_name = name.partition(":")
        settings = self._app.settings.find_service(provider)
        if settings is not None and model_name:
            return provider, model_name, settings
        known = sorted({*self._app.settings.services, *default_services()})
        if not colon:
            meant = f"{name}:MODEL" if settings is not None else f"openai:{name}"
            raise ConfigError(f"'{name}' names no service and model: did you mean {meant}?", advice=_ALL_MODELS_HINT)
        if settings is not None:
            raise ConfigError(f"'{name}' names the service, but no model of it.", advice=_ALL_MODELS_HINT)
        close = difflib.get_close_matches(provider, known, n=1)
        hint = f" did you mean {close[0]}:{model_name}?" if close else ""
        raise ConfigError(
            f"No service is called '{provider}'{':' + hint if hint else '.'}",
            advice=f"Known are {', '.join(known)}; others are added under [services] in configs/ghostos.toml.",
        )

    def _find_key(self, provider: str, settings: ServiceSettings) -> SecretStr | None:
        if not settings.api_key_env:
            if settings.needs_key:
                raise ConfigError(
                    f"The service '{provider}' needs a key, but does not say where it is.",
                    advice=f"Set api_key_env or needs_key = false under [services.{provider}] in configs/ghostos.toml.",
                )
            return None
        value = self._app.find_variable(settings.api_key_env)
        if value is None or not value.get_secret_value().strip():
            return None
        return check_key(value, source=settings.api_key_env)

    def _make_service(self, provider: str, *, settings: ServiceSettings, key: SecretStr | None) -> Service:
        address = self._app.find_variable(settings.base_url_env) if settings.base_url_env else None
        proxy = self._app.find_variable(settings.proxy_env) if settings.proxy_env else None
        base_url = address.get_secret_value().strip() if address else settings.base_url
        if base_url is None and provider == "openai":
            base_url = _OPENAI_ADDRESS
        if base_url is None:
            raise ConfigError(
                f"The service '{provider}' has no address.",
                advice=f"Set base_url under [services.{provider}] in configs/ghostos.toml.",
            )
        service = Service(
            name=provider,
            base_url=base_url,
            key=key,
            proxy=check_proxy(proxy, source=settings.proxy_env) if proxy else None,
            key_source=settings.api_key_env,
            timeout_s=settings.timeout_s,
            max_retries=settings.max_retries,
        )
        # A server on this machine is there or not; those of a turn are enough where it is there and has trouble.
        is_default = "max_retries" not in settings.model_fields_set
        return replace(service, max_retries=0) if is_default and service.is_local else service
