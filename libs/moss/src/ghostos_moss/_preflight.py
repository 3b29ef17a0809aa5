"""Mistakes in code that are certain before it runs. When unsure, it runs.

Attributes of moss that do not exist, and calls that cannot bind to the real signature; undefined names are found in
`_undefined`.
"""

import ast
import inspect
from abc import ABCMeta
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Final, cast

from ghostos_moss._code_facts import CodeFacts, read_facts
from ghostos_moss._moss import Moss
from ghostos_moss._redact import hide_private
from ghostos_moss._snippet import Snippet
from ghostos_moss._stored_names import StoredNames, stored_names
from ghostos_moss._undefined import undefined_names

__all__ = ["check_snippet"]

_UNSURE: Final = object()
_MISSING: Final = object()
_NO_NAMES: Final[Mapping[str, object]] = {}
_Problems = list[tuple[int, str]]


def check_snippet(
    snippet: Snippet,
    *,
    names: Mapping[str, object],
    module_code: CodeType,
    moss: Moss,
    injected: Mapping[str, object],
    targets: frozenset[str],
    shown: Callable[[], Mapping[str, str]] = dict,
) -> tuple[str, ...]:
    """Problems, one line each, in the order of the code; empty when it may run.

    Args:
        snippet: The code.
        names: Of the module that it will run in.
        module_code: Of that module. What its functions assign may be there by the time that the code asks for it.
        moss: Only looked at: no property is computed.
        injected: The injected attributes of moss. Only these are sure to be what they are now when the code runs.
        targets: Functions that are called with moss.
        shown: Names that the prompt shows and the module does not have, with the module that they are from.
    """
    facts = read_facts(snippet.tree, targets=targets, has_lazy_annotations=snippet.has_lazy_annotations)
    if facts.is_dynamic:
        return ()
    stored = _StoredOnce(module_code, names)
    problems = undefined_names(
        snippet, facts, names=names, stored=stored, moss_names=lambda: _public_names(moss), shown=shown
    )
    if names.get("moss") is moss:
        problems += _missing_attributes(facts, moss, stored)
        problems += _calls_on_moss(facts, moss, injected)
    problems += _calls_of_functions(facts, names)
    if not problems:
        return ()
    return tuple(dict.fromkeys(f"line {line}: {problem}" for line, problem in sorted(problems)))


class _StoredOnce:
    """What functions of the module store, looked up when it is first asked for: hardly ever."""

    __slots__ = ("_found", "_module_code", "_names")

    def __init__(self, module_code: CodeType, names: Mapping[str, object]) -> None:
        self._module_code = module_code
        self._names = names
        self._found: StoredNames | None = None

    def __call__(self) -> StoredNames:
        if self._found is None:
            self._found = stored_names(self._module_code, self._names)
        return self._found


def _missing_attributes(facts: CodeFacts, moss: Moss, stored: Callable[[], StoredNames]) -> _Problems:
    problems: _Problems = []
    if facts.moss_escapes:
        return problems
    for name, node in facts.moss_reads:
        if name in facts.assigned_attributes or name in facts.strings:
            continue
        if _look_up(moss, name) is _MISSING and name not in stored().attributes:
            problems.append((_line(node), f"moss.{name} does not exist{_suggest(name, _public_names(moss), 'moss.')}"))
    return problems


def _calls_on_moss(facts: CodeFacts, moss: Moss, injected: Mapping[str, object]) -> _Problems:
    problems: _Problems = []
    for call in facts.calls:
        method = call.func
        if not isinstance(method, ast.Attribute) or method.attr in facts.assigned_attributes:
            continue
        if isinstance(method.value, ast.Name):
            found, shown = _look_up(moss, method.attr), f"moss.{method.attr}"
            owner: object = moss
        elif isinstance(method.value, ast.Attribute) and method.value.attr in injected:
            owner = injected[method.value.attr]
            found, shown = _look_up(owner, method.attr), f"moss.{method.value.attr}.{method.attr}"
        else:
            continue
        if found is _MISSING and owner is not moss and method.attr not in facts.strings:
            suggestion = _suggest(method.attr, _public_names(owner), "")
            problems.append((call.lineno, f"{shown} does not exist{suggestion}"))
        problems += _unbindable(call, found, shown=shown)
    return problems


def _calls_of_functions(facts: CodeFacts, names: Mapping[str, object]) -> _Problems:
    problems: _Problems = []
    for call in facts.calls:
        if isinstance(call.func, ast.Name) and call.func.id not in facts.bound and call.func.id in names:
            problems += _unbindable(call, names[call.func.id], shown=call.func.id)
    return problems


