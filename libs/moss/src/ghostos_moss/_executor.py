"""The port through which a module is prompted and run. Its drivers are `off` and `process`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from ghostos_container import Container
from ghostos_moss._permissions import Permission, Permissions
from ghostos_moss._prompter import PromptLevel
from ghostos_moss._pycontext import Json, PyContext
from ghostos_moss._run_clock import RunClock
from ghostos_moss._source import ModuleSource

__all__ = ["Executor", "HostCall", "ModuleSession", "Refusal", "RefusalKind", "RunResult", "RunStatus"]

RunStatus = Literal["ok", "error", "rejected", "interrupted"]
RefusalKind = Literal["net", "host", "read", "write", "database", "env", "run", "processes", "own folder"]
"""A permission; a host that a client on `Moss` was to ask; a database, which takes its folder to be written; the
processes of `multiprocessing`, which confined code cannot have; or a relative path, which it looks for in a folder of
its own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why confined code failed, if it is because of what it may not touch. It comes from that code: its word.

    Attributes:
        kind: The permission that it lacked.
        what: A whole path, a host, a program, the name of a variable; may be empty.
        function: The user's function that tried; empty where the model's code itself did.
    """

    kind: RefusalKind
    what: str
    function: str


@dataclass(frozen=True, slots=True)
class HostCall:
    """One call of a method of an injected object, as a host saw it.

    Attributes:
        contract: Name of the type that the attribute is annotated with.
        method: Name of the method.
        arguments: Bounded: `360, seconds=1`. Data that JSON does not have is shown as it is stored.
        result: What it returned, shown in the same way; None when it raised.
        error: Type and message of what it raised; None when it returned.
        duration_s: Wall time.
        is_undone: Whether nothing comes of it where the run fails: so it is with contracts that have an attribute
            `__moss_undone__ = True`.
    """

    contract: str
    method: str
    arguments: str
    result: str | None
    error: str | None
    duration_s: float
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run of a model's code came to.

    Attributes:
        status: `rejected`: refused before anything ran. `interrupted`: cancelled, or out of time.
        std_output: What was printed, in order, capped head and tail; also when the code raised.
        returns: What the called function returned, encoded; None if it returned nothing, or nothing storable.
        returns_text: Its repr for the model, bounded; empty for None.
        error: What went wrong, for the model: line and source of its code, no paths, no keys. None when ok.
        pycontext: What survives: the committed values of moss, those from before the run when it failed.
        notes: To tell the model: values that could not be stored or restored, names that look mistyped.
        calls: Completed calls on injected objects, in order, where the executor sees them.
        duration_s: Wall time.
        refusal: What confined code was refused, where that is why it failed; `error` says it in words.
    """

    status: RunStatus
    std_output: str
    returns: Json
    returns_text: str
    error: str | None
    pycontext: PyContext
    notes: tuple[str, ...]
    calls: tuple[HostCall, ...]
    duration_s: float
    refusal: Refusal | None = None


class ModuleSession(Protocol):
    """A compiled module, open for prompts and runs."""

    def prompt(self) -> str:
        """What the model sees of the module."""
        ...

    def injected_prompts(self) -> dict[str, str]:
        """What injected objects that define `__prompt__` say of themselves now, by attribute of moss.

        They are asked where they are, and never raise: one that fails has a text that says so. Texts are bounded;
        an empty one is left out.
        """
        ...

    def check(self, code: str) -> tuple[str, ...]:
        """Problems of code that has not run, one line each, with "did you mean"; empty when it may run."""
        ...

    def run(
        self,
        *blocks: str,
        timeout_s: float | None = None,
        before_call: Callable[[], object] | None = None,
        on_call: Callable[[HostCall], object] | None = None,
        clock: RunClock | None = None,
        on_line: Callable[[int], object] | None = None,
        on_output: Callable[[str], object] | None = None,
    ) -> RunResult:
        """Run statements; or a definition of `run(moss)`, else `main(moss)`, which is then called.

        Several blocks run in order as one run: the first error stops the rest and rolls all back.

        Blocks. Never raises for what the code does. After a run that failed the session can still be used.

        Args:
            blocks: As the model wrote them.
            timeout_s: When it is over the run ends as `interrupted`. None: no limit.
            before_call: Called before each call on an injected object, where the executor sees calls; what it raises,
                the code's call raises, and the object is not called. From any thread.
            on_call: Told of each call on an injected object, as soon as that has ended and before the code goes on,
                where the executor sees calls. From any thread; what it raises, the code's call raises.
            clock: Says which time does not count. None: all does.
            on_line: Told of the line of the blocks, joined by blank lines, that is at work, from 1, each time that
                another one is found there: where the code calls something else, of the line that calls. From 0.1 s of
                the run on, ten times a second, in long runs once a second; a call into C may hold it up. From any
                thread; what it raises is logged.
            on_output: Told of the end of what the code has printed so far, at most 2,000 characters, "…" before them
                where there was more. As often as of lines, where there is more to see. From a thread of its own, which
                ends with the run; what it raises is logged.
        """
        ...

    def values(self) -> dict[str, Json]:
        """The committed values of moss."""
        ...

    def cancel(self) -> None:
        """End the run in progress as `interrupted`; without one, nothing happens. From any thread."""
        ...

    def close(self) -> None:
        """Give everything back. Harmless twice."""
        ...


class Executor(Protocol):
    """Where modules live and model code runs."""

    @property
    def name(self) -> str:
        """Shown to the user, like `off`: code is not confined."""
        ...

    def prepare(self) -> None:
        """Do what takes long and is done once, before the first `open`. Harmless twice.

        Raises:
            ConfinementError: Code cannot be confined on this system.
        """
        ...

    def permissions_for(self, source: ModuleSource) -> Permissions:
        """What code of a module may touch, all told.

        Raises:
            CompileError: The module's own permissions cannot be read.
        """
        ...

    def find_remedy(self, refusal: Refusal, *, source: ModuleSource) -> Permission | None:
        """Return the one permission with which what was refused would work; None where there is none.

        Args:
            refusal: From a run of this executor.
            source: The module that ran.
        """
        ...

    def find_obstacle(self, permission: Permission, *, source: ModuleSource, is_click: bool = False) -> str:
        """Say why a permission cannot be granted to code of a module, as a part of a sentence; "" where it can.

        Args:
            permission: What is asked for.
            source: The module.
            is_click: Whether a person allows it with one click on what they are shown: that must be all that it is.
        """
        ...

    def open(  # noqa: PLR0913 - all that a module is opened with, each by name
        self,
        source: ModuleSource,
        *,
        pycontext: PyContext,
        container: Container,
        injections: Mapping[str, object],
        permissions: Permissions | None = None,
        level: PromptLevel = "full",
        max_prompt_tokens: int | None = 4000,
        scratch: Path | None = None,
        keeps_worker: bool = True,
    ) -> ModuleSession:
        """Compile a module and inject its `Moss`.

        Args:
            source: The module. `pycontext.code`, when set, runs in its place.
            pycontext: What earlier rounds left; not modified.
            container: Parent of the session's own container; not closed.
            injections: Attributes of moss by name; some may be unknown to the class.
            permissions: What confined code may touch, before what the executor and the module say.
            level: How much of imported names is shown.
            max_prompt_tokens: Budget of the prompt; None: no limit.
            scratch: The folder that confined code has for itself, kept; made if it is not there. None: one that goes
                with the session.
            keeps_worker: Whether the process of confined code may wait for the next session with the same `scratch`.
                False where what it may do ends with this one.

        Raises:
            MossError: The module cannot be compiled, or its `Moss` not be injected.
        """
        ...
