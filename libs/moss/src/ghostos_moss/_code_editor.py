"""Edits of a module's source by its model: text and syntax alone. What the text does is tried out elsewhere."""

import ast
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from difflib import unified_diff
from typing import Final, TypeAlias

from ghostos_moss._code_fit import MAX_CODE_CHARS, fit_code, normal_lines
from ghostos_moss._code_history import CodeHistory
from ghostos_moss._code_rewrite import rewrite_visible
from ghostos_moss._code_spans import defined_names, find_span
from ghostos_moss._code_versions import version_id
from ghostos_moss._hidden import find_hidden_regions, visible_lines
from ghostos_moss._protected_code import check_protected
from ghostos_moss._pycontext import PyContext
from ghostos_moss._self_updater import ModuleVersion, SelfUpdater
from ghostos_moss._source import parse_source
from ghostos_moss._syntax_trees import parse_tree
from ghostos_moss.errors import (
    CodeEditError,
    EditFailedError,
    EditTargetError,
    HiddenRegionError,
    ProtectedCodeError,
    SourceError,
)

__all__ = ["CodeEditor", "TryOut", "refuse_trial"]

TryOut: TypeAlias = Callable[[str], tuple[str, ...]]
"""Compiles an edited source afresh and runs its MOSS tests; what is wrong with it, empty when nothing is."""

_MAX_TOTAL_CHARS: Final = 4 * MAX_CODE_CHARS


