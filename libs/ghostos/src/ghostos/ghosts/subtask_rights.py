"""What a ghost's subtasks may be: in which modules they work, and what they may do."""

import ast

from ghostos.contracts.ghost import Ghost
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.session import Session
from ghostos.core.json import JsonObject
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.libraries.accepted import describe_refusal
from ghostos_moss import AcceptedFiles, ModuleSource, load_source
from ghostos_moss.errors import AcceptanceRecordError, NotAcceptedError


def find_child(ghost: object, *, parent: MossAgent, session: Session) -> Ghost:
    """Return the ghost that a subtask gets, made anew from the data of the one that code gave.

    Raises:
        TypeError: It is neither a Chatbot nor a MossAgent.
        PermissionError: Its module is not one that the user's file names.
        UnacceptedError: That file waits for the user.
    """
    if type(ghost) is Chatbot:
        return Chatbot.model_validate(ghost.model_dump())
    if type(ghost) is not MossAgent:
        message = f"a subtask is a Chatbot or a MossAgent, not a {type(ghost).__name__:.60}"
        raise TypeError(message)
    if ghost.moss_module != parent.moss_module:
        named = _named_modules(parent, session=session)
        if ghost.moss_module not in named:
            choice = ", ".join(sorted({parent.moss_module, *named}))
            message = (
                f"a subtask cannot work in the module {ghost.moss_module!r:.200}: your file names {choice}; "
                "its user may name another there, as MossAgent('that_module')"
            )
            raise PermissionError(message)
    fields = ghost.model_dump()
    if parent.approve != "never":
        fields["approve"] = parent.approve
    return MossAgent.model_validate(fields)


def make_rights(parent: MossAgent, *, session: Session) -> JsonObject:
    """Return what a subtask may do at most: what its parent may, without what the user allowed that only once."""
    lasting = [grant for grant in session.grants if grant.scope != "once"]
    book = session.container.force_fetch(PermissionBook)
    held = book.get(load_source(parent.moss_module), grants=lasting)
    return {"permissions": held.permissions.to_dict()}


def find_named_modules(source: ModuleSource) -> frozenset[str]:
    """Return the modules that a file names as those of agents: `MossAgent("module")`. Nothing of it runs."""
    calls = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    return frozenset(name for call in calls if (name := _module_of(call)) is not None)


def _named_modules(parent: MossAgent, *, session: Session) -> frozenset[str]:
    source = load_source(parent.moss_module)
    try:
        session.container.force_fetch(AcceptedFiles).check(source)
    except (NotAcceptedError, AcceptanceRecordError) as exc:
        raise describe_refusal(exc) from exc
    return find_named_modules(source)


def _module_of(call: ast.Call) -> str | None:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", None)
    if name != MossAgent.__name__:
        return None
    named = (each.value for each in call.keywords if each.arg == "moss_module")
    value = call.args[0] if call.args else next(named, None)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
