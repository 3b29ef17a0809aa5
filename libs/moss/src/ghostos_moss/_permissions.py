"""What confined code may touch, and the mark for functions that run on the host instead.

The executor `process` enforces it; `off` cannot, and refuses nothing.
"""

import ast
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, ParamSpec, Self, TypeAlias, TypeVar, cast

from ghostos_moss._bindings import local_names
from ghostos_moss._net_hosts import NetHost, read_hosts
from ghostos_moss._places import is_inside
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import CompileError

__all__ = ["Permission", "PermissionKind", "Permissions", "find_permissions", "on_host"]

P = ParamSpec("P")
T = TypeVar("T")

Hosts: TypeAlias = bool | tuple[str, ...] | None

PermissionKind = Literal["net", "read", "write", "env", "run"]

_NAME = "__moss_permissions__"
_MEMO: Final = "permissions"


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that may be allowed.

    Attributes:
        kind: As `Permissions` names it.
        what: The whole path, which ends in `/` for a folder; the variable's name; the host, empty for any. Empty for
            `run`, which is any program.
    """

    kind: PermissionKind
    what: str = ""

    def describe(self) -> str:
        """In a few words, as `Permissions.describe` has it: `net`, `read /srv/data/`."""
        return f"{self.kind} {self.what}" if self.what else self.kind


@dataclass(frozen=True, slots=True, init=False)
class Permissions:
    """What confined code may touch beside its own folder: nothing, unless it is named here.

    A module asks for it in `__moss_permissions__ = Permissions(...)`: literals only, as that is read and not run.

    Attributes:
        net: Whether connections may be opened, to any host; or the hosts that a client on `Moss` may ask for it.
        read: Paths that may be read, folders with all that is in them.
        write: Paths that may be read and written, likewise.
        env: Names of environment variables that may be seen.
        run: Whether other programs may be started. They are confined as the code that starts them is.
        everything: Whether nothing is kept from it (`-A`). It still runs in a process of its own.

    What is None is left to whoever decides after this one: see `over`.
    """

    net: bool | tuple[str, ...] | None
    read: tuple[str, ...] | None
    write: tuple[str, ...] | None
    env: tuple[str, ...] | None
    run: bool | None
    everything: bool

    def __init__(
        self,
        *,
        net: bool | Iterable[str] | None = None,
        read: Iterable[str] | None = None,
        write: Iterable[str] | None = None,
        env: Iterable[str] | None = None,
        run: bool | None = None,
        everything: bool = False,
    ) -> None:
        object.__setattr__(self, "net", _hosts(net))
        object.__setattr__(self, "read", _names("read", read))
        object.__setattr__(self, "write", _names("write", write))
        object.__setattr__(self, "env", _names("env", env))
        object.__setattr__(self, "run", _flag("run", run))
        object.__setattr__(self, "everything", _flag("everything", everything) or False)

    def over(self, other: "Permissions | None") -> Self:
        """These, and for each kind that they do not name, what the other says: per kind, the first decides alone."""
        if other is None:
            return self
        missing = {each.name: getattr(other, each.name) for each in fields(self) if getattr(self, each.name) is None}
        return replace(self, **missing, everything=self.everything or other.everything)

    def within(self, bound: "Permissions") -> Self:
        """These, without what another one does not allow as well: a path in a folder of it, a host that it names."""
        if bound.everything:
            return self
        mine = replace(self, net=True, run=True, everything=False) if self.everything else self
        return replace(
            mine,
            net=_common_hosts(mine.net, bound.net),
            read=bound.read if self.everything else _inside(mine.read, (*(bound.read or ()), *(bound.write or ()))),
            write=bound.write if self.everything else _inside(mine.write, bound.write or ()),
            env=bound.env if self.everything else tuple(each for each in mine.env or () if each in (bound.env or ())),
            run=bool(mine.run and bound.run),
        )

    def plus(self, *added: Permission) -> Self:
        """These, with single ones added to what each kind says."""
        more: dict[str, Any] = {}
        for each in added:
            named: bool | tuple[str, ...] = more.get(each.kind) or getattr(self, each.kind) or ()
            if not each.what or named is True:
                more[each.kind] = True
            elif isinstance(named, tuple):
                more[each.kind] = named if each.what in named else (*named, each.what)
        return replace(self, **more)

    def allows_host(self, host: str, port: int) -> bool:
        """Whether a client on `Moss` may ask a host.

        Args:
            host: As `normalize_host` returns it.
            port: To which the connection goes.
        """
        if self.everything or not isinstance(self.net, tuple):
            return self.everything or bool(self.net)
        return any(NetHost.parse(entry).covers(host, port) for entry in self.net)

    def refuses(self, kind: PermissionKind) -> bool:
        """Whether a kind is named and nothing of it is allowed: `net=False`, `read=[]`."""
        return not self.everything and getattr(self, kind) in (False, ())

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with what is not named as what it comes to: nothing."""
        return {
            "net": [*self.net] if isinstance(self.net, tuple) and self.net else bool(self.net),
            "read": [*(self.read or ())],
            "write": [*(self.write or ())],
            "env": [*(self.env or ())],
            "run": bool(self.run),
            "everything": self.everything,
        }

    def describe(self) -> str:
        """In one line: `net, read data, env HOME`, `net api.example.com`; "nothing" where nothing is granted."""
        if self.everything:
            return "everything"
        parts = ["net"] if self.net is True else []
        hosts = self.net if isinstance(self.net, tuple) else ()
        for kind, names in (("net", hosts), ("read", self.read), ("write", self.write), ("env", self.env)):
            parts += [f"{kind} {name}" for name in names or ()]
        return ", ".join([*parts, "run"] if self.run else parts) or "nothing"


