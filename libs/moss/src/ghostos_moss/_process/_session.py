"""A module in a confined process: the session that the executor `process` opens."""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast

import msgspec

from ghostos_container import Container
from ghostos_moss._bodies import find_bodies, stop_bodies
from ghostos_moss._capture import Output
from ghostos_moss._code_editor import CodeEditor, refuse_trial
from ghostos_moss._executor import HostCall, Refusal, RunResult
from ghostos_moss._injected_prompts import find_prompted, render_prompts
from ghostos_moss._moss import Injection
from ghostos_moss._process import _replies
from ghostos_moss._process._accepted import Provided, provide
from ghostos_moss._process._frames import FrameError
from ghostos_moss._process._hints import check_refusal
from ghostos_moss._process._kept_workers import KeptWorker
from ghostos_moss._process._link import RemoteError
from ghostos_moss._process._live_worker import LiveWorker, StoppedError, WorkerGoneError
from ghostos_moss._process._orders import InjectedObject, OpenOrder, RunReply
from ghostos_moss._process._results import Outcome, make_result, take_notes
from ghostos_moss._process._told import tell_of
from ghostos_moss._process._worker_supply import WorkerSupply
from ghostos_moss._prompter import PromptLevel
from ghostos_moss._pycontext import Json, PyContext
from ghostos_moss._run_clock import RunClock
from ghostos_moss._run_looks import looking
from ghostos_moss._self_updater import SelfUpdater
from ghostos_moss._source import ModuleSource
from ghostos_moss._values import MAX_VALUE_BYTES
from ghostos_moss.errors import (
    ClosedError,
    CodeCrashedError,
    CodeError,
    CodeInterruptedError,
    CodeRejectedError,
    CompileError,
    InjectionError,
    MossError,
)

__all__ = ["ProcessSession"]

_OPEN_TIMEOUT_S: Final = 60.0