class CodeEditor(SelfUpdater):
    """The `SelfUpdater` of one compile. It belongs to the side that the module's model code does not reach.

    Edits build on each other at once; `commit` and `roll_back` end a run, and `save_to` gives what is committed.

    Args:
        pycontext: What earlier rounds left: the source as edited so far, and its versions.
        original: The source of the module's file as it is now; None where there is none.
        try_out: Called with each edited source before it counts. Nothing else runs it.
        clock: Tells the time; aware.
    """

    def __init__(
        self,
        pycontext: PyContext,
        *,
        original: str | None,
        try_out: TryOut,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._try_out = try_out
        self._clock = clock
        self._lock = threading.RLock()
        self._state = self._committed = CodeHistory.load(pycontext, original=original)
        self._told = self._state.code

    def append(self, code: str) -> str:
        with self._lock:
            fitted = fit_code(code)
            text = self._state.text
            source, names = parse_source(text), defined_names(fitted.body)
            known = next((name for name in names if name in defined_names(source.tree.body)), None)
            if known is not None and known in source.hidden_names:
                raise EditTargetError(known, "the name is taken: choose another one")
            if known is not None:
                raise EditTargetError(known, f"the module has it already: use replace({known!r}, code)")
            return self._edit(_appended(text, fitted.lines), note=f"append {', '.join(names)}".strip())

    def replace(self, name: str, code: str) -> str:
        with self._lock:
            source = parse_source(self._state.text)
            lines = source.text.split("\n")
            regions = find_hidden_regions(source.text, filename=source.filename)
            span = find_span(name, tree=source.tree, lines=lines, regions=regions)
            if any(region.first <= span.last and span.first <= region.last for region in regions):
                reason = f"{name} has code in it that you do not see: replace the parts that you see"
                raise ProtectedCodeError(reason)
            first = lines[span.first - 1]
            fitted = fit_code(code, indent=first[: len(first) - len(first.lstrip(" \t\f"))])
            if fitted.lines and name.rpartition(".")[2] not in defined_names(fitted.body):
                raise EditTargetError(name, "the code does not define it: to rename it, use rewrite")
            edited = [*lines[: span.first - 1], *fitted.lines, *lines[span.last :]]
            return self._edit("\n".join(edited), note=f"{'replace' if fitted.lines else 'remove'} {name}")

    def rewrite(self, code: str) -> str:
        with self._lock:
            new, text = normal_lines(code), self._state.text
            regions = find_hidden_regions(text, filename="<moss>")
            return self._edit(rewrite_visible(text, new, body=_body_of(new), regions=regions), note="rewrite")

    def getsource(self, name: str = "") -> str:
        with self._lock:
            source = parse_source(self._state.text)
        if not name:
            return source.visible
        lines = source.text.split("\n")
        regions = find_hidden_regions(source.text, filename=source.filename)
        span = find_span(name, tree=source.tree, lines=lines, regions=regions)
        shown = visible_lines(source.text, regions=regions)
        return "".join(f"{lines[number]}\n" for number in shown if span.first <= number + 1 <= span.last)

    def diff(self) -> str:
        with self._lock:
            state = self._state
        old, new = parse_source(state.original or "").visible, parse_source(state.text).visible
        lines = unified_diff(old.splitlines(), new.splitlines(), "file", "edited", lineterm="")
        return "".join(f"{line}\n" for line in lines)

    def propose(self, note: str = "") -> str:
        with self._lock:
            if self._state.code is None:
                reason = "there is nothing to propose: the source is that of the file"
                raise CodeEditError(reason)
            self._state = self._state.propose(note=str(note), now=self._clock())
            id = version_id(self._state.text)
        return f"Version {id} is proposed: the user looks at it and decides. Your edits stay meanwhile."

    def versions(self) -> list[ModuleVersion]:
        with self._lock:
            return self._state.list_versions()

    def restore(self, id: str) -> str:
        with self._lock:
            known = [version.id for version in self._state.versions]
            if id not in known:
                reason = f"there is no version with that id: {', '.join(known) or 'there is none yet'}"
                raise EditTargetError(f"{id!r:.100}", reason)
            return self._try(self._state.restore(id, now=self._clock()))

    def commit(self) -> None:
        """Keep the edits: the run that made them succeeded."""
        with self._lock:
            self._committed = self._state

    def roll_back(self) -> None:
        """Undo the edits since the last commit: the run that made them failed."""
        with self._lock:
            self._state = self._committed

    def save_to(self, pycontext: PyContext) -> PyContext:
        """The context with the committed edits in it; the same object where there never were any."""
        return self._committed.save_to(pycontext)

    def take_notes(self) -> tuple[str, ...]:
        """What the model is to be told of its committed edits and was not yet."""
        code = self._committed.code
        if code == self._told:
            return ()
        self._told = code
        what = "the source of the file" if code is None else f"version {version_id(code)}"
        return (f"the module is edited: your next reply works with {what}.",)

    def _edit(self, text: str, *, note: str) -> str:
        """Make a text the source, if it may be and works."""
        return self._try(self._state.edit(text, note=note, now=self._clock()))

    def _try(self, edited: CodeHistory) -> str:
        text = edited.text
        if text == self._state.text:
            return "Nothing changed: the source is the same."
        if len(text) > MAX_CODE_CHARS or edited.size > _MAX_TOTAL_CHARS:
            reason = (
                f"a source may have {MAX_CODE_CHARS:,} characters, and all its versions together {_MAX_TOTAL_CHARS:,}"
            )
            raise CodeEditError(reason)
        _check_text(self._state.text, text)
        problems = self._try_out(text)
        if problems:
            raise EditFailedError(problems)
        self._state = edited
        return f"Version {version_id(text)} compiles and passes its tests."


def _check_text(before: str, after: str) -> None:
    """Refuse a source that does not parse, or changes what only the user may change."""
    try:
        parse_source(after)
        check_protected(before, after)
    except HiddenRegionError as exc:
        reason = "the code has a mark of a hidden region: leave it out"
        raise ProtectedCodeError(reason) from exc
    except SourceError as exc:
        raise EditFailedError((exc.describe_for_model(),)) from exc
    except RecursionError as exc:
        raise EditFailedError(("it is nested too deeply",)) from exc


def refuse_trial(_code: str) -> tuple[str, ...]:
    """The `TryOut` of an editor within a trial."""
    return ("A test cannot edit the module: what it tries out is an edit already.",)


def _body_of(lines: list[str]) -> list[ast.stmt]:
    """The statements of a visible source; none where it does not parse alone, as the body of a function is hidden."""
    try:
        return parse_tree("\n".join([*lines, ""])).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _appended(text: str, added: list[str]) -> str:
    """The text with lines at its end, two blank ones before them; it ends in a new line where it did before."""
    if not added:
        return text
    body, end = (text[:-1], "\n") if text.endswith("\n") else (text, "")
    if not body:
        return "\n".join(added) + "\n"
    kept = body.rstrip("\n")
    blank = max(2, len(body) - len(kept))
    return f"{kept}\n{blank * chr(10)}{chr(10).join(added)}{end}"
