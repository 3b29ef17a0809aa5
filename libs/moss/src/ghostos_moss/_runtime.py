"""A compiled module, alive: its moss, its prompt, and the execution of code in it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType, TracebackType
from typing import NoReturn, Self, cast

from ghostos_common.codec import Namespace
from ghostos_container import Container

from ghostos_moss._capture import Output, capture
from ghostos_moss._execution import Execution, Request, run_plainly
from ghostos_moss._failure import describe_interruption, describe_raised
from ghostos_moss._fresh import FreshModule
from ghostos_moss._hooks import call_hook, find_hook
from ghostos_moss._inject import Assembly, assemble, find_moss_type
from ghostos_moss._interrupt import Interrupter
from ghostos_moss._moss import Injection, Moss, equip
from ghostos_moss._preflight import check_snippet
from ghostos_moss._prompter import MossPrompter, PromptLevel
from ghostos_moss._pycontext import PyContext
from ghostos_moss._restore import restore
from ghostos_moss._snippet import Snippet, parse_snippet
from ghostos_moss._values import StoredValues
from ghostos_moss.errors import ClosedError, CodeError, CodeRejectedError, CompileError

__all__ = ["MossRuntime", "PromptOptions"]


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How much of imported names a prompt shows."""

    level: PromptLevel = "full"
    max_tokens: int | None = 4000


class MossRuntime:
    """Made by `MossCompiler.compile`. Close it, or use it in a `with` statement.

    Executions in one runtime follow each other, from whatever threads they are asked for.
    """

    def __init__(
        self,
        fresh: FreshModule,
        *,
        container: Container,
        pycontext: PyContext,
        injections: Mapping[str, object],
        prompt: PromptOptions,
    ) -> None:
        self._fresh = fresh
        self._container = container
        self._pycontext = pycontext
        self._prompt = prompt
        self._interrupter = Interrupter()
        self._lock = threading.RLock()
        self._timeout_s: float | None = None
        self._is_executing = False
        self._is_closed = False
        self._is_exposed = False
        self._last_output = ""
        self._snippet: Snippet | None = None
        self._notified: list[Injection] = []
        self._assembly, self._values = self._assemble(injections)
        self._notify()

    def _assemble(self, injections: Mapping[str, object]) -> tuple[Assembly, StoredValues]:
        module, name = self._fresh.module, self._fresh.source.name
        if "moss" in vars(module):
            reason = "it defines a global variable `moss`, the name that its Moss instance gets: rename it"
            raise CompileError(name, reason)
        moss_type = find_moss_type(module, name=name)
        namespace = Namespace(dict(vars(module)))
        restored = restore(
            self._pycontext.values,
            namespace=namespace,
            without=injections,
            migrate=lambda attribute, raw: call_hook(module, "__moss_migrate__", attribute, raw),
        )
        made = assemble(
            moss_type, module=name, injections=injections, values=restored.live, container=self._container
        )
        kept = dict(restored.raw)
        for unused in made.unused:
            kept[unused] = self._pycontext.values[unused]
            restored.notes.append(f"The stored value of moss.{unused} has no place in Moss any more: it is kept, unseen.")
        prompter = MossPrompter(
            module, self._fresh.source, level=self._prompt.level, max_tokens=self._prompt.max_tokens, moss_type=moss_type
        )
        equip(made.moss, injected=frozenset(made.injected), describe=prompter.describe)
        self._prompter = prompter
        self._notes = restored.notes
        vars(module).setdefault("Moss", moss_type)
        vars(module)["moss"] = made.moss
        return made, StoredValues(made, namespace=namespace, kept={k: v for k, v in kept.items() if k not in made.injected})

    def _notify(self) -> None:
        for name, value in self._assembly.injected.items():
            if isinstance(value, Injection):
                value.on_injection(self, name)
                self._notified.append(value)
        moss = self._assembly.moss
        if find_hook(self._fresh.module, "__moss_compiled__") is not None:
            call_hook(self._fresh.module, "__moss_compiled__", moss)
            self._values.commit()
