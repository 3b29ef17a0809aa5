"""Heads of definitions in the author's own words, each on one line."""

import ast
import re

from ghostos_moss._reflect._index import FunctionNode, SourceIndex
from ghostos_moss._syntax_trees import parse_expression

__all__ = ["class_head", "decorator_name", "expression", "function_head", "statement", "trailing_comment"]

_MAX_DEFAULT_CHARS = 200
_MAX_STATEMENT_CHARS = 800
_BREAK = re.compile(r"\s*\n\s*")
_BREAK_AFTER_OPEN = re.compile(r"(?<=[(\[{])\s*\n\s*")
_BREAK_BEFORE_CLOSE = re.compile(r",?\s*\n\s*(?=[)\]}])")
_PRAGMA = re.compile(r"#\s*(?:noqa|type:|pyright:|pragma:|pylint:|mypy:|ruff:|fmt:|isort:)", re.IGNORECASE)
_DESCRIPTIVE = frozenset({"description", "title", "examples", "example", "doc"})
_FIELD_CALLS = frozenset({"Field", "field", "Query", "Body", "Path", "Param", "Parameter", "Doc", "attrib", "ib"})


def expression(node: ast.expr, *, index: SourceIndex) -> str:
    """The author's text of an expression, on one line."""
    text = index.segment(node)
    if "\n" not in text:
        return text
    joined = _BREAK.sub(" ", _BREAK_BEFORE_CLOSE.sub("", _BREAK_AFTER_OPEN.sub("", text)))
    return joined if _means(joined, node) else ast.unparse(node)


def function_head(node: FunctionNode, *, index: SourceIndex, name: str | None = None) -> str:
    """`async def name(...) -> result`, without the colon."""
    keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    result = f" -> {expression(node.returns, index=index)}" if node.returns is not None else ""
    parameters = ", ".join(_parameters(node.args, index))
    return f"{keyword} {name or node.name}{_type_parameters(node)}({parameters}){result}"


def class_head(node: ast.ClassDef, *, index: SourceIndex) -> str:
    """`class Name(Parent, keyword=...)`, without the colon."""
    parts = [expression(parent, index=index) for parent in node.bases]
    for keyword in node.keywords:
        value = expression(keyword.value, index=index)
        parts.append(f"{keyword.arg}={value}" if keyword.arg else f"**{value}")
    return f"class {node.name}{_type_parameters(node)}" + (f"({', '.join(parts)})" if parts else "")


def decorator_name(node: ast.expr) -> str:
    """The last part of a decorator's name: `setter` of `@price.setter`, `dataclass` of `@dataclasses.dataclass()`."""
    target = node.func if isinstance(node, ast.Call) else node
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def statement(node: ast.Assign | ast.AnnAssign, *, index: SourceIndex, with_descriptions: bool) -> str:
    """The author's text of an assignment; values too long to show become `...`.

    Args:
        node: The assignment.
        index: Of the file that it is in.
        with_descriptions: Keep texts for people: arguments such as `Field(description=...)`.
    """
    if isinstance(node, ast.AnnAssign):
        target = f"{index.segment(node.target)}: {_annotation(node.annotation, index, with_descriptions)}"
    else:
        target = " = ".join(index.segment(part) for part in node.targets)
    if node.value is None:
        return target
    value = _value(node.value, index, with_descriptions)
    return f"{target} = {value if len(value) <= _MAX_STATEMENT_CHARS else '...'}"


def trailing_comment(node: ast.stmt, *, index: SourceIndex) -> str:
    """The comment at the end of a statement's last line, unless it speaks to a tool."""
    rest = index.rest_of_line(node)
    return rest if rest.startswith("#") and not _PRAGMA.match(rest) else ""


def _means(text: str, node: ast.expr) -> bool:
    """Whether a text is still the expression: comments and strings may have been in the way of joining lines."""
    try:
        return ast.dump(parse_expression(text)) == ast.dump(node)
    except SyntaxError:
        return False


def _parameters(arguments: ast.arguments, index: SourceIndex) -> list[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    defaults: list[ast.expr | None] = [*([None] * missing), *arguments.defaults]
    parts = [_parameter(arg, default, index) for arg, default in zip(positional, defaults, strict=True)]
    if arguments.posonlyargs:
        parts.insert(len(arguments.posonlyargs), "/")
    if arguments.vararg is not None:
        parts.append("*" + _parameter(arguments.vararg, None, index))
    elif arguments.kwonlyargs:
        parts.append("*")
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parts.append(_parameter(arg, default, index))
    if arguments.kwarg is not None:
        parts.append("**" + _parameter(arguments.kwarg, None, index))
    return parts


def _parameter(arg: ast.arg, default: ast.expr | None, index: SourceIndex) -> str:
    annotation = f": {expression(arg.annotation, index=index)}" if arg.annotation is not None else ""
    if default is None:
        return arg.arg + annotation
    value = expression(default, index=index)
    value = value if len(value) <= _MAX_DEFAULT_CHARS else "..."
    return f"{arg.arg}{annotation} = {value}" if annotation else f"{arg.arg}={value}"


def _type_parameters(node: FunctionNode | ast.ClassDef) -> str:
    """`[T, *Ts]`; the attribute exists from Python 3.12 on."""
    parameters: list[ast.AST] = getattr(node, "type_params", [])
    return f"[{', '.join(ast.unparse(parameter) for parameter in parameters)}]" if parameters else ""


def _annotation(node: ast.expr, index: SourceIndex, with_descriptions: bool) -> str:  # noqa: FBT001 - private
    """An annotation; `Annotated` may hold a `Field` with a description."""
    if with_descriptions or not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return expression(node, index=index)
    parts = [_value(part, index, with_descriptions) for part in node.slice.elts]
    return f"{index.segment(node.value)}[{', '.join(parts)}]"


def _value(node: ast.expr, index: SourceIndex, with_descriptions: bool) -> str:  # noqa: FBT001 - private
    if with_descriptions or not (isinstance(node, ast.Call) and decorator_name(node) in _FIELD_CALLS):
        return expression(node, index=index)
    parts = [expression(arg, index=index) for arg in node.args]
    for keyword in node.keywords:
        if keyword.arg not in _DESCRIPTIVE:
            value = expression(keyword.value, index=index)
            parts.append(f"{keyword.arg}={value}" if keyword.arg else f"**{value}")
    return f"{index.segment(node.func)}({', '.join(parts)})"
