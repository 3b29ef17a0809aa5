"""What a container keeps for a contract: a value, a provider's factory, or another name."""

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeAlias

from ghostos_container._build import SharedBuild

__all__ = ["UNSET", "AliasSlot", "FactorySlot", "Slot", "ValueSlot"]

UNSET: Final = object()
"""Stands for "not there yet" where None is a value. Every slot has `value`, so that looking is one comparison."""


class ValueSlot:
    """A value that was set."""

    __slots__ = ("value",)

    is_inheritable: Final = True

    def __init__(self, value: object) -> None:
        self.value = value


class FactorySlot:
    """A provider's factory, and the singleton that it made.

    A rebind replaces the slot. An instance that is still being made then lands in the old one, where nobody looks.

    Attributes:
        value: The singleton, once made.
        build: The call that makes the singleton, once begun; kept afterwards.
    """

    __slots__ = ("build", "factory", "is_async", "is_inheritable", "is_singleton", "value")

    def __init__(
        self, factory: Callable[[Any], Any], *, is_singleton: bool, is_inheritable: bool, is_async: bool
    ) -> None:
        self.value: object = UNSET
        self.build: SharedBuild | None = None
        self.factory = factory
        self.is_singleton = is_singleton
        self.is_inheritable = is_inheritable
        self.is_async = is_async


class AliasSlot:
    """Another name for a contract: it resolves to whatever that resolves to for the one who asks."""

    __slots__ = ("is_inheritable", "target")

    value: Final = UNSET

    def __init__(self, target: Hashable, *, is_inheritable: bool) -> None:
        self.target = target
        self.is_inheritable = is_inheritable


Slot: TypeAlias = ValueSlot | FactorySlot | AliasSlot
