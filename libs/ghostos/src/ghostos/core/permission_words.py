"""Permissions in words for people: the host's own, with names shown as they are, and the code's word marked as that."""

import shlex

from ghostos.core.permission import PermissionRequest, Scope
from ghostos_moss import Permission

_SCOPE_WORDS: dict[Scope, str] = {
    "once": "until this turn ends",
    "thread": "for this thread",
    "always": "for every agent of this workspace, from now on",
}


def describe_permission(permission: Permission) -> str:
    """Return what is allowed, as a part of a sentence: "reading …"."""
    everything_in = ", with all that is in it" if permission.what.endswith("/") else ""
    match permission.kind:
        case "net" if permission.what:
            return f"reaching {permission.what} by a client on Moss, such as WebClient"
        case "net":
            return "network connections, to any host"
        case "run":
            return "starting programs of this system, confined like the code"
        case "env":
            return f"seeing the environment variable {permission.what}"
        case "read":
            return f"reading {permission.what}{everything_in}"
        case "write":
            return f"reading and writing {permission.what}{everything_in}"


def describe_scope(scope: Scope) -> str:
    """Return how long it is allowed, as a part of a sentence."""
    return _SCOPE_WORDS[scope]


def describe_question(request: PermissionRequest) -> str:
    """Return the question to the user; where none is asked, what the code may not. The path or name goes beside it."""
    wanted = _describe_wanted(request.permission)
    return f"Allow the code to {wanted}?" if request.scopes else f"The code may not {wanted}."


def describe_asker(request: PermissionRequest) -> str:
    """Return who asked for what, as the code says: one line, hidden characters shown. Empty where it says nothing."""
    who = f"{request.function}()" if request.function else "it"
    words = f"{who} asked for {request.asked_for}" if request.asked_for else f"{who} asked" if request.function else ""
    return show_hidden(words)


def show_hidden(text: str) -> str:
    r"""Return the text on one line, with characters that cannot be seen as `\n`, `\x1b` or `\u202e`."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def describe_option(permission: Permission) -> str:
    """Return the option of the command line that allows it, to be copied into a shell."""
    value = f"={shlex.quote(permission.what.rstrip('/') or '/')}" if permission.what else ""
    return f"--allow-{permission.kind}{value}"


def _describe_wanted(permission: Permission) -> str:
    place = "this folder, with all that is in it" if permission.what.endswith("/") else "this file"
    match permission.kind:
        case "net" if permission.what:
            return "reach this host by a client on Moss, such as WebClient"
        case "net":
            return "open network connections, to any host"
        case "run":
            return "start programs of this system, confined like itself"
        case "env":
            return "see this environment variable"
        case "read":
            return f"read {place}"
        case "write":
            return f"read and write {place}"
