"""The port to language models."""

from collections.abc import AsyncGenerator
from typing import Protocol

from ghostos.core.prompt import ModelDelta, Prompt


class ModelDriver(Protocol):
    """One model of one service."""

    @property
    def label(self) -> str:
        """What interfaces call it: `openai:gpt-4o`, `rehearsal`."""
        ...

    @property
    def is_rehearsal(self) -> bool:
        """Whether the replies are recorded ones, and no model reads the prompt."""
        ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta, None]:
        """Send the prompt and yield the reply as it comes. The last delta of a whole reply is of the kind `done`.

        Who stops early closes the generator: that ends the request.

        Raises:
            ModelError: The service failed; what was yielded before stands.
        """
        ...

    async def aclose(self) -> None:
        """Close connections. Harmless twice."""
        ...


class ModelRegistry(Protocol):
    """Chooses the driver for a model's name."""

    def get(self, model: str | None, *, target: str | None) -> ModelDriver:
        """Return the driver for `provider:model`; drivers are kept and shared.

        Args:
            model: As the user or the ghost names it. None is the workspace's default.
            target: What the ghost was made from; where it has a rehearsal, no model was named by the user and
                the model has no key, the rehearsal answers.

        Raises:
            ModelKeyMissingError: The model has no key, and there is no rehearsal to take its place.
            ConfigError: No service has that name.
        """
        ...

    async def aclose(self) -> None:
        """Close every driver that was made."""
        ...
