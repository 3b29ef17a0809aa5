"""A compiled module, alive: its moss, its prompt, and the execution of code in it."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any, Final, Self, TypeVar

from ghostos_container import Container
from ghostos_moss._capture import Output, capture, capture_nothing
from ghostos_moss._code_editor import CodeEditor
from ghostos_moss._execution import Execution, Request, run_plainly
from ghostos_moss._failure import describe_interruption, describe_raised, describe_silent, is_plain, safe_repr
from ghostos_moss._fresh import FreshModule
from ghostos_moss._hooks import find_hook
from ghostos_moss._interrupt import Interrupter
from ghostos_moss._moss import Moss
from ghostos_moss._mount import Mount
from ghostos_moss._preflight import check_snippet
from ghostos_moss._prompter import MossPrompter, PromptLevel
from ghostos_moss._pycontext import Json, PyContext
from ghostos_moss._run_clock import RunClock
from ghostos_moss._running_line import BlockLines
from ghostos_moss._snippet import Snippet, parse_snippet
from ghostos_moss.errors import ClosedError, CodeError, CodeRejectedError

__all__ = ["MossRuntime", "PromptOptions"]

T = TypeVar("T")

_ASK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How much of imported names a prompt shows."""

    level: PromptLevel = "full"
    max_tokens: int | None = 4000


