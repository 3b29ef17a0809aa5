"""Syntax trees, made and compiled by one thread at a time.

CPython keeps the depth of a conversion between its own trees and those of `ast` in one place for all threads. Where the
garbage collector lets a second thread in, both fail with a SystemError (github.com/python/cpython/issues/106905; the
mend there covers one thread that comes in twice).
"""

import ast
import threading
from types import CodeType

__all__ = ["compile_tree", "lock", "parse_expression", "parse_tree"]

lock = threading.RLock()
"""Who makes or compiles a tree by other means than these functions holds it meanwhile."""


def parse_tree(text: str, filename: str = "<unknown>") -> ast.Module:
    """`ast.parse` of a module. Raises what that raises: SyntaxError, ValueError, RecursionError, MemoryError."""
    with lock:
        return ast.parse(text, filename)


def parse_expression(text: str) -> ast.expr:
    """`ast.parse` of one expression. Raises what that raises."""
    with lock:
        return ast.parse(text, mode="eval").body


def compile_tree(tree: ast.Module | ast.Expression | ast.Interactive, filename: str, *, flags: int = 0) -> CodeType:
    """`compile` of a module's tree, without the flags of the caller's own code. Raises what that raises."""
    with lock:
        return compile(tree, filename, "exec", flags=flags, dont_inherit=True)
