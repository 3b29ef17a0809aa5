"""A provider from a function."""

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, TypeVar, overload

from typing_extensions import TypeForm, override

from ghostos_container._call import returns_coroutine
from ghostos_container._container import Container, Provider
from ghostos_container._names import contract_name

__all__ = ["provide"]

T = TypeVar("T")


@overload
def provide(
    contract: TypeForm[T], *, singleton: bool = ..., aliases: Iterable[Hashable] = ..., inheritable: bool = ...
) -> Callable[[Callable[[Container], T | Awaitable[T | None] | None]], Provider[T]]: ...
@overload
def provide(
    contract: Hashable, *, singleton: bool = ..., aliases: Iterable[Hashable] = ..., inheritable: bool = ...
) -> Callable[[Callable[[Container], object]], Provider[Any]]: ...
def provide(
    contract: Any,
    *,
    singleton: bool = True,
    aliases: Iterable[Hashable] = (),
    inheritable: bool = True,
) -> Callable[[Callable[[Container], Any]], Provider[Any]]:
    """Make a provider of a function that takes the container; usable as a decorator.

    Args:
        contract: What the function makes.
        singleton: See `Provider.singleton`.
        aliases: See `Provider.aliases`.
        inheritable: See `Provider.inheritable`.

    Returns:
        Takes the function, which may be `async def`, and returns the provider to register.
    """
    names = tuple(aliases)

    def decorate(factory: Callable[[Container], Any]) -> Provider[Any]:
        return _FunctionProvider(contract, factory=factory, singleton=singleton, aliases=names, inheritable=inheritable)

    return decorate


class _FunctionProvider(Provider[T]):
    def __init__(
        self,
        contract: TypeForm[T],
        *,
        factory: Callable[[Container], T | Awaitable[T | None] | None],
        singleton: bool,
        aliases: tuple[Hashable, ...],
        inheritable: bool,
    ) -> None:
        self._contract = contract
        self._aliases = aliases
        self._singleton = singleton
        self._inheritable = inheritable
        self._factory = factory

    @override
    def contract(self) -> TypeForm[T]:
        return self._contract

    @override
    def aliases(self) -> tuple[Hashable, ...]:
        return self._aliases

    @override
    def singleton(self) -> bool:
        return self._singleton

    @override
    def inheritable(self) -> bool:
        return self._inheritable

    @override
    def is_async(self) -> bool:
        return returns_coroutine(self._factory)

    @override
    def factory(self, container: Container) -> T | Awaitable[T | None] | None:
        return self._factory(container)

    def __repr__(self) -> str:
        return f"<provider of {contract_name(self._contract)} by {self._factory!r}>"
