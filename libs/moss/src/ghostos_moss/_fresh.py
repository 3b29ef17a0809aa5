"""Fresh modules: one execution of a source under a private name, beside the original and never in its place."""

import importlib.util
import itertools
import linecache
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from types import CodeType, ModuleType
from typing import Final

from ghostos_moss._forget import forget_classes
from ghostos_moss._places import import_root
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import CompileError, NotAcceptedError

__all__ = ["FreshModule"]

_numbers = itertools.count(1)
_lock = threading.Lock()
_PRIVATE: Final = "__moss_"


class FreshModule:
    """A module in `sys.modules` and, where it has no file, in `linecache`, until it is closed.

    Args:
        source: What to execute. The folder of a script that is not importable otherwise is added at the end of
            `sys.path`, for good: what it imports stays imported, too.
        name: The exact name to give it. If a module of that name exists the name is made unique, as without one.
        extends_path: False: `sys.path` is left as it is.
    """

    def __init__(self, source: ModuleSource, *, name: str | None = None, extends_path: bool = True) -> None:
        self.source = source
        self.module = ModuleType(_private_name(source.name))
        self._filenames: list[str] = []
        self._code = source.code
        self._name = _register(self.module, wanted=name)
        if os.path.isabs(source.filename):
            self.module.__file__ = source.filename
            if extends_path:
                _make_importable(source)
        if self._code.co_filename.startswith("<"):
            filename = f"<{self._name}>"
            self.add_lines(filename, source.text)
            self._code = _renamed(self._code, filename)
            if not os.path.isabs(source.filename):
                self.module.__file__ = filename
        self.module.__package__ = source.package or ""

    def execute(self, values: Mapping[str, object], *, code: CodeType | None = None) -> None:
        """Run the body with some names bound beforehand.

        Args:
            values: By name.
            code: A variant of the source's code to run in its place.

        Raises:
            CompileError: It raised. The exception is the cause.
            NotAcceptedError: What it imports waits for the user.
        """
        names = vars(self.module)
        names.update(values)
        try:
            exec(code or self._code, names)  # noqa: S102 - this is what compiling a module is
        except (KeyboardInterrupt, NotAcceptedError):
            raise
        except BaseException as exc:
            raise CompileError(self.source.name, _reason(exc), line=self._line_of(exc)) from exc

    def add_lines(self, filename: str, text: str) -> None:
        """Give `inspect` and tracebacks the source of code that is in no file."""
        lines = [f"{line}\n" for line in text.removesuffix("\n").split("\n")]
        linecache.cache[filename] = (len(text), None, lines, filename)
        self._filenames.append(filename)

    def close(self) -> None:
        """Take it out of `sys.modules` and `linecache`, and out of the memory of libraries. Harmless twice."""
        with _lock:
            if sys.modules.get(self._name) is self.module:
                del sys.modules[self._name]
        for filename in self._filenames:
            linecache.cache.pop(filename, None)
        self._filenames.clear()
        forget_classes(self._name)

    def _line_of(self, error: BaseException) -> int | None:
        """The innermost line of the body's own file that was running."""
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if self._is_own(frame.filename)]
        return lines[-1] if lines else None

    def _is_own(self, filename: str) -> bool:
        return filename in (self._code.co_filename, self.source.filename)


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f'its body called sys.exit({error.code!r}): guard that with `if __name__ == "__main__":`'
    try:
        text = str(error)
    except Exception as exc:  # noqa: BLE001 - the user's own exception class
        text = f"(its message cannot be shown: {type(exc).__name__})"
    return f"its body raised {type(error).__name__}: {text}" if text else f"its body raised {type(error).__name__}"


def _private_name(base: str) -> str:
    return f"{base.strip('<>')}{_PRIVATE}{next(_numbers)}"


def _register(module: ModuleType, *, wanted: str | None) -> str:
    is_taken = wanted is None or wanted in sys.modules or importlib.util.find_spec(wanted.partition(".")[0]) is not None
    with _lock:
        if wanted is not None:
            module.__name__ = _private_name(wanted) if is_taken or wanted in sys.modules else wanted
        sys.modules[module.__name__] = module
    return module.__name__


def _make_importable(source: ModuleSource) -> None:
    """Let a script import its neighbours, as it can when Python runs it."""
    root = import_root(source.filename, package=source.package)
    with _lock:
        if root not in sys.path and not (root == os.getcwd() and "" in sys.path):
            sys.path.append(root)


def _renamed(code: CodeType, filename: str) -> CodeType:
    """The same code under a file name of its own, so that the lines of two live modules never mix."""
    constants = tuple(_renamed(item, filename) if isinstance(item, CodeType) else item for item in code.co_consts)
    return code.replace(co_filename=filename, co_consts=constants)
