"""What a worker does once it is confined: it opens one module, and answers the host about it."""

import builtins
import inspect
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import astuple
from functools import partial
from types import ModuleType
from typing import Any, Final, cast

import msgspec

from ghostos_common.codec import Namespace
from ghostos_moss._compiler import MossCompiler
from ghostos_moss._executor import Refusal
from ghostos_moss._module_tests import with_tests
from ghostos_moss._moss_class import declared_types, find_moss_type, is_union
from ghostos_moss._net_hosts import HostRefusedError
from ghostos_moss._off import OffSession
from ghostos_moss._process._agreement import check_agreement
from ghostos_moss._process._contracts import is_contract
from ghostos_moss._process._frames import FrameSocket
from ghostos_moss._process._host_functions import calling_host
from ghostos_moss._process._line_watch import LineWatch
from ghostos_moss._process._link import Link
from ghostos_moss._process._orders import STOP_SIGNAL, InjectedObject, OpenOrder, RunReply, ToldMember
from ghostos_moss._process._proxies import Proxies
from ghostos_moss._process._refusals import RefusalWatch
from ghostos_moss._process._streams import WorkerStreams
from ghostos_moss._process._surface import Member
from ghostos_moss._process._system import clear_environment
from ghostos_moss._process._thread_states import get_thread_state, has_others
from ghostos_moss._pycontext import PyContext
from ghostos_moss._runtime import MossRuntime
from ghostos_moss._source import parse_source
from ghostos_moss._try_out import try_out_here
from ghostos_moss.errors import CodeInterruptedError, CompileError, MossError

__all__ = ["describe_error", "serve"]

_FOR_SERVER: Final = frozenset({"open", "try_out", "prompt", "check", "run", "run_with_lines", "has_threads"})
_THREADS_END_S: Final = 0.2
_THREADS_LOOK_S: Final = 0.002
_MAX_TEXT: Final = 4000
_MAX_NAME: Final = 200
_KINDS: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)


def serve(frames: FrameSocket, streams: WorkerStreams) -> None:
    """Answer the host until it is gone."""
    _Worker(frames, streams).link.serve()


def describe_error(error: BaseException) -> tuple[str, str, dict[str, Any]]:
    """What the other side is told of an exception: its class's name, its text, and the facts of one of ours."""
    if isinstance(error, _RefusedError) and error.__cause__ is not None:
        kind, text, facts = describe_error(error.__cause__)
        return kind, text, {**facts, "refused": list(astuple(error.refusal))}
    try:
        text = str(error)[:_MAX_TEXT]
    except Exception as exc:  # noqa: BLE001 - the class may be anybody's
        text = f"(its message cannot be shown: {type(exc).__name__})"
    facts = dict[str, Any]()
    if isinstance(error, MossError):
        facts = {key: value for key, value in vars(error).items() if isinstance(value, (str, int, type(None)))}
        facts["for_model"] = error.describe_for_model()
    elif isinstance(error, HostRefusedError):
        facts = {"host": error.host}
    return type(error).__name__[:_MAX_NAME], text, facts


