"""One imported name, one piece of prompt."""

import ast
import functools
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import cast

from ghostos_common.prompter import find_prompt
from ghostos_moss._reflect._definitions import StubReader
from ghostos_moss._reflect._facts import read_facts
from ghostos_moss._reflect._index import Definition, FunctionNode, SourceIndex
from ghostos_moss._reflect._live import class_stub, constant_stub, function_stub, type_text
from ghostos_moss._reflect._lookup import definition_of_class, definition_of_function, find_definition
from ghostos_moss._reflect._policy import is_known, is_secret_name, is_told, module_of
from ghostos_moss._reflect._stub import PromptLevel, Stub, render_stub
from ghostos_moss._reflect._syntax import expression
from ghostos_moss._tokens import count_tokens
from ghostos_moss.errors import LifecycleError, MossError

__all__ = ["Found", "Piece", "make_piece"]

_MAX_LITERAL_CHARS = 120
_MAX_ALIAS_CHARS = 600
_ANY_ARGUMENTS = "(*args, **kwargs)"
_ALIAS_KINDS = frozenset({"NewType", "ParamSpec", "TypeAliasType", "TypeVar", "TypeVarTuple"})


@dataclass(frozen=True, slots=True)
class Piece:
    """What a prompt says about one name; holds no live object."""

    name: str
    """As the module sees it; of a type that is only reached, its own."""
    module: str
    """Where it comes from; empty when the text says so itself."""
    heading: str = ""
    """The comment above it and its neighbours from the same place."""
    stubs: tuple[Stub, ...] = ()
    note: str = ""
    """A last line, such as `B = A`."""
    custom: str | None = None
    """Text by the author of the class or object, in place of stubs."""
    _texts: dict[PromptLevel, str] = field(default_factory=dict["PromptLevel", str], compare=False, repr=False)
    _tokens: dict[PromptLevel, int] = field(default_factory=dict["PromptLevel", int], compare=False, repr=False)

    def text(self, level: PromptLevel) -> str:
        """Valid Python, except where a custom text is not."""
        if self.custom is not None:
            return self.custom
        text = self._texts.get(level)
        if text is None:
            lines = [render_stub(stub, level=level) for stub in self.stubs]
            text = self._texts[level] = "\n".join([*lines, self.note] if self.note else lines)
        return text

    def count_tokens(self, level: PromptLevel) -> int:
        """The approximate length of that text and the line break after it."""
        tokens = self._tokens.get(level)
        if tokens is None:
            tokens = self._tokens[level] = count_tokens(f"{self.text(level)}\n")
        return tokens


@dataclass(frozen=True, slots=True)
class Found:
    """A piece and what led to it: where its annotations are, and which types they name."""

    piece: Piece
    index: SourceIndex | None = None
    scope: str = ""
    references: tuple[ast.expr, ...] = ()
    value_type: type | None = None
    """The class of an instance: worth showing after it."""
    home: str = ""
    """The module that defines it."""
    identity: tuple[str, str] | None = None
    """Of a class or function that is described by its definition: module and qualified name."""


def make_piece(name: str, value: object, *, module: str, attribute: str | None) -> Found | None:
    """Describe one name, or None if nothing need be said.

    Whatever is odd about an object ends in a plainer description of it, never in an exception.

    Args:
        name: The local name.
        value: What it is bound to now.
        module: The module that it is imported from.
        attribute: Its name there; None when it is that module.

    Raises:
        LifecycleError: The object's own `__class_prompt__` or `__prompt__` raised.
        HiddenRegionError: The marks in the file that defines it do not pair up.
    """
    try:
        found = _make_piece(name, value, module, attribute)
        return None if found is None else replace(found, home=module_of(value), identity=_identity(found, value))
    except MossError:
        raise
    except Exception:  # noqa: BLE001 - objects of others may raise anything when looked at
        return Found(_piece(name, module, stubs=(Stub(f"{name}: {type(value).__name__}"),)))


def _identity(found: Found, value: object) -> tuple[str, str] | None:
    if found.piece.custom is None and (isinstance(value, type) or inspect.isfunction(value)):
        return value.__module__, value.__qualname__
    return None


def _make_piece(name: str, value: object, module: str, attribute: str | None) -> Found | None:
    if isinstance(value, ModuleType):
        return None if is_known(value.__name__) else Found(_module_piece(name, value, module, attribute))
    if is_known(module) and not is_told(value):
        return None
    if (custom := _custom_text(value)) is not None:
        return Found(_piece(name, module, custom=custom.strip())) if custom.strip() else None
    attribute = attribute or name
    if isinstance(value, type) and not isinstance(value, types.GenericAlias):
        return _class(name, value, module, attribute)
    if (
        inspect.isroutine(value)
        or isinstance(value, functools.partial)
        or (callable(value) and hasattr(value, "__wrapped__"))
    ):
        return _function(name, cast("Callable[..., object]", value), module, attribute)
    return _value(name, value, module, attribute)


def _piece(name: str, module: str, *, stubs: tuple[Stub, ...] = (), note: str = "", custom: str | None = None) -> Piece:
    return Piece(name, module, heading=f"# from {module}", stubs=stubs, note=note, custom=custom)


def _module_piece(name: str, value: ModuleType, module: str, attribute: str | None) -> Piece:
    if attribute is not None:
        line = f"from {module} import {attribute}" + (f" as {name}" if name != attribute else "")
    elif name == module.partition(".")[0]:
        line = f"import {module}"
    else:
        line = f"import {module} as {name}"
    described = value if attribute is not None else sys.modules.get(module, value)
    summary = (described.__doc__ or "").strip().partition("\n")[0].strip()
    head = f"{line}  # {summary}" if summary else line
    return Piece(name, "", stubs=(Stub(head, bare_head=line if summary else ""),))


