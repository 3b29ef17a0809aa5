"""Chooses the driver for a model's name: the user's choice, the ghost's, the workspace's; else a rehearsal."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ghostos.config import AppSettings, ModelSettings
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.model_driver import ModelDriver
from ghostos.drivers.models.openai_chat import OpenAIChatDriver
from ghostos.drivers.models.rehearsal import RehearsalModel, find_rehearsal, load_rehearsal
from ghostos.drivers.models.service import Service
from ghostos.drivers.models.service_lookup import (
    MODEL_NAME_HINT,
    REHEARSAL,
    find_key,
    make_service,
    parse_model_name,
)
from ghostos.errors import ConfigError, ModelKeyMissingError

__all__ = ["Models"]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A driver, and what it was made of: where that is another by now, the driver is replaced."""

    service: Service
    particular: ModelSettings
    driver: OpenAIChatDriver


class Models:
    """The drivers of one application: made when first asked for, then kept and shared. Any thread may ask.

    A driver whose service or model has other settings by now, another key say, is replaced: what it streams goes on
    to its end, and its connections are closed then.

    Args:
        app: What the application was told. A model that the user named goes before every other, and nothing takes its
            place; `rehearsal` is the name of the target's rehearsal.
        reload: Returns that as it is now, whenever a driver is asked for. None: it stays as it is.
        assets: Where the images of threads lie; None: no model is sent any.
        rehearsal_delay_s: Wait before each word of a rehearsal, seconds.
    """

    def __init__(
        self,
        app: AppSettings,
        *,
        reload: Callable[[], AppSettings] | None = None,
        assets: AssetFiles | None = None,
        rehearsal_delay_s: float = 0.02,
    ) -> None:
        self._reload = reload or (lambda: app)
        self._assets = assets
        self._rehearsal_delay_s = rehearsal_delay_s
        self._lock = threading.Lock()
        self._drivers: dict[str, _Kept] = {}
        self._retired: list[OpenAIChatDriver] = []
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
        app = self._reload()
        name = app.model or model or app.settings.default_model
        rehearsal = find_rehearsal(target) if target else None
        if name == REHEARSAL:
            if rehearsal is None:
                raise ConfigError(
                    f"There is no rehearsal beside {target or 'a ghost without a target'}.", advice=MODEL_NAME_HINT
                )
            return self._get_rehearsal(rehearsal)
        provider, model_name, settings = parse_model_name(name, settings=app.settings)
        key = find_key(app, provider=provider, service=settings)
        if key is None and settings.needs_key:
            if rehearsal is None or app.model is not None:
                raise ModelKeyMissingError(name, variable=settings.api_key_env)
            return self._get_rehearsal(rehearsal)
        service = make_service(app, provider=provider, service=settings, key=key)
        return self._get_driver(service, model=model_name, particular=app.settings.get_model(name))

    async def aclose(self) -> None:
        """Close every driver that was made. Harmless twice."""
        with self._lock:
            drivers = [*(kept.driver for kept in self._drivers.values()), *self._retired]
            self._drivers.clear()
            self._retired.clear()
        await asyncio.gather(*(driver.aclose() for driver in drivers))

    def _get_driver(self, service: Service, *, model: str, particular: ModelSettings) -> OpenAIChatDriver:
        name = f"{service.name}:{model}"
        with self._lock:
            kept = self._drivers.get(name)
            if kept is not None and (kept.service, kept.particular) == (service, particular):
                return kept.driver
            self._retired = [driver for driver in self._retired if not driver.is_closed]
            if kept is not None:
                kept.driver.retire()
                self._retired.append(kept.driver)
            driver = OpenAIChatDriver(service, model=model, settings=particular, assets=self._assets)
            self._drivers[name] = _Kept(service, particular, driver)
            return driver

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
