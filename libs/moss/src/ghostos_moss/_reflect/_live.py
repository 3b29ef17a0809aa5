"""Stubs of live objects that no source describes: functions of C extensions, classes made at run time, values.

Nothing of an object's own code is called for text, and no address ever gets into it: the same object reads the same
in every process.
"""

import enum
import inspect
import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import cast

from ghostos_moss._reflect._stub import Stub

__all__ = ["class_stub", "constant_stub", "function_stub", "type_text", "value_text"]

_MAX_VALUE_CHARS = 120
_MAX_DEPTH = 4
_MODULE_PREFIX = re.compile(r"\b(?:[^\W\d]\w*\.)+(?=[^\W\d])")
_CONTAINERS: Mapping[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}")}


def function_stub(name: str, function: Callable[..., object]) -> Stub:
    """The stub of anything callable, with its live signature where it has one."""
    prefix = "async def" if inspect.iscoroutinefunction(function) else "def"
    return Stub(f"{prefix} {name}{_signature_text(function)}", is_block=True, doc=_doc(function))


def class_stub(name: str, cls: type) -> Stub:
    """The stub of a class: fields, enum members and public methods of its own, in the order of their definition."""
    parents = [type_text(parent) for parent in cls.__bases__ if parent is not object]
    members = [*_fields(cls)]
    members += [stub for attribute, value in vars(cls).items() for stub in _member(attribute, value)]
    head = f"class {name}" + (f"({', '.join(parents)})" if parents else "")
    return Stub(head, is_block=True, doc=_doc(cls), members=tuple(members))


def constant_stub(name: str, value: object, *, annotation: str | None = None, doc: str = "") -> Stub:
    """`name: type = value`; without the value when it is long, may change, or has no literal form."""
    text = value_text(value)
    head = f"{name}: {annotation or type_text(type(value))}"
    return Stub(head if text is None else f"{head} = {text}", doc=doc)


def value_text(value: object, *, depth: int = 0) -> str | None:
    """A short literal for plain data; None for anything else. Sets are sorted."""
    if value is None or value is ... or type(value) in (bool, int, float, complex, str, bytes):
        if isinstance(value, (str, bytes)) and len(value) > _MAX_VALUE_CHARS:
            return None
        if isinstance(value, int) and value.bit_length() > 4 * _MAX_VALUE_CHARS:
            return None
        text = repr(value)
    elif isinstance(value, enum.Enum):
        names = (value.name or "").split("|") if isinstance(value, enum.Flag) else [value.name]
        text = " | ".join(f"{type(value).__name__}.{name}" for name in names if name) or None
    elif type(value) in (list, tuple, set, frozenset, dict) and depth < _MAX_DEPTH:
        text = _container_text(cast("Collection[object]", value), depth)
    else:
        return None
    return text if text is not None and len(text) <= _MAX_VALUE_CHARS else None


def type_text(annotation: object) -> str:
    """A type as an annotation: its name, or the form of `typing` without module prefixes."""
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation.__qualname__.rpartition("<locals>.")[2]
    text = _MODULE_PREFIX.sub("", repr(annotation)).replace("NoneType", "None")
    return "Any" if "<" in text or " at 0x" in text else text.replace("~", "")


def _signature_text(function: Callable[..., object]) -> str:
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return "(*args, **kwargs)"
    parameters: list[str] = []
    kind = None
    for parameter in signature.parameters.values():
        if kind is inspect.Parameter.POSITIONAL_ONLY and parameter.kind is not kind:
            parameters.append("/")
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and kind not in (
            inspect.Parameter.VAR_POSITIONAL,
            inspect.Parameter.KEYWORD_ONLY,
        ):
            parameters.append("*")
        kind = parameter.kind
        parameters.append(_parameter_text(parameter))
    if kind is inspect.Parameter.POSITIONAL_ONLY:
        parameters.append("/")
    result = signature.return_annotation
    returns = "" if result is inspect.Signature.empty else f" -> {type_text(result)}"
    return f"({', '.join(parameters)}){returns}"


def _parameter_text(parameter: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = stars + parameter.name
    if has_type := parameter.annotation is not inspect.Parameter.empty:
        text += f": {type_text(parameter.annotation)}"
    if parameter.default is inspect.Parameter.empty:
        return text
    default = value_text(parameter.default) or "..."
    return f"{text} = {default}" if has_type else f"{text}={default}"


def _fields(cls: type) -> Iterator[Stub]:
    """Annotated attributes, and what pydantic knows about the fields of a model made at run time."""
    if isinstance(cls, enum.EnumMeta):
        for member in cast("Mapping[str, enum.Enum]", cls.__members__).values():
            yield Stub(f"{member.name} = {value_text(member.value) or '...'}")
        return
    models: Mapping[str, object] = vars(cls).get("__pydantic_fields__", {})
    for name, annotation in inspect.get_annotations(cls).items():
        if name.startswith("_"):
            continue
        head = f"{name}: {type_text(annotation)}"
        default = getattr(models[name], "default", ...) if name in models else vars(cls).get(name, ...)
        text = "" if default is ... or "Undefined" in type(default).__name__ else value_text(default) or "..."
        yield Stub(f"{head} = {text}" if text else head)


def _member(name: str, value: object) -> Iterator[Stub]:
    if name.startswith("_") and name not in ("__init__", "__call__"):
        return
    if isinstance(value, (staticmethod, classmethod)):
        kind = "staticmethod" if isinstance(value, staticmethod) else "classmethod"
        stub = function_stub(name, cast("Callable[..., object]", value.__func__))
        yield Stub(stub.head, is_block=True, decorators=(f"@{kind}",), doc=stub.doc)
    elif isinstance(value, property):
        yield Stub(f"def {name}(self)", is_block=True, decorators=("@property",), doc=_doc(value))
    elif inspect.isroutine(value) and not isinstance(value, types.WrapperDescriptorType):
        yield function_stub(name, value)


def _container_text(value: Collection[object], depth: int) -> str | None:
    if len(value) > _MAX_VALUE_CHARS:
        return None
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value).items()
        pairs = [(value_text(key), value_text(each, depth=depth + 1)) for key, each in entries]
        if any(key is None or each is None for key, each in pairs):
            return None
        return "{" + ", ".join(f"{key}: {each}" for key, each in pairs) + "}"
    parts = [value_text(each, depth=depth + 1) for each in value]
    if any(part is None for part in parts):
        return None
    texts = cast("list[str]", parts)
    if isinstance(value, frozenset):
        return f"frozenset({{{', '.join(sorted(texts))}}})" if texts else "frozenset()"
    if isinstance(value, set):
        return "{" + ", ".join(sorted(texts)) + "}" if texts else "set()"
    opened, closed = _CONTAINERS[type(value)]
    tail = "," if isinstance(value, tuple) and len(texts) == 1 else ""
    return f"{opened}{', '.join(texts)}{tail}{closed}"


def _doc(value: object) -> str:
    """The docstring of the object itself; not the one that it has from its class or its parent."""
    doc = getattr(value, "__doc__", None)
    if not isinstance(doc, str) or (not isinstance(value, type) and doc == type(value).__doc__):
        return ""
    return inspect.cleandoc(doc)
