"""Code to be executed in a module: parsed, compiled, and asked what it defines."""

import __future__

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Final, cast

from ghostos_moss._syntax_trees import compile_tree, parse_tree
from ghostos_moss.errors import CodeRejectedError

__all__ = ["FILENAME_PREFIX", "INTERRUPT_NAME", "Snippet", "parse_snippet"]

FILENAME_PREFIX: Final = "<moss code "
INTERRUPT_NAME: Final = "__moss_interrupt__"
"""The global by which code that catches everything knows the exception that stops it."""

_numbers = itertools.count(1)
_ANNOTATIONS: Final = __future__.annotations.compiler_flag
_HINTS: Final = {
    "'return' outside function": ": statements cannot return; define run(moss) and return there",
    "'yield' outside function": ": print what you want to see",
}


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that parses. `await` may stand at its top level."""

    text: str
    filename: str
    tree: ast.Module
    code: CodeType

    @property
    def has_lazy_annotations(self) -> bool:
        """Whether annotations are not evaluated."""
        return bool(self.code.co_flags & _ANNOTATIONS)

    def defines(self, name: str) -> bool:
        """Whether its top level binds the name: by `def`, or by an assignment."""
        return name in self.code.co_names and any(  # the compiler lists all names there, and mostly this is none
            (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name)
            or (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
            for node in _top_level(self.tree)
        )

    def calls(self, name: str) -> bool:
        """Whether its top level calls the name itself; not under `if __name__ == ...`, which is not taken."""
        return name in self.code.co_names and any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
            for node in _top_level(self.tree)
        )


def parse_snippet(text: str, *, module_code: CodeType) -> Snippet:
    """Compile code as if it stood at the end of a module: it inherits the module's lazy annotations.

    Raises:
        CodeRejectedError: It does not parse.
    """
    filename = f"{FILENAME_PREFIX}{next(_numbers)}>"
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | (module_code.co_flags & _ANNOTATIONS)
    try:
        tree = parse_tree(text, filename)
        runnable = (
            _letting_interrupts_through(text, filename) if "except" in text and _catches_everything(tree) else tree
        )
        code = compile_tree(runnable, filename, flags=flags)
    except SyntaxError as exc:
        raise CodeRejectedError((_describe(exc, text=text),)) from exc
    except (ValueError, RecursionError, MemoryError) as exc:
        reason = str(exc) if isinstance(exc, ValueError) else "it is nested too deeply"
        raise CodeRejectedError((f"the code cannot be parsed: {reason}",)) from exc
    return Snippet(text, filename, tree, code)


class _LetThrough(ast.NodeTransformer):
    """Puts `except <interrupt>: raise` before the handlers of each `try` that would catch an interrupt."""

    def visit_Try(self, node: ast.Try) -> ast.Try:
        self.generic_visit(node)
        first = next((handler for handler in node.handlers if _is_catch_all(handler)), None)
        if first is not None:
            interrupt = ast.Name(id=INTERRUPT_NAME, ctx=ast.Load())
            handler = ast.ExceptHandler(type=interrupt, name=None, body=[ast.Raise(exc=None, cause=None)])
            node.handlers.insert(0, ast.fix_missing_locations(ast.copy_location(handler, first)))
        return node


def _letting_interrupts_through(text: str, filename: str) -> ast.Module:
    """The code so that `while True: try: ... except: ...` can be stopped."""
    return cast("ast.Module", _LetThrough().visit(parse_tree(text, filename)))


def _catches_everything(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ExceptHandler) and _is_catch_all(node) for node in ast.walk(tree))


def _is_catch_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    entries = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(entry is None or (isinstance(entry, ast.Name) and entry.id == "BaseException") for entry in entries)


def _describe(error: SyntaxError, *, text: str) -> str:
    line = error.lineno or 1
    lines = text.splitlines()
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    kind = "" if type(error) is SyntaxError else f"{type(error).__name__}: "
    return f"line {line}: {kind}{error.msg}{_HINTS.get(error.msg, '')}" + (f": {shown}" if shown else "")


def _top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that run when the code runs: bodies of functions, classes and lambdas left out."""
    pending: list[ast.AST] = [*reversed(tree.body)]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If) and _asks_name(node.test):
            pending.extend(reversed(node.orelse))
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending.extend(reversed([*ast.iter_child_nodes(node)]))


def _asks_name(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))
