"""A registry with one model in it."""

from ghostos.contracts.model_driver import ModelDriver, ModelRegistry
from ghostos_container import Provider, provide


class OneModel:
    """Gives every ghost the same model."""

    def __init__(self, model: ModelDriver) -> None:
        self._model = model

    def get(self, model: str | None, *, target: str | None) -> ModelDriver:
        """Return the model, whatever is asked for."""
        return self._model

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()


def use_model(model: ModelDriver) -> Provider[ModelRegistry]:
    """Return a provider for `make_app_container(providers=...)` that makes every ghost use `model`."""
    return provide(ModelRegistry, singleton=False)(lambda container: OneModel(model))
