"""What the host's objects raised, as exceptions of the worker."""

import builtins
from typing import cast

from ghostos_common.codec import Namespace
from ghostos_moss._net_hosts import HostRefusedError
from ghostos_moss._process._link import RemoteError

__all__ = ["local_error"]


def local_error(error: RemoteError, *, names: Namespace) -> Exception:
    """An exception of this side for one of the host; its text is that of the host's.

    It is of the same class, or of a subclass that is called the same, where that is a builtin or the contract's own and
    can be made of a text.
    """
    if error.kind == HostRefusedError.__name__:
        refused = HostRefusedError(str(error.facts.get("host", "")))
        refused.args = (error.message,)
        return refused
    found = getattr(builtins, error.kind, None) or names.find(error.kind)
    if isinstance(found, type) and issubclass(found, Exception):
        return _make(found, error.message) or _make(_with_text(found, error.message), error.message) or _named(error)
    return _named(error)


def _make(kind: type[Exception] | None, text: str) -> Exception | None:
    """An exception with that text; None where the class has another one to show, or wants more to be made."""
    if kind is None:
        return None
    try:
        made = kind.__new__(kind, text)  # its __init__ may want what only the host knows
        made.args = (text,)
        return made if str(made) == text else None
    except Exception:  # noqa: BLE001 - the class may be anybody's
        return None


def _with_text(kind: type[Exception], text: str) -> type[Exception] | None:
    """A class that is caught and called as `kind` is, and shows the text."""

    def show(_: Exception) -> str:
        return text

    body: dict[str, object] = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__str__": show,
    }
    try:
        return type(kind)(kind.__name__, (kind,), body)
    except Exception:  # noqa: BLE001 - it may be final, or its __init_subclass__ anybody's
        return None


def _named(error: RemoteError) -> Exception:
    kind = error.kind if error.kind.isidentifier() else "HostError"
    return cast("Exception", type(kind, (RuntimeError,), {})(error.message))
