"""The MOSS protocol: let a language model write Python against your live objects."""

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
