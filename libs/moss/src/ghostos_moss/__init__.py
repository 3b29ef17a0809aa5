"""The MOSS protocol: let a language model write Python against your live objects."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghostos_moss._compiler import MossCompiler, new_compiler
    from ghostos_moss._execution import Execution
    from ghostos_moss._executor import Executor, HostCall, ModuleSession, RunResult, RunStatus
    from ghostos_moss._moss import AttrPrompts, Injection, InjectionHost, Moss
    from ghostos_moss._off import OffExecutor
    from ghostos_moss._permissions import Permissions, on_host
    from ghostos_moss._prompter import MossPrompter, PromptLevel
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
    from ghostos_moss._runtime import MossRuntime
    from ghostos_moss._source import ModuleSource, load_source, parse_source
    from ghostos_moss._tokens import count_tokens

__all__ = [
    "AttrPrompts",
    "CodeBlock",
    "CodeDelta",
    "CodeEnd",
    "CodeFormat",
    "CodeStart",
    "CodeWithdrawn",
    "Execution",
    "Executor",
    "HostCall",
    "Injection",
    "InjectionHost",
    "Json",
    "ModuleSession",
    "ModuleSource",
    "Moss",
    "MossCompiler",
    "MossPrompter",
    "MossRuntime",
    "OffExecutor",
    "ParsedReply",
    "Permissions",
    "PromptLevel",
    "PyContext",
    "ReplyEvent",
    "ReplyParser",
    "RunResult",
    "RunStatus",
    "TextDelta",
    "count_tokens",
    "load_source",
    "new_compiler",
    "on_host",
    "parse_reply",
    "parse_source",
]

_HOMES = {
    "AttrPrompts": "_moss",
    "CodeBlock": "_reply_events",
    "CodeDelta": "_reply_events",
    "CodeEnd": "_reply_events",
    "CodeFormat": "_reply",
    "CodeStart": "_reply_events",
    "CodeWithdrawn": "_reply_events",
    "Execution": "_execution",
    "Executor": "_executor",
    "HostCall": "_executor",
    "Injection": "_moss",
    "InjectionHost": "_moss",
    "Json": "_pycontext",
    "ModuleSession": "_executor",
    "ModuleSource": "_source",
    "Moss": "_moss",
    "MossCompiler": "_compiler",
    "MossPrompter": "_prompter",
    "MossRuntime": "_runtime",
    "OffExecutor": "_off",
    "ParsedReply": "_reply_events",
    "Permissions": "_permissions",
    "PromptLevel": "_prompter",
    "PyContext": "_pycontext",
    "ReplyEvent": "_reply_events",
    "ReplyParser": "_reply",
    "RunResult": "_executor",
    "RunStatus": "_executor",
    "TextDelta": "_reply_events",
    "count_tokens": "_tokens",
    "load_source": "_source",
    "new_compiler": "_compiler",
    "on_host": "_permissions",
    "parse_reply": "_reply",
    "parse_source": "_source",
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
