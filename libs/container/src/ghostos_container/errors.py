"""What can go wrong with a container.

    ContainerError
    ├── ResolutionError             a contract cannot be resolved; knows the path to it
    │   ├── ContractNotBoundError   nothing is bound for it (also a LookupError)
    │   ├── CircularDependencyError its factory needs, in the end, itself
    │   ├── WrongTypeError          it resolves to something that is not of its type (also a TypeError)
    │   ├── NotMakeableError        `make` was asked for what is bound as a value
    │   └── AsyncFactoryError       it has an async factory and was asked for synchronously
    ├── ContractsMissingError       declared `Contracts` are not all bound
    ├── InjectionError              `call` cannot fill a parameter (also a TypeError)
    ├── InvalidProviderError        what was registered is no usable provider (also a TypeError)
    ├── ContainerClosedError        the container was used after its shutdown (also a RuntimeError)
    ├── AsyncShutdownError          an async callback met the synchronous `shutdown` (also a RuntimeError)
    └── ShutdownError               callbacks failed; an ExceptionGroup of what they raised

An exception that a factory raises is not translated: it comes out as it is, with a note that draws the path.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Self

from typing_extensions import override

from ghostos_container._names import contract_name, draw_path, quote

__all__ = [
    "AsyncFactoryError",
    "AsyncShutdownError",
    "CircularDependencyError",
    "ContainerClosedError",
    "ContainerError",
    "ContractNotBoundError",
    "ContractsMissingError",
    "InjectionError",
    "InvalidProviderError",
    "NotMakeableError",
    "ResolutionError",
    "ShutdownError",
    "WrongTypeError",
]


class ContainerError(Exception):
    """The root of everything that this package raises."""


class ResolutionError(ContainerError):
    """A contract cannot be resolved.

    Attributes:
        path: The contracts whose factories were running, outermost first, then the one that failed.
    """

    def __init__(self, problem: str, *, path: Sequence[Hashable]) -> None:
        needed_by = f" (needed by {draw_path(path)})" if len(path) > 1 else ""
        super().__init__(problem + needed_by)
        self.path = tuple(path)

    @property
    def contract(self) -> Hashable:
        """The contract that failed."""
        return self.path[-1]


class ContractNotBoundError(ResolutionError, LookupError):
    """Nothing is bound for a contract, in the container that was asked or above it.

    Attributes:
        lookalikes: Bound classes that have the same name and are other classes: a module imported twice.
    """

    def __init__(self, *, path: Sequence[Hashable], lookalikes: Sequence[type] = ()) -> None:
        problem = (
            f"No provider is bound for {quote(path[-1])}: "
            f"call container.register(...) or container.set({contract_name(path[-1])}, ...)"
        )
        if lookalikes:
            modules = ", ".join(f"'{other.__module__}'" for other in lookalikes)
            asked = getattr(path[-1], "__module__", "?")
            problem += f". Another class of that name is bound, from {modules} and not '{asked}': ask for that one"
        super().__init__(problem, path=path)
        self.lookalikes = tuple(lookalikes)


class CircularDependencyError(ResolutionError):
    """A contract needs itself, directly or through others, in one thread or across several.

    Attributes:
        cycle: Begins and ends with the same contract.
    """

    def __init__(self, *, cycle: Sequence[Hashable], path: Sequence[Hashable]) -> None:
        super().__init__(
            f"Circular dependency: {draw_path(cycle)}: let one of them ask the container when it is first used, "
            "not in its factory",
            path=path,
        )
        self.cycle = tuple(cycle)


class WrongTypeError(ResolutionError, TypeError):
    """A contract that is a class resolves to something that is no instance of it.

    Attributes:
        value: What the contract resolves to.
    """

    def __init__(self, *, path: Sequence[Hashable], value: object) -> None:
        name = contract_name(path[-1])
        super().__init__(
            f"{quote(path[-1])} is bound to an instance of '{type(value).__name__}', which is no '{name}': "
            f"bind an instance of {name}, or take it unchecked with container.get({name})",
            path=path,
        )
        self.value = value


class NotMakeableError(ResolutionError):
    """A new instance was asked for, and what is bound is a value."""

    def __init__(self, *, path: Sequence[Hashable]) -> None:
        super().__init__(
            f"{quote(path[-1])} is bound to a value, which make() cannot make anew: "
            "register a provider, or take the value with get()",
            path=path,
        )


class AsyncFactoryError(ResolutionError):
    """A contract with an async factory was asked for synchronously before it was there."""

    def __init__(self, *, path: Sequence[Hashable]) -> None:
        super().__init__(
            f"{quote(path[-1])} has an async factory: use `await container.aget(...)` or another of the a... methods",
            path=path,
        )


class ContractsMissingError(ContainerError):
    """Declared contracts are not bound.

    Attributes:
        missing: The contracts that nothing is bound for, in the order of their declaration.
    """

    def __init__(self, *, missing: Sequence[Hashable]) -> None:
        names = ", ".join(quote(contract) for contract in missing)
        super().__init__(f"No provider is bound for {names}: call container.register(...) before the container is used")
        self.missing = tuple(missing)


class InjectionError(ContainerError, TypeError):
    """A function cannot be called: a parameter was not given, and the container has nothing for it.

    Attributes:
        function: What should have been called.
        parameter: The name of the parameter.
        annotation: What it is annotated with; None without an annotation.
    """

    def __init__(self, function: Callable[..., object], *, parameter: str, annotation: Hashable | None) -> None:
        name = getattr(function, "__qualname__", repr(function))
        if annotation is None:
            problem = f"was not given and has no annotation to inject by: pass {parameter}=..."
        elif isinstance(annotation, str):
            problem = (
                f"was not given, and its annotation {annotation!r} names nothing: pass {parameter}=..., or import it"
            )
        else:
            key = contract_name(annotation)
            problem = (
                f"was not given, and no provider is bound for {quote(annotation)}: "
                f"pass {parameter}=..., call container.register(...) or container.set({key}, ...)"
            )
        super().__init__(f"Cannot call {name}(): parameter '{parameter}' {problem}")
        self.function = function
        self.parameter = parameter
        self.annotation = annotation


class InvalidProviderError(ContainerError, TypeError):
    """What was given to `register`, or what a provider says of itself, cannot be used.

    Attributes:
        provider: The object in question.
    """

    def __init__(self, provider: object, *, problem: str) -> None:
        super().__init__(problem)
        self.provider = provider


class ContainerClosedError(ContainerError, RuntimeError):
    """A container was used after its shutdown, or given a child during it.

    Attributes:
        container_name: The container's name, with those above it.
    """

    def __init__(self, *, container_name: str) -> None:
        super().__init__(f"Container '{container_name}' is shut down: make a new one, or shut it down later")
        self.container_name = container_name


class AsyncShutdownError(ContainerError, RuntimeError):
    """An async shutdown callback met the synchronous `shutdown`.

    Attributes:
        callback: The callback.
    """

    def __init__(self, callback: Callable[[], object]) -> None:
        name = getattr(callback, "__qualname__", repr(callback))
        super().__init__(f"Shutdown callback {name} is async: use `await container.ashutdown()` or `async with`")
        self.callback = callback


class ShutdownError(ContainerError, ExceptionGroup[Exception]):
    """Shutdown callbacks failed. All the others have run and the container is shut down."""

    @override
    def derive(self, excs: Sequence[Any], /) -> Self:
        return type(self)(self.message, excs)
