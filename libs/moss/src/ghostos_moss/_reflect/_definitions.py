"""Stubs from syntax trees: what a definition says about its use, without how it does it."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from ghostos_moss._reflect._facts import ClassFacts
from ghostos_moss._reflect._index import Definition, FunctionNode, SourceIndex, pair_docs
from ghostos_moss._reflect._stub import Stub
from ghostos_moss._reflect._syntax import (
    class_head,
    decorator_name,
    function_head,
    statement,
    trailing_comment,
)

__all__ = ["StubReader"]

# Decorators that change how a name is used; any other only changes what happens behind it, and is dropped.
_KEPT_ON_FUNCTIONS = frozenset(
    {"asynccontextmanager", "classmethod", "contextmanager", "deprecated", "overload", "staticmethod"}
)
_KEPT_ON_CLASSES = frozenset({"attrs", "dataclass", "define", "deprecated", "frozen", "mutable", "s", "total_ordering"})
_PROPERTIES = frozenset({"abstractproperty", "cached_property", "computed_field", "property"})
_ACCESSORS = frozenset({"deleter", "getter", "setter"})
_VALIDATORS = frozenset(
    {
        "field_serializer", "field_validator", "model_serializer", "model_validator",
        "root_validator", "serializer", "validator",
    }
)  # fmt: skip
# Dunder methods that tell how an object is used, beyond what every object has.
_USED_DUNDERS = frozenset(
    {
        "__abs__", "__add__", "__aenter__", "__aexit__", "__aiter__", "__and__", "__anext__", "__await__", "__bool__",
        "__bytes__", "__call__", "__complex__", "__contains__", "__delitem__", "__divmod__", "__enter__", "__exit__",
        "__float__", "__floordiv__", "__ge__", "__getitem__", "__gt__", "__index__", "__init__", "__int__",
        "__invert__", "__iter__", "__le__", "__len__", "__lshift__", "__lt__", "__matmul__", "__mod__", "__mul__",
        "__neg__", "__next__", "__or__", "__pos__", "__pow__", "__radd__", "__rand__", "__reversed__", "__rmul__",
        "__ror__", "__round__", "__rshift__", "__rsub__", "__rtruediv__", "__rxor__", "__setitem__", "__sub__",
        "__truediv__", "__xor__",
    }
)  # fmt: skip


class StubReader:
    """Reads definitions of one file, and notes which types their signatures name.

    Args:
        index: The file.
    """

    def __init__(self, index: SourceIndex) -> None:
        self._index = index
        self.references: list[ast.expr] = []
        """Annotations and parents of what was read, in the order in which they are shown."""

    def function(self, nodes: list[FunctionNode], *, name: str | None = None) -> list[Stub]:
        """One stub; of an overloaded function, one for each overload.

        Args:
            nodes: The definitions of one name, in source order. Not empty.
            name: Shown instead of the defined one.
        """
        overloads = [node for node in nodes if any(decorator_name(each) == "overload" for each in node.decorator_list)]
        stubs = [self._function(node, name) for node in overloads or nodes[-1:]]
        doc = ast.get_docstring(nodes[-1])
        if overloads and doc and not any(stub.doc for stub in stubs):
            stubs[-1] = replace(stubs[-1], doc=doc)
        return stubs

    def class_(self, node: ast.ClassDef, *, facts: ClassFacts) -> Stub:
        """The stub of a class: its doc, fields, public methods and nested classes, in source order."""
        self.references += node.bases
        decorators = [each for each in node.decorator_list if decorator_name(each) in _KEPT_ON_CLASSES]
        members: list[Stub] = []
        methods: dict[str, list[FunctionNode]] = {}
        shown = [(each, doc) for each, doc in pair_docs(_flatten(node.body)) if not self._index.is_hidden(each)]
        for each, _ in shown:
            if isinstance(each, FunctionNode):
                methods.setdefault(each.name, []).append(each)
        for each, doc in shown:
            match each:
                case ast.Assign() | ast.AnnAssign():
                    members += self._field(each, doc, facts)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in methods:
                    members += self._methods(methods.pop(name))
                case ast.ClassDef(name=name) if not name.startswith("_"):
                    members.append(self.class_(each, facts=facts.nested(name)))
                case _:
                    pass
        return Stub(
            class_head(node, index=self._index),
            is_block=True,
            decorators=tuple(f"@{self._index.segment(each)}" for each in decorators),
            doc=ast.get_docstring(node) or "",
            members=tuple(members),
            source=self._index.block(node),
        )

    def assignment(self, definition: Definition) -> Stub:
        """The stub of a type alias, or of another name whose assignment says what it is."""
        node = definition.node
        text = self._index.segment(node)
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            text = statement(node, index=self._index, with_descriptions=True)
        value = getattr(node, "value", None)
        if isinstance(value, ast.expr):
            self.references.append(value)
        return Stub(text, doc=definition.doc)

    def _function(self, node: FunctionNode, name: str | None) -> Stub:
        arguments = node.args
        for arg in [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]:
            if arg is not None and arg.annotation is not None:
                self.references.append(arg.annotation)
        if node.returns is not None:
            self.references.append(node.returns)
        kept = [each for each in node.decorator_list if decorator_name(each) in _KEPT_ON_FUNCTIONS]
        return Stub(
            function_head(node, index=self._index, name=name),
            is_block=True,
            decorators=tuple(f"@{self._index.segment(each)}" for each in kept),
            doc=ast.get_docstring(node) or "",
            source=self._index.block(node),
        )

    def _methods(self, nodes: list[FunctionNode]) -> list[Stub]:
        """The stubs of one method: none if it is not for callers."""
        node = nodes[0]
        names = [decorator_name(decorator) for each in nodes for decorator in each.decorator_list]
        is_abstract = "abstractmethod" in names
        if node.name.startswith("_") and node.name not in _USED_DUNDERS and not is_abstract:
            return []
        if _PROPERTIES.intersection(names):
            return self._property(nodes, is_writable="setter" in names)
        if _VALIDATORS.intersection(names):
            return [self._validator(nodes[-1])] if ast.get_docstring(nodes[-1]) else []
        stubs = self.function(nodes)
        is_bare = node.name == "__init__" and not stubs[0].doc and len(node.args.args) == 1
        has_more = node.args.vararg or node.args.kwonlyargs or node.args.kwarg
        return [] if is_bare and not has_more else stubs

    def _validator(self, node: FunctionNode) -> Stub:
        """A rule of a model that its doc puts into words, with the decorator that says what it is about."""
        stub = self._function(node, None)
        return replace(stub, decorators=tuple(f"@{self._index.segment(each)}" for each in node.decorator_list))

    def _property(self, nodes: list[FunctionNode], *, is_writable: bool) -> list[Stub]:
        """A property; one that can be written reads as the attribute that it stands for."""
        getter = next(
            (node for node in nodes if not _ACCESSORS.intersection(map(decorator_name, node.decorator_list))), nodes[0]
        )
        stub = self._function(getter, None)
        if not is_writable:
            return [Stub(stub.head, is_block=True, decorators=("@property",), doc=stub.doc)]
        type_text = self._index.segment(getter.returns) if getter.returns is not None else "Any"
        return [Stub(f"{getter.name}: {type_text}", doc=stub.doc)]

    def _field(self, node: ast.Assign | ast.AnnAssign, doc: str, facts: ClassFacts) -> Iterator[Stub]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if not names or all(name.startswith("_") for name in names):
            return
        if isinstance(node, ast.AnnAssign):
            self.references.append(node.annotation)
        elif not facts.is_declared and not _is_literal(node.value):
            return
        text = statement(node, index=self._index, with_descriptions=True)
        bare = statement(node, index=self._index, with_descriptions=False)
        comment = trailing_comment(node, index=self._index)
        if (value := facts.computed_value(names[0], node.value)) is not None:
            bare = f"{bare}  # {value}"
            text = f"{text}  # {value}" if not comment else text
            comment = f"{comment} ({value})" if comment else ""
        above = "".join(f"{line}\n" for line in self._comments_above(node))
        text = f"{above}{text}  {comment}".rstrip()
        yield Stub(text, doc=doc, bare_head=bare if bare != text else "")

    def _comments_above(self, node: ast.stmt) -> list[str]:
        """Comment lines that stand directly above a field and say something about it."""
        lines: list[str] = []
        for line in reversed(self._index.lines[: node.lineno - 1]):
            text = line.strip()
            if not text.startswith("#") or not any(char.isalpha() for char in text):
                break
            lines.insert(0, text)
        return lines


def _flatten(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a class, with the first branch of a condition in place of the condition."""
    for each in body:
        if isinstance(each, (ast.If, ast.Try)):
            yield from _flatten(each.body)
        else:
            yield each


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