def _unbindable(call: ast.Call, function: object, *, shown: str) -> _Problems:
    if isinstance(function, (FunctionType, MethodType)) and _certainly_fits(call, function):
        return []
    if any(isinstance(entry, ast.Starred) for entry in call.args) or any(entry.arg is None for entry in call.keywords):
        return []
    signature = _signature(function)
    if signature is None:
        return []
    keywords = {cast("str", entry.arg): None for entry in call.keywords}
    try:
        signature.bind(*call.args, **keywords)
    except TypeError as exc:
        hint = ""
        for name in keywords:
            if name not in signature.parameters:
                hint = _suggest(name, frozenset(signature.parameters), "", otherwise="")
        return [(call.lineno, f"{shown} cannot be called like this: {exc}{hint}; it is {shown}{_text(signature)}")]
    return []


def _certainly_fits(call: ast.Call, function: FunctionType | MethodType) -> bool:
    """What most calls are, told without building a signature: a plain function, and positional arguments enough.

    An argument that is unpacked counts as one: such calls are not judged anyway.
    """
    plain, given = (function, len(call.args))
    if isinstance(function, MethodType):
        plain, given = (function.__func__, given + 1)
    if not isinstance(plain, FunctionType) or call.keywords or hasattr(plain, "__signature__"):
        return False
    code = plain.__code__
    required = code.co_argcount - len(plain.__defaults__ or ())
    has_required_keywords = code.co_kwonlyargcount > len(plain.__kwdefaults__ or ())
    return required <= given <= code.co_argcount and not has_required_keywords


def _signature(function: object) -> inspect.Signature | None:
    """The signature that a call certainly meets; None where something may stand between."""
    skip_self = False
    if isinstance(function, type):
        # A class made by plain means: what is called is its own __init__.
        makes_itself = type(function) in (type, ABCMeta) and function.__new__ is object.__new__
        function, skip_self = (function.__init__ if makes_itself else None), True
    plain = function.__func__ if isinstance(function, MethodType) else function
    if not isinstance(plain, FunctionType):
        return None
    target = cast("Callable[..., object]", function)
    try:
        signature = inspect.signature(target, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    return signature.replace(parameters=[*signature.parameters.values()][1:]) if skip_self else signature


def _look_up(owner: object, name: str) -> object:
    """An attribute without computing it: a bound function, `_MISSING` when it is certain to fail, else `_UNSURE`."""
    kind = cast("type", type(owner))
    if kind.__getattribute__ is not object.__getattribute__:
        return _UNSURE
    own = cast("Mapping[str, object]", getattr(owner, "__dict__", _NO_NAMES))
    if name in own:
        return own[name] if isinstance(own[name], (FunctionType, MethodType)) else _UNSURE
    found: object = _MISSING
    for cls in kind.__mro__:
        if name in cls.__dict__:
            found = cls.__dict__[name]
            break
    if isinstance(found, FunctionType):
        return MethodType(found, owner)
    if isinstance(found, (classmethod, staticmethod)):
        inner = cast("object", found.__func__)
        return partial(MethodType, inner, kind)() if isinstance(found, classmethod) else inner  # pyright: ignore[reportArgumentType]
    if found is _MISSING and (hasattr(kind, "__getattr__") or _may_set(kind, name)):
        return _UNSURE
    return found if found is _MISSING else _UNSURE


def _may_set(kind: type, name: str) -> bool:
    """Whether a method of the class speaks of that attribute: it may give it to its object later."""
    functions = (value for cls in kind.__mro__ for value in vars(cls).values() if isinstance(value, FunctionType))
    return any(name in function.__code__.co_names for function in functions)


def _public_names(owner: object) -> frozenset[str]:
    own = cast("dict[str, object]", getattr(owner, "__dict__", {}))
    names = {name for cls in type(owner).__mro__ for name in vars(cls)} | set(own)
    return frozenset(name for name in names if not name.startswith("_"))


def _suggest(name: str, known: frozenset[str], prefix: str, *, otherwise: str | None = None) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    if close:
        return f": did you mean {prefix}{close[0]}?"
    if otherwise is not None:
        return otherwise
    return f": there is {', '.join(prefix + entry for entry in sorted(known))}" if known else ""


def _text(signature: inspect.Signature) -> str:
    return hide_private(str(signature))


def _line(node: ast.AST) -> int:
    return cast("int", getattr(node, "lineno", 1))