def find_permissions(source: ModuleSource) -> Permissions | None:
    """What a module asks for; None if it asks for nothing. The module is not run.

    Raises:
        CompileError: `__moss_permissions__` is there and cannot be read: not a literal, set twice, or inside a block.
    """
    if _MEMO not in source.memo:
        source.memo[_MEMO] = _read_permissions(source)
    return cast("Permissions | None", source.memo[_MEMO])


def _read_permissions(source: ModuleSource) -> Permissions | None:
    found = [node for node in ast.walk(source.tree) if isinstance(node, ast.Name) and node.id == _NAME]
    if not found:
        return None
    call = next((value for node in source.tree.body if (value := _assigned(node)) is not None), None)
    if len(found) > 1 or not isinstance(call, ast.Call) or call.args or not _names_class(call.func, source):
        raise _unreadable(source, f"write `{_NAME} = Permissions(...)`, once, at the top level of the module")
    try:
        arguments: dict[str, Any] = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    except (ValueError, TypeError) as exc:
        raise _unreadable(source, "its arguments must be literals") from exc
    if "everything" in arguments:
        raise _unreadable(source, "everything is for the command line alone (-A)")
    try:
        return Permissions(**arguments)
    except (ValueError, TypeError) as exc:
        raise _unreadable(source, f"{exc}") from exc


def on_host(function: Callable[P, T]) -> Callable[P, T]:
    """Mark a function of a module to run on the host, with the host's rights, when the module is confined.

    The mark is seen in the source, so write it as a decorator: `@on_host`. Arguments and result must be data. What a
    model writes or edits is never marked.
    """
    return function


def _names_class(function: ast.expr, source: ModuleSource) -> bool:
    """Whether an expression is `Permissions`, by the name that the module imports it under."""
    match function:
        case ast.Name(id=name):
            return name in local_names("Permissions", tree=source.tree, package=source.package)
        case ast.Attribute(value=ast.Name(), attr=name):
            return name == "Permissions"
        case _:
            return False


def _assigned(node: ast.stmt) -> ast.expr | None:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            return value if name == _NAME else None
        case _:
            return None


def _unreadable(source: ModuleSource, what: str) -> CompileError:
    return CompileError(source.name, f"its {_NAME} cannot be read without running it: {what}")


def _common_hosts(mine: Hosts, bound: Hosts, /) -> Hosts:
    if mine is True or bound is True:
        return (bound if mine is True else mine) or False
    return tuple(each for each in mine or () if each in (bound or ()))


def _inside(names: tuple[str, ...] | None, folders: Iterable[str]) -> tuple[str, ...]:
    allowed = [_real(folder) for folder in folders]
    return tuple(name for name in names or () if any(is_inside(_real(name), folder) for folder in allowed))


def _real(name: str) -> str:
    return os.path.realpath(os.path.expanduser(name))


def _flag(kind: str, value: object) -> bool | None:
    if not isinstance(value, bool | None):
        message = f"Permissions({kind}={value!r}): pass True or False"
        raise TypeError(message)
    return value


def _hosts(value: object) -> bool | tuple[str, ...] | None:
    if isinstance(value, bool | None):
        return value
    return read_hosts(_names("net", value) or ())


def _names(kind: str, value: object) -> tuple[str, ...] | None:
    """A lone string would be read letter by letter: it is refused."""
    if value is None:
        return None
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        names = tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - checked below
        if all(isinstance(name, str) and name for name in names):  # pyright: ignore[reportUnknownVariableType]
            return names  # pyright: ignore[reportUnknownVariableType]
    example = {"env": "HOME", "net": "api.example.com"}.get(kind, "data")
    either = "True, False or " if kind == "net" else ""
    message = f"Permissions({kind}={value!r}): pass {either}a list of non-empty strings, such as [{example!r}]"
    raise TypeError(message)