def _custom_text(value: object) -> str | None:
    """What a class or an object says about itself, if it does."""
    try:
        return find_prompt(value)
    except Exception as exc:
        owner = value.__name__ if isinstance(value, type) else type(value).__name__
        hook = "__class_prompt__" if isinstance(value, type) else "__prompt__"
        raise LifecycleError(f"{owner}.{hook}", f"it raised {type(exc).__name__}: {exc}") from exc


def _class(name: str, cls: type, module: str, attribute: str) -> Found | None:
    definition = None if is_known(cls.__module__) else definition_of_class(cls)
    if definition is None:
        definition = find_definition(module, attribute)
    if is_known(cls.__module__) and (definition is None or is_known(definition.index.module)):
        return None
    if definition is not None and isinstance(definition.node, ast.ClassDef):
        reader = StubReader(definition.index)
        stub = reader.class_(definition.node, facts=read_facts(cls))
        piece = _piece(name, module, stubs=(stub,), note=_alias_note(name, definition.name))
        return Found(piece, definition.index, cls.__qualname__, tuple(reader.references))
    if definition is not None:
        return _alias(name, definition, module) or Found(_piece(name, module, stubs=(class_stub(name, cls),)))
    return Found(_piece(name, module, stubs=(class_stub(name, cls),)))


def _function(name: str, function: Callable[..., object], module: str, attribute: str) -> Found | None:
    if isinstance(function, functools.partial):
        partial = cast("functools.partial[object]", function)
        doc = function_stub(name, partial.func).doc
        return Found(_piece(name, module, stubs=(_live_function(name, partial, doc=doc),)))
    if is_known(module_of(function)):
        return None
    qualname = str(getattr(function, "__qualname__", ""))
    is_of_class = isinstance(function, types.MethodType) or "." in qualname.rpartition("<locals>.")[2]
    definitions = [] if is_of_class else definition_of_function(function)
    decorated = None if is_of_class or definitions else find_definition(module, attribute)
    if decorated is not None and isinstance(decorated.node, FunctionNode):
        live = _live_function(name, function, doc=ast.get_docstring(decorated.node) or "")
        if not live.head.endswith(_ANY_ARGUMENTS):  # a decorator gave it another signature
            return Found(_piece(name, module, stubs=(live,)))
        definitions = [decorated]
    if not definitions:
        return Found(_piece(name, module, stubs=(function_stub(name, function),)))
    reader = StubReader(definitions[0].index)
    stubs = reader.function([cast("FunctionNode", each.node) for each in definitions])
    piece = _piece(name, module, stubs=tuple(stubs), note=_alias_note(name, definitions[-1].name))
    return Found(piece, definitions[0].index, references=tuple(reader.references))


def _live_function(name: str, function: Callable[..., object], *, doc: str) -> Stub:
    """The live signature under another doc than the object's own."""
    live = function_stub(name, function)
    return replace(live, doc=doc or live.doc)


def _value(name: str, value: object, module: str, attribute: str) -> Found | None:
    definition = find_definition(module, attribute)
    if definition is not None and is_known(definition.index.module):
        return None
    if _is_alias(value) and definition is not None:
        return _alias(name, definition, module)
    if _is_alias(value):
        return Found(_piece(name, module, stubs=(Stub(f"{name} = {type_text(value)}"),)))
    value_type = type(value)
    if definition is None:
        return Found(_piece(name, module, stubs=(constant_stub(name, value),)), value_type=value_type)
    node, index = definition.node, definition.index
    is_annotated = isinstance(node, ast.AnnAssign)
    annotation = expression(node.annotation, index=index) if is_annotated else None
    stub = constant_stub(name, value, annotation=annotation, doc=definition.doc)
    head = f"{name}: {annotation or type_text(value_type)}"
    if is_secret_name(attribute) and isinstance(value, (str, bytes)):
        stub = Stub(head, doc=definition.doc)
    elif (literal := _literal(node, index)) is not None:
        stub = Stub(f"{head} = {literal}", doc=definition.doc)
    elif isinstance(value, (list, dict, set)):  # it may change while it runs
        stub = Stub(head, doc=definition.doc)
    references = (node.annotation,) if is_annotated else ()
    return Found(_piece(name, module, stubs=(stub,)), index, references=references, value_type=value_type)


def _alias(name: str, definition: Definition, module: str) -> Found | None:
    """A name whose assignment says what it is: a type alias, a NewType, a functional enum."""
    reader = StubReader(definition.index)
    stub = reader.assignment(definition)
    if len(stub.head) > _MAX_ALIAS_CHARS:
        return None
    piece = _piece(name, module, stubs=(stub,), note=_alias_note(name, definition.name))
    return Found(piece, definition.index, references=tuple(reader.references))


def _is_alias(value: object) -> bool:
    """Whether an object is a form of `typing`: it stands for types and is no value to work with."""
    kind = type(value)
    if kind.__name__ in _ALIAS_KINDS or isinstance(value, (types.GenericAlias, types.UnionType)):
        return True
    return kind.__module__ in ("typing", "typing_extensions")


def _literal(node: ast.stmt, index: SourceIndex) -> str | None:
    """The author's text of a short literal."""
    value = getattr(node, "value", None)
    if not isinstance(value, ast.expr):
        return None
    text = expression(value, index=index)
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError):
        return None
    return text if len(text) <= _MAX_LITERAL_CHARS else None


def _alias_note(name: str, defined: str) -> str:
    return f"{name} = {defined}" if name != defined else ""
