"""An IoC container that resolves at call time, with child containers and ordered shutdown."""

from ghostos_container._container import Bootstrapper, BootstrapProvider, Container, Provider
from ghostos_container._contracts import Contracts
from ghostos_container._provide import provide
from ghostos_container.errors import (
    AsyncFactoryError,
    AsyncShutdownError,
    CircularDependencyError,
    ContainerClosedError,
    ContainerError,
    ContractNotBoundError,
    ContractsMissingError,
    InjectionError,
    InvalidProviderError,
    NotMakeableError,
    ResolutionError,
    ShutdownError,
    WrongTypeError,
)

__all__ = [
    "AsyncFactoryError",
    "AsyncShutdownError",
    "BootstrapProvider",
    "Bootstrapper",
    "CircularDependencyError",
    "Container",
    "ContainerClosedError",
    "ContainerError",
    "ContractNotBoundError",
    "Contracts",
    "ContractsMissingError",
    "InjectionError",
    "InvalidProviderError",
    "NotMakeableError",
    "Provider",
    "ResolutionError",
    "ShutdownError",
    "WrongTypeError",
    "provide",
]
