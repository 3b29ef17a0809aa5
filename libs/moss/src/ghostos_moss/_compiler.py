"""From a module, a context and what is to be injected to a runtime."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import CodeType, ModuleType, TracebackType
from typing import Any, Self, get_args

from ghostos_container import Container, Provider, provide
from ghostos_moss._code_editor import CodeEditor
from ghostos_moss._fresh import FreshModule
from ghostos_moss._hooks import call_hook
from ghostos_moss._module_tests import with_tests
from ghostos_moss._permissions import Permissions
from ghostos_moss._prompter import PromptLevel
from ghostos_moss._pycontext import FORMAT, PyContext
from ghostos_moss._runtime import MossRuntime, PromptOptions
from ghostos_moss._self_updater import SelfUpdater
from ghostos_moss._source import ModuleSource, load_source, parse_source
from ghostos_moss._try_out import try_out_here
from ghostos_moss.errors import ClosedError, CompileError, ContextFormatError, LifecycleError, SourceNotFoundError

__all__ = ["MossCompiler", "new_compiler"]


class MossCompiler:
    """Compiles one module, once. Its methods give it back, so that calls may be chained.

    Args:
        container: Parent of the compiler's own container; never changed, never closed.
    """

    def __init__(self, container: Container | None = None) -> None:
        self._parent = container
        self._container = Container(container, name="moss")
        self._pycontext = PyContext()
        self._source: ModuleSource | None = None
        self._code: CodeType | None = None
        self._locals: dict[str, object] = {}
        self._injections: dict[str, object] = {}
        self._prompt = PromptOptions()
        self._captures_output = True
        self._prepare: Callable[[ModuleType, MossCompiler], object] | None = None
        self._is_used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def container(self) -> Container:
        """The container of this compiler, a child; the runtime takes it over."""
        return self._container

    def pycontext(self) -> PyContext:
        """The context to compile with."""
        return self._pycontext

    def join_context(self, pycontext: PyContext) -> Self:
        """Start from a context: its module or code, and its values. It is not modified.

        Raises:
            ContextFormatError: It is of a newer format than this version knows.
        """
        if pycontext.format > FORMAT:
            raise ContextFormatError(pycontext.format, known=FORMAT)
        self._pycontext = pycontext.model_copy()
        return self

    def with_source(self, source: ModuleSource) -> Self:
        """Compile this source: a file's, say, that no `import` finds. Code of the context runs in its place."""
        self._source = source
        return self

    def with_code(self, code: CodeType) -> Self:
        """Execute a variant of the source's code, such as one with its tests. Code of the context wins over it."""
        self._code = code
        return self

    def with_locals(self, **values: object) -> Self:
        """Bind names in the module before its own code runs. Code sees them, the prompt does not show them."""
        reserved = sorted({"moss", "Moss"} & values.keys())
        if reserved:
            message = f"{reserved[0]!r} is bound by the compiler: choose another name, or use injects(...)"
            raise ValueError(message)
        self._locals.update(values)
        return self

    def bind(self, contract: Any, value: object) -> Self:  # noqa: ANN401 - any hashable is a contract
        """Bind a value in the compiler's container."""
        self._container.bind(contract, value)
        return self

    def register(self, *providers: Provider[Any]) -> Self:
        """Register providers in the compiler's container."""
        self._container.register(*providers)
        return self

    def injects(self, **values: object) -> Self:
        """Inject attributes of moss by name. They may be unknown to its class."""
        self._injections.update(values)
        return self

    def with_prompt(self, *, level: PromptLevel = "full", max_tokens: int | None = 4000) -> Self:
        """Choose how much of imported names the prompt shows.

        Args:
            level: What is shown of each.
            max_tokens: Budget of the whole prompt, counted approximately; None for no limit.

        Raises:
            ValueError: There is no such level.
        """
        if level not in get_args(PromptLevel):
            message = f"There is no prompt level {level!r}: there is {', '.join(get_args(PromptLevel))}"
            raise ValueError(message)
        self._prompt = PromptOptions(level, max_tokens)
        return self

    def without_capture(self) -> Self:
        """Let what code prints go where the process writes, for a process whose output is captured from outside."""
        self._captures_output = False
        return self

    def prepare_with(self, prepare: "Callable[[ModuleType, MossCompiler], object]") -> Self:
        """Call this with the executed module in the place of its `__moss_compile__`, which was called elsewhere."""
        self._prepare = prepare
        return self

    def injections(self) -> dict[str, object]:
        """What `injects` was given so far, by attribute."""
        return dict(self._injections)

    def compile(self, modulename: str | None) -> MossRuntime:
        """Execute the module afresh and fill its `Moss`.

        Args:
            modulename: None: what `with_source` or the context names, or an empty module. A name: with a context or
                source, the `__name__` of the live module, if no module has it; without one, the module to compile, also
                by the path of its `.py` file.

        Raises:
            SourceError: There is no source, or it does not parse.
            CompileError: The module's body raised, or its `Moss` is not one.
            InjectionError: An attribute of `Moss` got no value.
            LifecycleError: A lifecycle function raised.
            ClosedError: This compiler has compiled before.
        """
        if self._is_used:
            raise ClosedError("compiler", "it has compiled: make a new one for each compile")
        self._is_used = True
        if self._prepare is None and not self._container.bound(Permissions):
            self._container.set(Permissions, Permissions(everything=True))  # nothing is kept from code in this process
        try:
            original, source, name = self._find_source(modulename)
            fresh = FreshModule(source, name=name)
            return self._compile(fresh, original=original)
        except BaseException:
            self._container.shutdown()
            raise

    def close(self) -> None:
        """Close the container of a compiler that did not compile. Harmless twice, and after a compile."""
        if not self._is_used:
            self._is_used = True
            self._container.shutdown()

    def _compile(self, fresh: FreshModule, *, original: ModuleSource | None) -> MossRuntime:
        trials = self._prepare_trials(original)
        try:
            fresh.execute(self._locals, code=self._code if self._pycontext.code is None else None)
            self._run_hook(fresh)
            vars(fresh.module).update(self._locals)
            return MossRuntime(
                fresh,
                container=self._container,
                pycontext=self._context_of(fresh.source),
                injections=self._injections,
                prompt=self._prompt,
                captures_output=self._captures_output,
                editor=self._provide_editor(trials),
            )
        except BaseException:
            fresh.close()
            raise

    def _run_hook(self, fresh: FreshModule) -> None:
        if self._prepare is not None:
            self._prepare(fresh.module, self)
            return
        answer = call_hook(fresh.module, "__moss_compile__", self)
        if answer is not None and answer is not self:
            reason = f"it returned {type(answer).__name__}: return the compiler that it was given, or None"
            raise LifecycleError("__moss_compile__", reason)

    def _prepare_trials(self, original: ModuleSource | None) -> "_Trials":
        """What a trial starts from: what the compiler was told, before the module itself adds to it."""
        given = self._container.contracts(recursively=False)
        return _Trials(self._parent, self._container, given, self._locals, self._injections, self._pycontext, original)

    def _provide_editor(self, trials: "_Trials") -> CodeEditor | None:
        """Bind a `SelfUpdater` for the module, unless somebody provides one, here or on another side."""
        if self._prepare is not None or self._container.bound(SelfUpdater):
            return None
        original = trials.original.text if trials.original is not None else None
        editor = CodeEditor(self._pycontext, original=original, try_out=partial(try_out_here, open_trial=trials.open))
        self._container.set(SelfUpdater, editor)
        return editor

    def _context_of(self, source: ModuleSource) -> PyContext:
        module = self._pycontext.module or (source.name if not source.name.startswith("<") else None)
        return self._pycontext.model_copy(update={"module": module, "source_hash": source.digest})

    def _find_source(self, modulename: str | None) -> tuple[ModuleSource | None, ModuleSource, str | None]:
        """The module's own source, the one to execute, and the exact name that is asked for."""
        context = self._pycontext
        if self._source is None and context.module is None and context.code is None:
            source = load_source(modulename) if modulename is not None else parse_source("")
            return source, source, None
        original = self._source
        if original is None and context.module is not None:
            original = _original(context.module, is_needed=context.code is None)
        if context.code is None:
            if original is None:
                raise CompileError("<moss>", "its context names neither a module nor code")
            return original, original, modulename
        return original, _edited(context.code, original=original, module=context.module), modulename