class _RefusedError(Exception):
    """A module could not be opened for what it was refused; the cause is how it failed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.what)
        self.refusal = refusal


class _Worker:
    def __init__(self, frames: FrameSocket, streams: WorkerStreams) -> None:
        self.link = Link(frames, self._handle, describe_error, for_server=_FOR_SERVER)
        self._proxies = Proxies(self.link)
        self._session: OffSession | None = None
        self._lines = LineWatch(partial(self.link.tell, "line"))
        self._known: Mapping[str, Any] = {}
        self._names: dict[str, object] = {}
        self._watch = RefusalWatch()
        self._streams = streams
        self._folder, self._environment, self._path = os.getcwd(), dict(os.environ), [*sys.path]
        self._finders = [*sys.meta_path], [*sys.path_hooks]
        self._recursion_limit = sys.getrecursionlimit()
        self._builtins = dict(vars(builtins))
        self._umask = os.umask(0)
        os.umask(self._umask)
        signal.signal(STOP_SIGNAL, self._stop)

    def _stop(self, *_: object) -> None:
        """Raise in the code that runs; it is ended by force soon after, if this cannot be done or does not help."""
        if self._session is None:
            return
        if self.link.is_server_talking:
            self.link.when_server_quiet = self._session.cancel_here
        else:
            self._session.cancel_here()

    def _handle(self, request: str, arguments: list[Any]) -> Any:  # noqa: ANN401 - plain data
        match request, arguments:
            case "callback", [int() as number, list()]:
                return self._proxies.call_back(number, arguments[1])
            case "open", [order]:
                return self._open(msgspec.convert(order, OpenOrder))
            case "try_out", [order, str() as code]:
                return self._try_out(msgspec.convert(order, OpenOrder), code)
            case "has_threads", []:
                return self._has_threads()
            case _ if self._session is None:
                message = f"{request}: no module is open"
                raise RuntimeError(message)
            case "prompt", []:
                return self._session.prompt()
            case "check", [str() as code]:
                return self._session.check(code)
            case "run" | "run_with_lines", [*blocks]:
                return self._run(self._session, blocks, tells_lines=request != "run")
            case _:
                message = f"{request} is no request"
                raise RuntimeError(message)

    def _open(self, order: OpenOrder) -> dict[str, Any]:
        if self._session is not None and self._has_threads():  # begun by a callback; the host takes another worker
            raise CompileError(order.name, "threads of an earlier session go on in its process")
        self._forget_session(held=order.callbacks)
        pycontext = PyContext.model_validate(order.pycontext)
        try:
            with self._compiler(order, is_edited=pycontext.code is not None) as compiler:
                self._session = OffSession(compiler.join_context(pycontext).without_capture().compile(None))
        except MossError as exc:
            refusal = self._watch.find(exc, names=self._names)
            if refusal is not None:
                raise _RefusedError(refusal) from exc
            raise
        self._streams.flush()
        self._known = self._session.values()
        return dict(self._known)

    def _has_threads(self) -> bool:
        """Whether threads of the code are left; those that are about to end may."""
        deadline = time.monotonic() + _THREADS_END_S
        while has_others((get_thread_state(), *self._lines.thread_states)):
            if time.monotonic() > deadline:
                return True
            time.sleep(_THREADS_LOOK_S)
        return False

    def _forget_session(self, *, held: list[int]) -> None:
        """Begin as a new worker would, but for what is imported and the functions that the host still holds."""
        session, self._session = self._session, None
        self._proxies.begin_session(held=held)
        if session is not None:
            session.close()
            os.chdir(self._folder)
            os.umask(self._umask)
            clear_environment()
            os.environ.clear()
            os.environ.update(self._environment)
            sys.path[:] = self._path
            sys.meta_path[:], sys.path_hooks[:] = self._finders
            sys.setrecursionlimit(self._recursion_limit)
            for name in vars(builtins).keys() - self._builtins.keys():
                delattr(builtins, name)
            for name, value in self._builtins.items():
                setattr(builtins, name, value)

    def _try_out(self, order: OpenOrder, code: str) -> list[str]:
        """Compile an edited source, with the values of now, and run its tests, with those that it begins with."""
        pycontext = PyContext.model_validate(order.pycontext)

        def open_trial(code: str, *, for_tests: bool) -> MossRuntime:
            with self._compiler(order, is_edited=True) as compiler:
                source = parse_source(code, name=order.name, filename="<moss>", package=order.package)
                compiler.with_source(source)
                if for_tests:
                    compiler.with_code(with_tests(source))
                else:
                    compiler.join_context(PyContext(module=pycontext.module, values=pycontext.values))
                return compiler.compile(None)

        return list(try_out_here(code, open_trial=open_trial))

    def _compiler(self, order: OpenOrder, *, is_edited: bool) -> MossCompiler:
        os.environ.update(order.environment)

        def prepare(module: ModuleType, compiler: MossCompiler) -> None:
            self._names = vars(module)
            declared, _ = declared_types(find_moss_type(module, name=order.name))
            digest = "" if is_edited else source.digest
            compiler.injects(**self._stand_ins(module, order.injected, declared=declared, digest=digest))
            if order.functions is not None:
                self._put_functions(module, order.functions)

        source = parse_source(order.text, name=order.name, filename=order.filename, package=order.package)
        compiler = MossCompiler().with_source(source).prepare_with(prepare)
        return compiler.with_prompt(level=order.level, max_tokens=order.max_tokens)

    def _stand_ins(
        self, module: ModuleType, injected: Mapping[str, InjectedObject], *, declared: Mapping[str, Any], digest: str
    ) -> dict[str, object]:
        """The injected attributes: of the class that this side's `Moss` declares, or as the host describes them.

        Args:
            module: Executed.
            injected: By attribute.
            declared: Types by attribute.
            digest: Of the module's source; "" where that is not the file's.

        Raises:
            InjectionError: A class is not what the host has for it.
        """
        made: dict[str, object] = {}
        for attribute, entry in injected.items():
            contract = _contract_of(declared.get(attribute))
            if entry.value is not None:
                seen = vars(sys.modules.get(getattr(contract, "__module__", ""), builtins))
                namespace = Namespace({**seen, **vars(module)})
                made[attribute] = self._proxies.value(entry.value, namespace=namespace, name=f"moss.{attribute}")
            elif contract is not None and is_contract(contract):
                is_same = digest == entry.digest != "" and contract.__module__ == module.__name__
                if entry.agreed is not None and not is_same:
                    check_agreement(attribute, contract, entry.agreed)
                made[attribute] = self._proxies.stand_in(entry.number, contract)
            else:
                members = {name: _member(told) for name, told in entry.members.items()}
                made[attribute] = self._proxies.stand_in_as_told(entry.number, name=entry.name, members=members)
        return made

    def _put_functions(self, module: ModuleType, functions: InjectedObject) -> None:
        """Have the functions that are marked run on the host."""
        members = {name: _member(told) for name, told in functions.members.items()}
        host = self._proxies.stand_in_as_told(functions.number, name=functions.name, members=members, module=module)
        names = vars(module)
        for name in functions.members:
            if callable(names.get(name)):
                names[name] = calling_host(getattr(host, name), like=names[name], names=names)

    def _run(self, session: OffSession, blocks: list[str], *, tells_lines: bool) -> dict[str, Any]:
        self._streams.restore()
        self._watch.forget()
        self.link.when_server_quiet = None
        with self._lines.watch(session.find_line) if tells_lines else nullcontext():
            result = session.run(*blocks)
        self._proxies.send_released()
        error, failure = session.error, None
        if result.status == "ok":  # code that catches an error to show it leaves it there, as Python's own prompt does
            failure = cast("BaseException | None", getattr(sys, "last_value", None))
        elif error and result.status == "error":
            failure = error.__cause__
        refusal = self._watch.find(failure, names=self._names)
        self._streams.flush()
        values = result.pycontext.values
        reply = RunReply(
            status=result.status,
            returns=result.returns,
            returns_text=result.returns_text,
            error=result.error,
            notes=list(result.notes),
            changed={name: value for name, value in values.items() if self._known.get(name, self) is not value},
            removed=[name for name in self._known if name not in values],
            refused=None if refusal is None else (refusal.kind, refusal.what, refusal.function),
            trace=[*error.trace] if isinstance(error, CodeInterruptedError) else [],
            written=self._watch.take_written(),
            tried_system=self._watch.find_tried_system(),
        )
        self._known = values
        return msgspec.to_builtins(reply)


class _Annotation(str):
    """The text of an annotation; a signature shows it without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _contract_of(annotation: Any) -> type | None:  # noqa: ANN401 - any annotation
    """The class that an attribute is declared to hold: `Ball` of `Ball | None`."""
    parts = annotation.__args__ if is_union(annotation) else (annotation,)
    classes = [part for part in parts if isinstance(part, type) and part is not type(None)]
    return classes[0] if classes else None


def _member(told: ToldMember) -> Member:
    if told.parameters is None:
        return Member(told.kind, doc=told.doc)
    parameters = [
        inspect.Parameter(
            name,
            _KINDS[kind],
            annotation=inspect.Parameter.empty if annotation is None else _Annotation(annotation),
            default=default if has_default else inspect.Parameter.empty,
        )
        for name, kind, annotation, has_default, default in told.parameters
    ]
    returns = inspect.Signature.empty if told.returns is None else _Annotation(told.returns)
    return Member(told.kind, doc=told.doc, told=inspect.Signature(parameters, return_annotation=returns))
