"""How contracts are written in errors."""

from collections.abc import Hashable, Iterable

__all__ = ["contract_name", "draw_path", "quote"]


def contract_name(contract: Hashable) -> str:
    """The name that code would use: `Clock` for a class, the repr for any other key."""
    return contract.__name__ if isinstance(contract, type) else repr(contract)


def quote(contract: Hashable) -> str:
    """The name in quotes; a string key has them already."""
    name = contract_name(contract)
    return name if isinstance(contract, str) else f"'{name}'"


def draw_path(contracts: Iterable[Hashable]) -> str:
    """`Report -> Mailer -> Clock`: each needs the next."""
    return " -> ".join(contract_name(contract) for contract in contracts)
