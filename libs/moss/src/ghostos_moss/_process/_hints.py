"""What a user can do about a refusal, in the host's words. What the worker says of it is shown, never acted on."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast, get_args

from ghostos_moss._executor import Refusal, RefusalKind
from ghostos_moss._net_hosts import NetHost
from ghostos_moss._permissions import Permission
from ghostos_moss._process._grants import OF_THE_SYSTEM, find_places
from ghostos_moss._process._remedies import find_beside, find_excluded, find_remedy
from ghostos_moss._redact import readable

__all__ = ["check_refusal", "describe_option", "describe_refusal"]

_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]{0,99}", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
_KINDS: Final = frozenset(get_args(RefusalKind))
_PATHS: Final = frozenset({"read", "write", "database"})
_MAX_CHARS: Final = 300
_MAX_HOSTS: Final = 5


def check_refusal(told: tuple[str, str, str] | None, *, scratch: str) -> Refusal | None:
    """A refusal as the worker told it, with its path in full and links followed; None for one that makes no sense."""
    if told is None:
        return None
    kind, what, function = told
    refusal = Refusal(cast("RefusalKind", kind), what, function)
    if refusal.kind not in _KINDS or len(refusal.what) > _MAX_CHARS or "\0" in refusal.what:
        return None
    function = refusal.function if _FUNCTION.fullmatch(refusal.function) else ""
    if refusal.kind == "env" and not _VARIABLE.fullmatch(refusal.what):
        return None
    if refusal.kind == "host" and not _is_one_host(refusal.what):
        return None
    if refusal.kind in _PATHS:
        path = os.path.join(scratch, refusal.what)
        *_, real = find_places(Path(path))
        if real.is_relative_to(os.path.realpath(scratch)):
            return None  # there nothing is refused that can be allowed
        is_of_system = any(real.is_relative_to(folder) for folder in OF_THE_SYSTEM)  # another file here than there
        return replace(refusal, what=os.path.normpath(path) if is_of_system else str(real), function=function)
    return replace(refusal, function=function)


def describe_refusal(
    refusal: Refusal | None,
    *,
    said: str = "",
    never: Sequence[Path] = (),
    beside: Sequence[Path] = (),
    hosts: Sequence[str] = (),
    env: Sequence[str] = (),
) -> str:
    """Return in one line what was tried, and how it can be allowed; empty where there is nothing to allow.

    Args:
        refusal: Checked; None: there was none.
        said: What stands before it: it is not said again.
        never: Folders that no permission includes.
        beside: Folders in which the user may have meant a relative path to be.
        hosts: Those that a client on `Moss` may ask for the code.
        env: Variables that the code may see.
    """
    found = "" if refusal is None else _describe(refusal, never=never, beside=beside, hosts=hosts, env=env)
    return "" if found in said else found


def _describe(
    refusal: Refusal, *, never: Sequence[Path], beside: Sequence[Path], hosts: Sequence[str], env: Sequence[str]
) -> str:
    who = f"{refusal.function}()" if refusal.function else "The code"
    what = _on_one_line(refusal.what)
    mark = ", or mark it @on_host" if refusal.function else ""
    match refusal.kind:
        case "net" | "host":
            to = f" to {what}" if what else ""
            tried = f"{who} tried to open a network connection{to}:"
            if refusal.kind == "host":
                return f"{tried} allow it with {_option('net', what)}{mark}."
            if hosts:
                tried += f" {_list_few(hosts)} can be reached by a client on Moss alone, such as WebClient;"
            return f"{tried} allow it with --allow-net{mark}."
        case "run":
            started = "a process" if refusal.what == "fork" else f"a program ({what})"
            return f"{who} tried to start {started}: allow it with --allow-run{mark}."
        case "processes":
            return f"{who} tried to share work among processes, which confined code cannot: use threads{mark}."
        case "env":
            return _describe_variable(what, f"{who} asked for the environment variable {what}", mark, env=env)
        case "own folder":
            found = find_beside(refusal.what, beside)
            if found is None:
                return ""
            return (
                f"{who} looked for {what} in the folder that confined code has for itself; yours is {found}: use the "
                f"whole path and allow it with {_option('read', found)}{mark}."
            )
        case "read" | "write" | "database":
            return _describe_path(refusal, f"{who} tried to", mark, never=never, beside=beside)


def _describe_variable(name: str, asked: str, mark: str, *, env: Sequence[str]) -> str:
    allow = f"allow it with {_option('env', name)}{mark}."
    if name in os.environ:
        return f"{asked}: {allow}"
    asked += ", which is not set: set it where GhostOS is started"
    return f"{asked}." if name in env else f"{asked}, and {allow}"


def _describe_path(refusal: Refusal, tried: str, mark: str, *, never: Sequence[Path], beside: Sequence[Path]) -> str:
    what = _on_one_line(refusal.what)
    if refusal.kind == "database":
        tried = f"{tried} write the database {what}, beside which its journal is made"
    else:
        tried = f"{tried} {refusal.kind} {what}"
    remedy = find_remedy(refusal, never=never, beside=beside)
    if remedy is None:
        return f"{tried}, which is never granted{mark}."
    if (inside := find_excluded(refusal, remedy, never=never)) is not None:
        return (
            f"{tried}: a new file there cannot be allowed while the workspace {_on_one_line(str(inside))} lies in that "
            f"folder. Write to a folder beside it, or keep the workspace elsewhere (--workspace){mark}."
        )
    folders = [folder for each in beside for folder in find_places(each)]
    warned = ""
    if remedy.kind == "write" and any(folder.is_relative_to(remedy.what) for folder in folders):
        warned = " (new files there that run on the host then wait for ghostos moss accept)"
    return f"{tried}: allow it with {describe_option(remedy)}{warned}{mark}."


def describe_option(permission: Permission) -> str:
    """Return the option that gives a permission to a path, as it is written in a shell."""
    return _option(permission.kind, permission.what.rstrip("/") or "/")


def _is_one_host(text: str) -> bool:
    try:
        named = NetHost.parse(text)
    except ValueError:
        return False
    return not named.is_wildcard and str(named) == text


def _list_few(hosts: Sequence[str]) -> str:
    shown = ", ".join(hosts[:_MAX_HOSTS])
    return f"{shown} and {len(hosts) - _MAX_HOSTS} more" if len(hosts) > _MAX_HOSTS else shown


def _option(kind: str, value: str | Path) -> str:
    """To be copied into a shell."""
    return f"--allow-{kind}={shlex.quote(_on_one_line(str(value)))}"


def _on_one_line(text: str) -> str:
    """Bounded; what would end the line, turn its direction or steer a terminal is shown."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in readable(text, _MAX_CHARS))
