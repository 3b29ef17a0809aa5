"""The MOSS protocol: let a language model write Python against your live objects."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghostos_moss._acceptance._files import AcceptedFiles
    from ghostos_moss._acceptance._host_parts import concerns_host, find_host_parts, runs_on_host
    from ghostos_moss._acceptance._waiting import RefusedFile, Waiting, WaitingFile
    from ghostos_moss._bodies import Body
    from ghostos_moss._code_versions import CodeProposal, CodeVersion, version_id
    from ghostos_moss._compiler import MossCompiler, new_compiler
    from ghostos_moss._execution import Execution
    from ghostos_moss._executor import Executor, HostCall, ModuleSession, Refusal, RunResult, RunStatus
    from ghostos_moss._limits import Limits
    from ghostos_moss._moss import AttrPrompts, Injection, InjectionHost, Moss
    from ghostos_moss._net_hosts import is_public_address, name_host, normalize_host
    from ghostos_moss._off import OffExecutor
    from ghostos_moss._openings import Opening, find_openings
    from ghostos_moss._permissions import Permission, PermissionKind, Permissions, find_permissions, on_host
    from ghostos_moss._process._executor import ProcessExecutor
    from ghostos_moss._process._scratch import remove_tree
    from ghostos_moss._prompter import MossPrompter, PromptLevel
    from ghostos_moss._protected_code import check_protected
    from ghostos_moss._pycontext import Json, PyContext
    from ghostos_moss._reply import CodeFormat, ReplyParser, parse_reply
    from ghostos_moss._reply_events import (
        CodeBlock,
        CodeDelta,
        CodeEnd,
        CodeStart,
        CodeWithdrawn,
        ParsedReply,
        ReplyEvent,
        TextDelta,
    )
    from ghostos_moss._run_clock import RunClock
    from ghostos_moss._runtime import MossRuntime
    from ghostos_moss._self_updater import ModuleVersion, SelfUpdater
    from ghostos_moss._source import ModuleSource, find_module_spec, load_source, parse_source
    from ghostos_moss._tokens import count_tokens

__all__ = [
    "AcceptedFiles",
    "AttrPrompts",
    "Body",
    "CodeBlock",
    "CodeDelta",
    "CodeEnd",
    "CodeFormat",
    "CodeProposal",
    "CodeStart",
    "CodeVersion",
    "CodeWithdrawn",
    "Execution",
    "Executor",
    "HostCall",
    "Injection",
    "InjectionHost",
    "Json",
    "Limits",
    "ModuleSession",
    "ModuleSource",
    "ModuleVersion",
    "Moss",
    "MossCompiler",
    "MossPrompter",
    "MossRuntime",
    "OffExecutor",
    "Opening",
    "ParsedReply",
    "Permission",
    "PermissionKind",
    "Permissions",
    "ProcessExecutor",
    "PromptLevel",
    "PyContext",
    "Refusal",
    "RefusedFile",
    "ReplyEvent",
    "ReplyParser",
    "RunClock",
    "RunResult",
    "RunStatus",
    "SelfUpdater",
    "TextDelta",
    "Waiting",
    "WaitingFile",
    "check_protected",
    "concerns_host",
    "count_tokens",
    "find_host_parts",
    "find_module_spec",
    "find_openings",
    "find_permissions",
    "is_public_address",
    "load_source",
    "name_host",
    "new_compiler",
    "normalize_host",
    "on_host",
    "parse_reply",
    "parse_source",
    "remove_tree",
    "runs_on_host",
    "version_id",
]

_HOMES = {
    "AcceptedFiles": "_acceptance._files",
    "AttrPrompts": "_moss",
    "CodeBlock": "_reply_events",
    "CodeDelta": "_reply_events",
    "CodeEnd": "_reply_events",
    "CodeFormat": "_reply",
    "CodeProposal": "_code_versions",
    "CodeStart": "_reply_events",
    "CodeVersion": "_code_versions",
    "CodeWithdrawn": "_reply_events",
    "Execution": "_execution",
    "Executor": "_executor",
    "HostCall": "_executor",
    "Body": "_bodies",
    "Injection": "_moss",
    "InjectionHost": "_moss",
    "Limits": "_limits",
    "Json": "_pycontext",
    "ModuleSession": "_executor",
    "ModuleSource": "_source",
    "ModuleVersion": "_self_updater",
    "Moss": "_moss",
    "MossCompiler": "_compiler",
    "MossPrompter": "_prompter",
    "MossRuntime": "_runtime",
    "OffExecutor": "_off",
    "Opening": "_openings",
    "ParsedReply": "_reply_events",
    "Permission": "_permissions",
    "PermissionKind": "_permissions",
    "Permissions": "_permissions",
    "ProcessExecutor": "_process._executor",
    "PromptLevel": "_prompter",
    "PyContext": "_pycontext",
    "Refusal": "_executor",
    "ReplyEvent": "_reply_events",
    "ReplyParser": "_reply",
    "RunClock": "_run_clock",
    "RunResult": "_executor",
    "RunStatus": "_executor",
    "SelfUpdater": "_self_updater",
    "TextDelta": "_reply_events",
    "RefusedFile": "_acceptance._waiting",
    "Waiting": "_acceptance._waiting",
    "WaitingFile": "_acceptance._waiting",
    "check_protected": "_protected_code",
    "concerns_host": "_acceptance._host_parts",
    "count_tokens": "_tokens",
    "find_host_parts": "_acceptance._host_parts",
    "find_module_spec": "_source",
    "find_openings": "_openings",
    "find_permissions": "_permissions",
    "is_public_address": "_net_hosts",
    "load_source": "_source",
    "name_host": "_net_hosts",
    "new_compiler": "_compiler",
    "normalize_host": "_net_hosts",
    "on_host": "_permissions",
    "parse_reply": "_reply",
    "parse_source": "_source",
    "remove_tree": "_process._scratch",
    "runs_on_host": "_acceptance._host_parts",
    "version_id": "_code_versions",
}
"""Which module each name comes from: it is imported when the name is first asked for, as most programs need few."""


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value: object = getattr(importlib.import_module(f"ghostos_moss.{_HOMES[name]}"), name)
    elif name in {"errors", "lifecycle", "testsuite"}:
        value = importlib.import_module(f"ghostos_moss.{name}")
    else:
        message = f"module 'ghostos_moss' has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "errors", "lifecycle", "testsuite"]
