"""The container and what is registered with it: three types that name each other, hence one file."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, ForwardRef, Generic, TypeVar, get_args, get_origin, overload

from typing_extensions import TypeForm, get_original_bases

from ghostos_container._build import path_to
from ghostos_container._call import plan_call, returns_coroutine
from ghostos_container._resolver import Resolver
from ghostos_container._slot import UNSET, AliasSlot, FactorySlot, Slot, ValueSlot
from ghostos_container.errors import (
    ContractNotBoundError,
    InvalidProviderError,
    NotMakeableError,
    WrongTypeError,
)

__all__ = ["BootstrapProvider", "Bootstrapper", "Container", "Provider"]

T = TypeVar("T")


class Container(Resolver):
    """Resolves contracts to instances, here or in the containers above, at the moment it is asked.

    A contract is a type or any other hashable key. The nearest binding wins, and a rebind is honoured at once;
    instances that were made with the old one keep it. `None` is a value like any other. `Container` itself resolves
    to the container that is asked, unless it is bound.

    Every method may be called from any thread. The `a...` methods are the same for asynchronous code: they await
    async factories, and a sync factory runs in place.

    Args:
        parent: Asked for what is not bound here. Nothing is copied from it.
        name: For messages.
    """

    _bootstrappers: tuple[tuple["Bootstrapper", Slot | None], ...] = ()
    _is_bootstrapped: bool = False

    def set(self, contract: Hashable, value: object) -> None:
        """Bind a value, replacing what this container has for the contract. The value is not checked or closed."""
        self._bind(contract, ValueSlot(value))

    def bind(self, contract: Hashable, value: object) -> None:
        """Do what `set` does: the word that a MOSS compiler uses."""
        self.set(contract, value)

    def register(self, *providers: "Provider[Any] | Bootstrapper") -> None:
        """Bind providers, each under its contract and aliases, replacing what this container has for these.

        A `Bootstrapper` among them waits for `bootstrap()`, or runs at once when that was called before.

        Raises:
            InvalidProviderError: One is a class instead of an instance, or neither a provider nor a bootstrapper.
        """
        for provider in providers:
            problem = _registration_problem(provider)
            if problem is not None:
                raise InvalidProviderError(provider, problem=problem)
            slot = self._bind_provider(provider) if isinstance(provider, Provider) else None
            if isinstance(provider, Bootstrapper):
                self._bootstrappers = (*self._bootstrappers, (provider, slot))
                if self._is_bootstrapped:
                    self.bootstrap()

    def bootstrap(self) -> None:
        """Run each registered bootstrapper of this container once, in order.

        A bootstrapping provider that was replaced in the meantime is left out. If one raises, the next call goes on
        with the one after it.
        """
        self._require_usable()
        while self._bootstrappers:
            (bootstrapper, slot), *others = self._bootstrappers
            self._bootstrappers = tuple(others)
            if slot is None or slot in self._slots.values():
                bootstrapper.bootstrap(self)
        self._is_bootstrapped = True

    def bound(self, contract: Hashable) -> bool:
        """Whether the contract can be asked for here. Makes nothing."""
        return contract is Container or self._find(contract) is not None

    @overload
    def get(self, contract: TypeForm[T]) -> T | None: ...
    @overload
    def get(self, contract: Hashable) -> object: ...
    def get(self, contract: Hashable) -> object:
        """What the contract resolves to, unchecked; None if nothing is bound.

        A singleton is made once, with the container that its provider is registered in: it cannot get hold of what
        a child alone has. Of a provider that makes no singleton each call makes an instance, with this container.
        """
        slot = self._slots.get(contract)
        if slot is not None and slot.value is not UNSET:
            return slot.value
        return self._resolve(contract, default=self if contract is Container else None)

    @overload
    def fetch(self, contract: TypeForm[T]) -> T | None: ...
    @overload
    def fetch(self, contract: Hashable) -> object: ...
    def fetch(self, contract: Hashable) -> object:
        """Do what `get` does, checked.

        Raises:
            WrongTypeError: The contract is a class and what it resolves to, unless None, is no instance of it. Other
                contracts, such as `list[int]` or a Protocol without `runtime_checkable`, cannot be checked.
        """
        return _checked(self.get(contract), contract)

    @overload
    def force_fetch(self, contract: TypeForm[T]) -> T: ...
    @overload
    def force_fetch(self, contract: Hashable) -> object: ...
    def force_fetch(self, contract: Hashable) -> object:
        """Do what `fetch` does for a contract that must be bound.

        Raises:
            ContractNotBoundError: Nothing is bound for it.
            WrongTypeError: As `fetch`.
        """
        value = self._resolve(contract, default=self if contract is Container else UNSET)
        if value is UNSET:
            raise self._not_bound(contract)
        return _checked(value, contract)

    @overload
    def make(self, contract: TypeForm[T]) -> T: ...
    @overload
    def make(self, contract: Hashable) -> object: ...
    def make(self, contract: Hashable) -> object:
        """A new instance from the contract's provider, made with this container. Never kept, even for a singleton.

        Raises:
            ContractNotBoundError: Nothing is bound for it.
            NotMakeableError: It is bound to a value.
        """
        return self._make_new(self._factory_slot(contract), contract)

    def call(self, function: Callable[..., T], /, *args: object, **kwargs: object) -> T:
        """Call a function, filling the parameters that are not given by their annotations.

        What is given wins, then what is bound for the annotation (of `X | None`: also for X), then the default,
        then None where the annotation allows it.

        Raises:
            InjectionError: A parameter is left without an argument; the error names it.
        """
        bound, contracts = plan_call(function, args=args, kwargs=kwargs, is_bound=self.bound)
        for parameter, contract in contracts.items():
            bound.arguments[parameter] = self.get(contract)
        return function(*bound.args, **bound.kwargs)

    @overload
    async def aget(self, contract: TypeForm[T]) -> T | None: ...
    @overload
    async def aget(self, contract: Hashable) -> object: ...
    async def aget(self, contract: Hashable) -> object:
        """`get`, awaiting async factories."""
        return await self._aresolve(contract, default=self if contract is Container else None)

    @overload
    async def afetch(self, contract: TypeForm[T]) -> T | None: ...
    @overload
    async def afetch(self, contract: Hashable) -> object: ...
    async def afetch(self, contract: Hashable) -> object:
        """`fetch`, awaiting async factories."""
        return _checked(await self.aget(contract), contract)

    @overload
    async def aforce_fetch(self, contract: TypeForm[T]) -> T: ...
    @overload
    async def aforce_fetch(self, contract: Hashable) -> object: ...
    async def aforce_fetch(self, contract: Hashable) -> object:
        """`force_fetch`, awaiting async factories."""
        value = await self._aresolve(contract, default=self if contract is Container else UNSET)
        if value is UNSET:
            raise self._not_bound(contract)
        return _checked(value, contract)

    @overload
    async def amake(self, contract: TypeForm[T]) -> T: ...
    @overload
    async def amake(self, contract: Hashable) -> object: ...
    async def amake(self, contract: Hashable) -> object:
        """`make`, awaiting an async factory."""
        return await self._amake_new(self._factory_slot(contract), contract)

    @overload
    async def acall(self, function: Callable[..., Awaitable[T]], /, *args: object, **kwargs: object) -> T: ...
    @overload
    async def acall(self, function: Callable[..., T], /, *args: object, **kwargs: object) -> T: ...
    async def acall(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
        """`call`, awaiting async factories and, if it is async, the function."""
        bound, contracts = plan_call(function, args=args, kwargs=kwargs, is_bound=self.bound)
        for parameter, contract in contracts.items():
            bound.arguments[parameter] = await self.aget(contract)
        result = function(*bound.args, **bound.kwargs)
        return await result if inspect.isawaitable(result) else result

    def _bind_provider(self, provider: "Provider[Any]") -> Slot:
        contract, is_inheritable = provider.contract(), provider.inheritable()
        slot = FactorySlot(
            provider.factory,
            is_singleton=provider.singleton(),
            is_inheritable=is_inheritable,
            is_async=provider.is_async(),
        )
        self._bind(contract, slot)
        for alias in provider.aliases():
            if alias != contract:
                self._bind(alias, AliasSlot(contract, is_inheritable=is_inheritable))
        return slot

    def _factory_slot(self, contract: Hashable) -> FactorySlot:
        found = self._find(contract)
        if found is None:
            raise self._not_bound(contract)
        if not isinstance(found[1], FactorySlot):
            raise NotMakeableError(path=path_to(contract))
        return found[1]

    def _not_bound(self, contract: Hashable) -> ContractNotBoundError:
        lookalikes = [
            other
            for other in self.contracts()
            if isinstance(contract, type) and isinstance(other, type) and other.__qualname__ == contract.__qualname__
        ]
        return ContractNotBoundError(path=path_to(contract), lookalikes=lookalikes)


class Provider(ABC, Generic[T]):
    """Says how to make an instance of a contract. Subclass `Provider[Clock]`, or use `provide`."""

    def contract(self) -> TypeForm[T]:
        """What is provided: the type argument of `Provider[...]` unless overridden."""
        for cls in type(self).__mro__:
            for parent in get_original_bases(cls):
                if issubclass(get_origin(parent) or object, Provider):
                    argument = get_args(parent)[0]
                    if not isinstance(argument, TypeVar | ForwardRef):
                        return argument
        name = type(self).__name__
        problem = f"{name} does not say what it provides: inherit from Provider[TheContract] or define contract()"
        raise InvalidProviderError(self, problem=problem)

    def aliases(self) -> Iterable[Hashable]:
        """Other names of the contract. They resolve to what the contract resolves to, rebinds and children included."""
        return ()

    def singleton(self) -> bool:
        """Whether one instance is made and kept by the container that the provider is registered in."""
        return True

    def inheritable(self) -> bool:
        """Whether the container's children see it. If not they look past it, further up."""
        return True

    def is_async(self) -> bool:
        """Whether `factory` is to be awaited: as it is written, unless overridden."""
        return returns_coroutine(self.factory)

    @abstractmethod
    def factory(self, container: Container) -> T | Awaitable[T | None] | None:
        """Make an instance. May be `async def`; `None` is a value.

        Args:
            container: A singleton's is the one that the provider is registered in, else the one that was asked. What
                is to be closed later is given to its `add_shutdown`.
        """


class Bootstrapper(ABC):
    """Something to do once, when all providers are registered."""

    @abstractmethod
    def bootstrap(self, container: Container) -> None:
        """Do it.

        Args:
            container: The one that this is registered in.
        """


class BootstrapProvider(Provider[T], Bootstrapper):
    """A provider with something to do once all are registered."""


def _registration_problem(provider: object) -> str | None:
    kind = type(provider).__name__
    if isinstance(provider, Provider | Bootstrapper):
        return None
    if isinstance(provider, type) and issubclass(provider, Provider | Bootstrapper):
        return f"register() got the class {provider.__name__}: pass an instance, {provider.__name__}()"
    return f"register() got an instance of {kind}: pass a Provider or a Bootstrapper, or use set() for a value"


def _checked(value: T, contract: Hashable) -> T:
    """The value, if it is of the contract's type as far as that can be told."""
    if value is None or not isinstance(contract, type):
        return value
    try:
        is_instance = isinstance(value, contract)
    except TypeError:  # a Protocol that is not runtime_checkable: there is nothing to check
        return value
    if not is_instance:
        raise WrongTypeError(path=path_to(contract), value=value)
    return value