class ProcessSession:
    """One module, and the worker that it lives in.

    A run that fails costs the worker: the next use gets a new one, with the values of the last that succeeded.
    """

    def __init__(
        self,
        source: ModuleSource,
        *,
        workers: WorkerSupply,
        pycontext: PyContext,
        container: Container,
        injections: Mapping[str, object],
        level: PromptLevel,
        max_prompt_tokens: int | None,
    ) -> None:
        self._source = source
        self._workers = workers
        self._pycontext = pycontext
        self._level: PromptLevel = level
        self._max_prompt_tokens = max_prompt_tokens
        self._lock = threading.RLock()
        self._stop_reason: str | None = None
        self._is_closed = False
        self._followers: list[Injection] = []
        self._told: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._trial: LiveWorker | None = None
        self._compiler = workers.make_compiler(container)
        self._scratch = workers.open_scratch()
        self._purpose = workers.describe(source, scratch=self._scratch.name)
        kept = workers.kept.take(self._purpose)
        self._worker = kept.worker if kept is not None else None
        self._objects = kept.objects if kept is not None else workers.make_objects()
        try:
            self._editor = self._provide_editor()
            accepted = provide(
                source,
                compiler=self._compiler,
                given=dict(injections),
                files=workers.accepted,
                written=workers.grants.write,
            )
            self._objects.begin_session()
            self._injected = {name: self._tell_of(name, entry) for name, entry in accepted.objects.items()}
            values = {name: entry.value for name, entry in accepted.objects.items()}
            self._bodies, self._prompted = find_bodies(values), find_prompted(values)
            self._functions = accepted.functions and tell_of(
                self._objects, accepted.functions(), contract=accepted.functions
            )
            self._objects.end_injection()
            self._tell_followers(accepted.objects)
            self._ensure_worker(is_kept=kept is not None)
        except BaseException:
            self._give_back()
            raise

    def container(self) -> Container:
        """That of this session, for injected objects that ask."""
        return self._compiler.container()

    def prompt(self) -> str:
        with self._busy():
            return self._ask("prompt", str)

    def injected_prompts(self) -> dict[str, str]:
        return render_prompts(self._prompted)

    def check(self, code: str) -> tuple[str, ...]:
        with self._busy():
            return _replies.find_unsendable([code]) or tuple(self._ask("check", list[str], code))

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
        with self._busy():
            started = time.perf_counter()
            output = Output(max_chars=self._workers.limits.output_chars)
            if problems := _replies.find_unsendable(blocks):
                reply, error = None, CodeRejectedError(problems)
            else:
                with looking(output.find_tail, on_output, subject="output"):
                    reply, error = self._try(
                        lambda worker: worker.request(
                            "run" if on_line is None else "run_with_lines",
                            *blocks,
                            timeout_s=timeout_s,
                            output=output,
                            clock=clock,
                            find_stop=lambda: self._stop_reason,
                            on_line=on_line,
                        ),
                        begin=lambda: self._objects.begin_run(on_call, before_call=before_call),
                    )
            stopped = stop_bodies(self._bodies) if _replies.was_stopped(reply, error) else ()
            refusal = self._check(reply.refused) if reply is not None else None
            calls = self._objects.take_calls()
            unsaid = self._workers.describe_unsaid(reply, calls=calls, source=self._source, scratch=self._scratch.name)
            return make_result(
                Outcome(reply, error, calls, time.perf_counter() - started),
                notes=(*take_notes(reply, unsaid, told=self._told), *self._editor.take_notes(), *stopped),
                refusal=refusal,
                describe=lambda said: self._describe(refusal, said=said),
                output=output.text(),
                pycontext=self._pycontext,
            )

    def _try(
        self, ask: Callable[[LiveWorker], Any], *, begin: Callable[[], object]
    ) -> tuple[RunReply | None, CodeError | None]:
        """Have the worker run something, and return what it answered, or what ended it; a failure costs the worker."""
        reply: RunReply | None = None
        error: CodeError | None = None
        try:
            worker = self._ensure_worker()
            begin()
            reply = self._keep(msgspec.convert(ask(worker), RunReply))
        except StoppedError as exc:
            error = CodeInterruptedError(exc.reason, trace=_replies.find_trace(exc.answer))
        except CompileError:  # the worker, which the last run cost, was stopped while it was opened again
            if self._stop_reason is None:
                raise
            error = CodeInterruptedError(self._stop_reason)
        except KeyboardInterrupt:  # as it is for code in this process
            error = CodeInterruptedError("it was interrupted from the keyboard")
        except (WorkerGoneError, RemoteError, FrameError, msgspec.ValidationError, _replies.UntrueReplyError):
            error = CodeCrashedError()
        if reply is None and (trial := self._trial) is not None:
            trial.end("the run that asked for it has ended")  # else it is waited for
        if reply is None or reply.status != "ok" or error is not None:
            self._editor.roll_back()
        if reply is None or reply.status in ("error", "interrupted") or error is not None:
            self._drop_worker()
        return reply, error

    def values(self) -> dict[str, Json]:
        return dict(self._pycontext.values)

    def cancel(self) -> None:
        if self._lock.acquire(blocking=False):
            self._lock.release()
            return
        self._stop_reason = "it was cancelled"  # also for a run that has not come to its worker yet
        if (worker := self._worker) is not None:
            worker.stop(self._stop_reason)

    @contextmanager
    def _busy(self) -> Generator[None]:
        """Keep other uses waiting. What is cancelled meanwhile is this use, and no later one."""
        with self._lock:
            try:
                yield
            finally:
                self._stop_reason = None

    def close(self) -> None:
        """Give the worker up, then tell the injected objects, last first.

        Raises:
            ExceptionGroup: What `on_destroy` and the container's shutdown raised. All were called.
        """
        worker = self._worker
        if not self._lock.acquire(blocking=False):
            if worker is not None:
                worker.end("its session was closed")
            self._lock.acquire()
        try:
            if self._is_closed:
                return
            self._is_closed = True
            worker, self._worker = self._worker, None
            if worker is not None and self._workers.is_kept:
                self._workers.kept.keep(KeptWorker(self._purpose, worker, self._objects))
            elif worker is not None:
                worker.close()
            found = self._give_back()
        finally:
            self._lock.release()
        if found:
            message = f"Closing the session of {self._source.name!r}"
            raise ExceptionGroup(message, found)

    def _provide_editor(self) -> CodeEditor:
        """Bind a `SelfUpdater`, unless somebody provides one. It edits text here; what it made is tried out there."""
        editor = CodeEditor(self._pycontext, original=self._source.text, try_out=self._try_out)
        if not self._compiler.container().bound(SelfUpdater):
            self._compiler.container().set(SelfUpdater, editor)
        return editor

    def _try_out(self, code: str) -> tuple[str, ...]:
        """What is wrong with an edited source, found in a worker of its own."""
        within = CodeEditor(self._pycontext, original=code, try_out=refuse_trial)
        stand_in = tell_of(self._objects, within, contract=SelfUpdater)
        injected = {
            name: stand_in if entry.number and self._objects.value_of(entry.number) is self._editor else entry
            for name, entry in self._injected.items()
        }
        worker = self._trial = self._fork()
        try:
            found = worker.request("try_out", self._order(injected), code, timeout_s=_OPEN_TIMEOUT_S)
            return tuple(msgspec.convert(found, list[str]))
        except StoppedError as exc:
            return (f"The module and its tests did not end: {exc.reason}.",)
        except (WorkerGoneError, RemoteError, FrameError, msgspec.ValidationError):
            return ("The module or one of its tests ended its process.",)
        finally:
            self._trial = None
            worker.close()

    def _tell_of(self, name: str, entry: Provided) -> InjectedObject:
        try:
            return tell_of(self._objects, entry.value, contract=entry.contract, declared=entry.declared)
        except TypeError as exc:
            raise InjectionError(
                name, entry.contract.__name__, reason=f"cannot be given to confined code: {exc}"
            ) from exc

    def _tell_followers(self, provided: Mapping[str, Provided]) -> None:
        for name, entry in provided.items():
            if not isinstance(entry.value, Injection):
                continue
            try:
                entry.value.on_injection(self, name)
            except Exception as exc:
                reason = f"raised in on_injection: {type(exc).__name__}: {exc}"
                raise InjectionError(name, entry.contract.__name__, reason=reason) from exc
            self._followers.append(entry.value)

    def _give_back(self) -> list[Exception]:
        self._drop_worker()
        found: list[Exception] = []
        while self._followers:
            try:
                self._followers.pop().on_destroy()
            except Exception as exc:  # noqa: BLE001 - the others must be told, too; they are raised together
                found.append(exc)
        try:
            self._compiler.close()
        except Exception as exc:  # noqa: BLE001 - as above
            found.append(exc)
        self._scratch.close()
        return found

    def _ensure_worker(self, *, is_kept: bool = False) -> LiveWorker:
        """The worker, with the module open.

        Args:
            is_kept: It is there, from an earlier session: the module is to be opened.
        """
        if self._is_closed:
            raise ClosedError("session", "open the module again")
        if self._worker is not None and not is_kept:
            return self._worker
        worker = self._worker = self._worker or self._fork()
        worker.on_late_call = partial(stop_bodies, self._bodies)
        try:
            self._open()
        except BaseException as exc:
            self._drop_worker()
            if not is_kept or not isinstance(exc, MossError):
                raise
            return self._ensure_worker()  # nothing may depend on what an earlier session left in it
        return worker

    def _fork(self) -> LiveWorker:
        return LiveWorker(self._workers.fork(self._purpose), self._objects)

    def _open(self) -> None:
        self._pycontext = self._context(self._ask("open", dict[str, Any], self._order()))

    def _order(self, injected: dict[str, InjectedObject] | None = None) -> dict[str, Any]:
        source = self._source
        order = OpenOrder(
            name=source.name,
            filename=source.filename,
            package=source.package,
            text=source.text,
            pycontext=self._pycontext.model_dump(mode="json"),
            injected=injected or self._injected,
            functions=self._functions,
            callbacks=self._objects.held_callbacks(),
            environment=self._workers.grants.env,
            level=self._level,
            max_tokens=self._max_prompt_tokens,
        )
        return cast("dict[str, Any]", msgspec.to_builtins(order))

    def _ask(self, request: str, kind: type[Any], *arguments: object) -> Any:  # noqa: ANN401 - of that kind
        worker = self._ensure_worker()
        try:
            return msgspec.convert(worker.request(request, *arguments, timeout_s=_OPEN_TIMEOUT_S), kind)
        except RemoteError as exc:
            raise self._local_error(exc) from None
        except StoppedError as exc:
            self._drop_worker()
            raise CompileError(self._source.name, f"its process was stopped: {exc.reason}") from None
        except (WorkerGoneError, FrameError, msgspec.ValidationError, _replies.UntrueReplyError) as exc:
            self._drop_worker()
            reason = "its process ended: its body ended it, or needed more memory or processor time than it may have"
            raise CompileError(self._source.name, reason) from exc

    def _local_error(self, error: RemoteError) -> MossError:
        """An error of the worker's, with what can be done about it where something was refused."""
        return _replies.local_error(error, self._source.name, describe=lambda told: self._describe(self._check(told)))

    def _check(self, told: tuple[str, str, str] | None) -> Refusal | None:
        return check_refusal(told, scratch=self._scratch.name)

    def _describe(self, refusal: Refusal | None, *, said: str = "") -> str:
        return self._workers.describe_refusal(refusal, source=self._source, said=said)

    def _keep(self, reply: RunReply) -> RunReply:
        """Take over the values that a run has changed.

        Raises:
            _replies.UntrueReplyError: It, or what the code returned, is not what can be stored.
        """
        _replies.check_data("returns", reply.returns, max_bytes=MAX_VALUE_BYTES)
        if reply.status == "ok":
            values = {name: value for name, value in self._pycontext.values.items() if name not in reply.removed}
            context = self._context({**values, **reply.changed}, changed=reply.changed)
            self._editor.commit()
            self._pycontext = self._editor.save_to(context)
        return reply

    def _context(self, values: Mapping[str, Any], *, changed: Mapping[str, Any] | None = None) -> PyContext:
        """The context with these values, of which those that changed are checked: they come from the worker."""
        new = values if changed is None else changed
        self._sizes = _replies.check_values(
            values, new=new, known=self._pycontext.values, taken=self._injected, sizes=self._sizes
        )
        module = self._pycontext.module or (self._source.name if not self._source.name.startswith("<") else None)
        update = {"values": dict(values), "module": module, "source_hash": self._source.digest}
        return self._pycontext.model_copy(update=update)

    def _drop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
            self._objects.forget_worker()