class MossRuntime:
    """What `MossCompiler.compile` gives. Close it, or use it in a `with` statement.

    Executions of one runtime follow each other, from whatever threads they are asked for. Code runs in this process
    with all its rights: objects that it changed outside of moss and its module stay changed when it fails.
    """

    def __init__(
        self,
        fresh: FreshModule,
        *,
        container: Container,
        pycontext: PyContext,
        injections: Mapping[str, object],
        prompt: PromptOptions,
        captures_output: bool = True,
        editor: CodeEditor | None = None,
    ) -> None:
        self._fresh = fresh
        self._editor = editor
        self._capture = capture if captures_output else capture_nothing
        self._container = container
        self._pycontext = pycontext
        self._interrupter = Interrupter()
        self._lock = threading.RLock()
        self._timeout_s: float | None = None
        self._clock: RunClock | None = None
        self._is_executing = False
        self._is_closed = False
        self._is_exposed = False
        self._output: Output | None = None
        self._last_output = ""
        self._parsed: Snippet | None = None
        self._lines = BlockLines()
        self._mount: Mount | None = None
        try:
            self._mount = mount = Mount(fresh, container=container, pycontext=pycontext, injections=injections)
            self._prompter = MossPrompter(
                fresh.module, fresh.source, level=prompt.level, max_tokens=prompt.max_tokens, moss_type=mount.moss_type
            )
            mount.complete(self, describe=self._prompter.describe)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def container(self) -> Container:
        """The container of this runtime: the compiler's, closed with it."""
        return self._container

    def module(self) -> ModuleType:
        """The live module. Its name is private; it is not the one that `import` gives."""
        self._expose()
        return self._fresh.module

    def locals(self) -> dict[str, Any]:
        """The names of the live module, `moss` among them: the dictionary that code runs in."""
        self._expose()
        return vars(self._fresh.module)

    def moss(self) -> Any:  # noqa: ANN401 - of the module's own class, whose attributes nobody here knows
        """The instance of the module's `Moss`."""
        return self._expose().moss

    def moss_type(self) -> type[Moss]:
        """The module's class `Moss`; `ghostos_moss.Moss` if it has none."""
        return self._require_open().moss_type

    def moss_injections(self) -> dict[str, object]:
        """The injected objects by attribute."""
        return dict(self._require_open().injected)

    def prompter(self) -> MossPrompter:
        """What renders the prompt of this module."""
        self._require_open()
        return self._prompter

    def check(self, code: str) -> tuple[str, ...]:
        """Problems of code, one line each; empty when it may run. Nothing is run."""
        self._require_open()
        try:
            return self._problems(self._parse(code))
        except CodeRejectedError as exc:
            return exc.problems

    def run(self, *blocks: str) -> Execution:
        """Execute code as a model writes it: statements; or it defines `run(moss)`, else `main(moss)`, which is called.

        Several blocks run in order as one transaction: the first that fails stops the rest, and all is rolled back.

        Returns:
            With what the last block gave that gave something.

        Raises:
            CodeError: As `execute`.
        """
        with self._lock:
            return self._transact(lambda: self._run_blocks(blocks))

    def execute(
        self,
        target: str = "main",
        code: str | None = None,
        local_args: Sequence[str] | None = None,
        local_kwargs: Mapping[str, str] | None = None,
        args: Sequence[object] | None = None,
        kwargs: Mapping[str, object] | None = None,
    ) -> Execution:
        """Run code in the module, then call the target if the code defines it. One transaction.

        Code that does not define the target runs as statements; without code the target is one of the module.
        Values and names are stored when it succeeds, and as they were before when it fails.

        Args:
            target: Name of a function; it may be asynchronous.
            code: Checked before anything runs. Its definitions last as long as this runtime.
            local_args: Names in `locals()` of values to pass by position.
            local_kwargs: Such names by parameter.
            args: Values to pass by position, after `local_args`.
            kwargs: Values by parameter. With no arguments at all, a target that takes one gets `moss`.

        Raises:
            CodeRejectedError: The code was refused; nothing ran.
            CodeRaisedError: It raised; the cause is what it raised.
            CodeInterruptedError: `interrupt` or `deadline` stopped it.
        """
        request = Request(target, code, local_args or (), local_kwargs or {}, args or (), kwargs or {})
        with self._lock:
            self._require_open()
            if self._is_executing:  # from __moss_exec__, or from the code itself: part of the execution around it
                return Execution(self._run(request), "", self._pycontext)
            return self._transact(lambda: self._through_hook(request))

    def interrupt(self, reason: str = "it was cancelled") -> None:
        """Stop the execution in progress, if there is one; it is rolled back. From any thread; returns at once.

        A call into C, such as `time.sleep`, is stopped when it returns.
        """
        self._interrupter.interrupt(reason)

    def interrupt_here(self, reason: str) -> None:
        """Do what `interrupt` does, from a signal handler in the thread that executes: also while it sleeps.

        Raises:
            BaseException: Where an execution is in progress: for its code, which ends by that.
        """
        self._interrupter.interrupt_here(reason)

    def find_line(self) -> int | None:
        """Return the line at work, from 1, of what `run` was given, joined by blank lines; None where there is none.

        From any thread.
        """
        return self._lines.find(self._interrupter.frames())

    def find_printed(self) -> str | None:
        """Return the end of what the execution in progress has printed; None where it has not. From any thread."""
        output = self._output
        return output.find_tail() if output is not None else None

    @contextmanager
    def deadline(self, timeout_s: float | None, *, clock: RunClock | None = None) -> Generator[None]:
        """Executions within the `with` block are stopped after this time, as `interrupt` stops them."""
        outer = self._timeout_s, self._clock
        self._timeout_s, self._clock = timeout_s, clock
        try:
            yield
        finally:
            self._timeout_s, self._clock = outer

    def dump_std_output(self) -> str:
        """What the last execution printed, in order and capped; also when it failed."""
        return self._last_output

    def dump_pycontext(self) -> PyContext:
        """The context as it is now: what a later compile starts from."""
        mount = self._require_open()
        with self._lock:
            if self._is_exposed and not self._is_executing:
                self._commit(mount)
            return self._context(mount)

    def encode(self, value: object) -> Json:
        """A value in the JSON of a PyContext; None for what cannot be stored."""
        return self._require_open().values.encode(value)

    def render(self, value: object) -> str:
        """A value for a model: its repr, bounded; empty for None. Objects whose repr raises or hangs are named."""
        if value is None:
            return ""
        with self._lock:
            text = self._ask(lambda: safe_repr(value))
        return text if text is not None else f"<{type(value).__name__} whose repr did not return>"

    def take_notes(self) -> tuple[str, ...]:
        """What the model is to be told and was not yet: values that could not be stored or restored, edits."""
        notes = self._require_open().values.take_notes()
        return notes if self._editor is None else (*notes, *self._editor.take_notes())

    def close(self) -> None:
        """Tell the injected objects, close the container, and forget the module. Harmless twice.

        Raises:
            ExceptionGroup: What `on_destroy` and the container's shutdown callbacks raised. All were called.
        """
        self._interrupter.interrupt("its runtime was closed")
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        errors = self._mount.destroy() if self._mount is not None else []
        try:
            self._container.shutdown()
        except Exception as exc:  # noqa: BLE001 - raised below, with the others
            errors.append(exc)
        self._fresh.close()
        self._mount = self._parsed = None
        if errors:
            message = f"Closing the runtime of {self._fresh.source.name!r}"
            raise ExceptionGroup(message, errors)

    def _transact(self, work: Callable[[], Execution]) -> Execution:
        mount = self._require_open()
        if self._is_exposed:
            self._commit(mount)  # whoever holds moss may have changed it since the last execution
        self._is_executing = True
        try:
            return self._execute(work, mount)
        finally:
            self._is_executing, self._output = False, None

    def _run_blocks(self, blocks: Sequence[str]) -> Execution:
        if len(blocks) > 1:
            problems = self._problems(self._parse("\n\n".join(blocks)))
            if problems:
                raise CodeRejectedError(problems)
        execution = Execution(None, "", self._pycontext)
        self._lines.clear()
        for block in blocks:
            self._lines.begin(block)
            snippet = self._parse(block)
            target = "main" if snippet.defines("main") and not snippet.defines("run") else "run"
            latest = self._through_hook(Request(target, block))
            execution = latest if latest.returns is not None else execution
        return execution

    def _execute(self, work: Callable[[], Execution], mount: Mount) -> Execution:
        names = vars(self._fresh.module)
        names_before = dict(names)
        output = self._output = Output()
        try:
            with self._capture(output):
                execution = self._interrupter.guard(work, timeout_s=self._timeout_s, clock=self._clock)
        except BaseException as exc:  # noqa: BLE001 - model code may raise anything; it becomes a CodeError
            names.clear()
            names.update(names_before)
            mount.settle(has_failed=True)
            if self._editor is not None:
                self._editor.roll_back()
            error = self._failure(exc)
            error.std_output = self._last_output = output.text()
            raise error from (exc if error is not exc else exc.__cause__)
        mount.settle(has_failed=False)
        if self._editor is not None:
            self._editor.commit()
        self._last_output = output.text()
        return Execution(execution.returns, self._last_output, self._context(mount), execution.error)

    def _commit(self, mount: Mount) -> None:
        """What moss and the module's source are now is what later compiles start from."""
        mount.values.commit()
        if self._editor is not None:
            self._editor.commit()

    def _context(self, mount: Mount) -> PyContext:
        pycontext = self._pycontext.model_copy(update={"values": mount.values.values()})
        return pycontext if self._editor is None else self._editor.save_to(pycontext)

    def _through_hook(self, request: Request) -> Execution:
        if (hook := find_hook(self._fresh.module, "__moss_exec__")) is not None:
            execution = hook(self, **request.to_keywords())
            if isinstance(execution, Execution):
                return execution
        return Execution(self._run(request), "", self._pycontext)

    def _run(self, request: Request) -> object:
        snippet = None
        if request.code is not None:
            snippet = self._parse(request.code)
            problems = self._problems(snippet, request.target)
            if problems:
                raise CodeRejectedError(problems)
            self._parsed = None
            self._fresh.add_lines(snippet.filename, snippet.text)
            self._lines.place(snippet)
        names = vars(self._fresh.module)
        return run_plainly(request, snippet=snippet, names=names, interrupter=self._interrupter)

    def _parse(self, code: str) -> Snippet:
        """Parse code; the last that was only looked at is not parsed again."""
        if self._parsed is None or self._parsed.text != code:
            self._parsed = parse_snippet(code, module_code=self._fresh.source.code)
        return self._parsed

    def _problems(self, snippet: Snippet, *targets: str) -> tuple[str, ...]:
        mount = self._require_open()
        return check_snippet(
            snippet,
            names=vars(self._fresh.module),
            module_code=self._fresh.source.code,
            moss=mount.moss,
            injected=mount.injected,
            targets=frozenset({"run", "main", *targets}),
            shown=self._prompter.names_not_imported,
        )

    def _failure(self, error: BaseException) -> CodeError:
        reason = self._interrupter.reason
        if reason is None and isinstance(error, KeyboardInterrupt):
            reason = "it was interrupted from the keyboard"
        if reason is not None:
            return describe_interruption(error, reason=reason, module=self._fresh.module)
        if isinstance(error, CodeRejectedError):
            return error
        module = self._fresh.module
        if is_plain(error):
            return describe_raised(error, module=module)
        described = self._ask(lambda: describe_raised(error, module=module))
        return described if described is not None else describe_silent(error, module=module)

    def _ask(self, action: Callable[[], T]) -> T | None:
        """Call what may run the code's own `__str__` or `__repr__`; None if that does not return."""
        try:
            with self._capture(Output()):
                return self._interrupter.guard(action, timeout_s=_ASK_S)
        except BaseException:  # noqa: BLE001 - whatever it raises, the caller says that it could not
            return None

    def _expose(self) -> Mount:
        """From here on the caller may change values and names between executions."""
        self._is_exposed = True
        return self._require_open()

    def _require_open(self) -> Mount:
        if self._is_closed or self._mount is None:
            raise ClosedError("runtime", "compile the module again")
        return self._mount