@dataclass(frozen=True, slots=True)
class _Trials:
    """Compiles edited sources of one module, beside its runtime."""

    parent: Container | None
    own: Container
    """The compiler's: the module's hook has bound things there, which a trial does not see."""
    given: Iterable[Hashable]
    """What had been bound there before."""
    local_names: Mapping[str, object]
    injections: Mapping[str, object]
    pycontext: PyContext
    original: ModuleSource | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "local_names", dict(self.local_names))
        object.__setattr__(self, "injections", dict(self.injections))

    def open(self, code: str, *, for_tests: bool) -> MossRuntime:
        """Compile a source; see `OpenTrial`."""
        context = self.pycontext
        source = _edited(code, original=self.original, module=context.module)
        compiler = MossCompiler(self.parent).with_source(source)
        compiler.with_locals(**self.local_names).injects(**self.injections)
        for contract in self.given:
            compiler.register(provide(contract, singleton=False)(partial(_get_from, self.own, contract)))
        compiler.bind(SelfUpdater, CodeEditor(context, original=code, try_out=_refuse_trial))
        if for_tests:
            compiler.with_code(with_tests(source))
        else:
            compiler.join_context(PyContext(module=context.module, values=context.values))
        return compiler.compile(None)


def new_compiler(container: Container | None = None) -> MossCompiler:
    """A compiler with a container of its own, below this one if it is given."""
    return MossCompiler(container)


def _original(module: str, *, is_needed: bool) -> ModuleSource | None:
    """The source of the context's module; code in its place may outlive its file."""
    try:
        return load_source(module)
    except SourceNotFoundError:
        if is_needed:
            raise
        return None


def _edited(code: str, *, original: ModuleSource | None, module: str | None) -> ModuleSource:
    """Code in the place of a module's own source."""
    name = original.name if original is not None else module or "<moss>"
    edited = parse_source(code, name=name, package=original.package if original is not None else None)
    return replace(edited, filename=original.filename) if original is not None else edited


def _get_from(container: Container, contract: Hashable, _asking: Container) -> object:
    return container.get(contract)


def _refuse_trial(_code: str) -> tuple[str, ...]:
    return ("the module is being tried out: what runs then cannot edit it",)
