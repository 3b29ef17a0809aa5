"""What a user's file builds on: the parent of its `Moss` class, and objects that follow their injection."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Protocol, Self

from ghostos_container import Container

__all__ = ["AttrPrompts", "Injection", "InjectionHost", "Moss", "equip"]

AttrPrompts = Iterable[tuple[str, str]]
"""What `__moss_attr_prompts__` gives: prompts by name."""


class Moss:
    """Parent of the class `Moss` in a user's file.

    Attributes without a default that something provides are injected; all other public ones are values, kept
    from one run to the next.
    """

    __slots__ = ("__dict__", "__weakref__", "_describe", "_injected_names")
    _injected_names: frozenset[str]
    _describe: Callable[[str], str]

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Whatever a subclass does in `__init__`, it may assign attributes there."""
        moss = super().__new__(cls)
        object.__setattr__(moss, "_injected_names", frozenset())
        object.__setattr__(moss, "_describe", _describe_nothing)
        return moss

    def describe(self, name: str) -> str:
        """The full stub and docs of one name of the module: `Ball`, `Ball.roll`, `moss.body`."""
        return self._describe(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._injected_names:
            message = f"moss.{name} is injected and cannot be replaced: use it, or assign another name"
            raise AttributeError(message)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self._injected_names:
            message = f"moss.{name} is injected and cannot be deleted"
            raise AttributeError(message)
        object.__delattr__(self, name)


def equip(moss: Moss, *, injected: frozenset[str], describe: Callable[[str], str]) -> None:
    """Finish a moss: protect the injected attributes, and give it what `describe` answers from."""
    object.__setattr__(moss, "_injected_names", injected)
    object.__setattr__(moss, "_describe", describe)


def _describe_nothing(name: str) -> str:
    return f"{name}: this moss belongs to no module"


class InjectionHost(Protocol):
    """What an injected object may ask of the runtime that it is injected into."""

    def container(self) -> Container:
        """The container of that runtime: its own child, closed with it."""
        ...


class Injection(ABC):
    """An object that wants to know when it is put on a `moss`, and when that `moss` ends."""

    @abstractmethod
    def on_injection(self, runtime: InjectionHost, name: str) -> None:
        """Called on the host's object, once per compile, before any code runs; `name` is the attribute."""

    @abstractmethod
    def on_destroy(self) -> None:
        """Called once per `on_injection`: when the runtime closes, or when a later step of the compile failed."""
