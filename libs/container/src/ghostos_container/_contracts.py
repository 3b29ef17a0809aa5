"""A declaration of what must be bound."""

from collections.abc import Hashable, Iterable, Iterator

from ghostos_container._container import Container
from ghostos_container.errors import ContractsMissingError

__all__ = ["Contracts"]


class Contracts:
    """The contracts that a part of a program relies on: declared once, validated before it starts.

    Args:
        contracts: In the order in which missing ones are to be named; duplicates count once.
    """

    def __init__(self, contracts: Iterable[Hashable]) -> None:
        self._contracts = tuple(dict.fromkeys(contracts))

    def validate(self, container: Container) -> None:
        """Check that each is bound in the container or above it. Makes nothing.

        Raises:
            ContractsMissingError: Names all that are not.
        """
        missing = [contract for contract in self._contracts if not container.bound(contract)]
        if missing:
            raise ContractsMissingError(missing=missing)

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._contracts)

    def __len__(self) -> int:
        return len(self._contracts)

    def __contains__(self, contract: object) -> bool:
        return contract in self._contracts

    def __repr__(self) -> str:
        return f"Contracts({list(self._contracts)!r})"
