"""What a model reads about a module: its source, then stubs of what it imports."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import cast

from ghostos_moss._bindings import read_bindings
from ghostos_moss._budget import Selection, select
from ghostos_moss._describe import describe
from ghostos_moss._hooks import call_hook, find_hook, run_hook
from ghostos_moss._reflect import Piece, PromptLevel, reflect, visible_imports
from ghostos_moss._source import ModuleSource
from ghostos_moss._syntax_trees import parse_tree
from ghostos_moss._tokens import count_tokens
from ghostos_moss.errors import LifecycleError, MossError

__all__ = ["MossPrompter", "PromptLevel"]

_SOURCE_TITLE = "Your code runs in this module, with all its names at hand:"
_IMPORTS_TITLE = "What it imports, as stubs without implementation:"
_FRAME_TOKENS = 40  # titles and fences


class MossPrompter:
    """Renders the prompt of one compiled module. The same source and imports give the same text, byte for byte.

    Args:
        module: The live module: what its names are bound to, and its hooks.
        source: What it was compiled from.
        level: The most detail to show of what it imports. The visible source is always shown whole.
        max_tokens: Budget of the whole prompt, by approximate count; None for no limit. Over it, docs of parameters
            go first, then docs, then the longest definitions but for their names.
        moss_type: The module's `Moss`, for `describe("moss.attribute")`.
    """

    def __init__(
        self,
        module: ModuleType,
        source: ModuleSource,
        *,
        level: PromptLevel = "full",
        max_tokens: int | None = 4000,
        moss_type: type | None = None,
    ) -> None:
        self._module = module
        self._source = source
        self._level: PromptLevel = level
        self._max_tokens = max_tokens
        self._moss_type = moss_type

    def get_source_code(self) -> str:
        """The visible source of the module."""
        return self._source.visible

    def imported_attr_prompts(self) -> Iterator[tuple[str, str]]:
        """Each imported name with its prompt, in the order of the file, then the types that these name.

        Overrides of `__moss_attr_prompts__` are applied; names that the budget leaves out are left out.

        Raises:
            LifecycleError: The hook, or a `__class_prompt__` or `__prompt__`, raised.
        """
        selection = self._select()
        for piece in selection.shown:
            yield piece.name, piece.text(selection.level)

    def dump_imported_prompt(self) -> str:
        """All that is said about imported names, as valid Python; empty if there is nothing to say."""
        selection = self._select()
        blocks = list(_render(selection))
        if selection.named:
            names = [piece.name for piece in selection.named]
            hint = f'too long to show here, moss.describe("{names[0]}") shows one: {", ".join(names)}'
            blocks.append("\n".join(textwrap.wrap(hint, 118, initial_indent="# ", subsequent_indent="# ")))
        return "\n\n".join(blocks)

    def dump_module_prompt(self) -> str:
        """The whole prompt, Markdown: that of the module's `__moss_module_prompt__`, or else the default.

        Raises:
            LifecycleError: A hook raised, or returned what is no text.
        """
        custom = call_hook(self._module, "__moss_module_prompt__", self)
        if isinstance(custom, str):
            return custom
        if custom is not None:
            reason = f"it returned {type(custom).__name__}: return a str, or None for the default"
            raise LifecycleError("__moss_module_prompt__", reason)
        parts: list[str] = []
        if self._source.visible:
            parts.append(_fenced(_SOURCE_TITLE, f"# {self._source.name}\n{self._source.visible}"))
        if imported := self.dump_imported_prompt():
            parts.append(_fenced(_IMPORTS_TITLE, imported))
        return "\n\n".join(parts)

    def names_not_imported(self) -> dict[str, str]:
        """The types that the prompt shows because others name them, with the modules that they are to be imported from.

        Empty where something that the prompt shows cannot be looked at: the prompt then says what is wrong.
        """
        try:
            return {piece.name: piece.module for piece in reflect(self._module, self._source).reached}
        except MossError:
            return {}

    def describe(self, name: str) -> str:
        """The full stub of one name: `Ball`, `Ball.roll`, `geometry.Ball`, or `moss.body` for what it holds.

        Text for the model in any case: for a name that is not there, it says so and names close ones.
        """
        return describe(
            name, module=self._module, source=self._source, moss_type=self._moss_type, max_tokens=self._max_tokens
        )

    def _select(self) -> Selection:
        left = None
        if self._max_tokens is not None:
            left = max(0, self._max_tokens - _source_tokens(self._source) - _FRAME_TOKENS)
        return select(self._pieces(), level=self._level, max_tokens=left)

    def _pieces(self) -> list[Piece]:
        """What is said about imported names and about types reached from them, overrides applied."""
        reflection = reflect(self._module, self._source)
        overrides = self._overrides()
        if not overrides:
            return [*reflection.imported, *reflection.reached]
        pieces = {piece.name: piece for piece in reflection.imported}
        origins = {imported.name: imported.module for imported in visible_imports(self._module, self._source)}
        order = {name: at for at, name in enumerate(origins)}
        for name, text in overrides.items():
            origin = origins.get(name, "")
            pieces[name] = Piece(name, origin, heading=f"# from {origin}" if origin else "", custom=text)
        imported = sorted(pieces.values(), key=lambda piece: order.get(piece.name, len(order)))
        reached = [piece for piece in reflection.reached if piece.name not in overrides]
        return [piece for piece in [*imported, *reached] if piece.custom != ""]

    def _overrides(self) -> dict[str, str]:
        """What `__moss_attr_prompts__` says, by name; the last word on a name counts."""
        name = "__moss_attr_prompts__"
        hook = cast("Callable[[], Iterable[object] | None] | None", find_hook(self._module, name))
        if hook is None:
            return {}
        pairs = run_hook(name, lambda: list(hook() or ()))
        overrides: dict[str, str] = {}
        for pair in pairs:
            match pair:
                case (str(attribute), str(text)):
                    overrides[attribute] = text.strip("\n")
                case _:
                    raise LifecycleError(name, f"it gave {pair!r:.80}: give pairs of strings, (name, prompt)")
        return overrides


def _source_tokens(source: ModuleSource) -> int:
    tokens = source.memo.get("visible_tokens")
    if not isinstance(tokens, int):
        tokens = source.memo["visible_tokens"] = count_tokens(source.visible)
    return tokens


def _fenced(title: str, text: str) -> str:
    """A fence longer than any run of backticks inside it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{title}\n\n{fence}python\n{text.rstrip()}\n{fence}"


def _render(selection: Selection) -> Iterator[str]:
    """Blocks of text, each under a heading where it changes; statements of one line stay together."""
    heading, lines = "", list[str]()
    for piece in selection.shown:
        text = _as_python(piece, selection.level)
        is_line = "\n" not in text
        if lines and (not is_line or piece.heading != heading):
            yield "\n".join(lines)
            lines = []
        if piece.heading != heading and piece.heading:
            lines.append(piece.heading)
        heading = piece.heading
        lines.append(text)
        if not is_line:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _as_python(piece: Piece, level: PromptLevel) -> str:
    """The text of a piece; what its author wrote becomes comments unless it is Python that defines a name."""
    text = piece.text(level)
    if piece.custom is None or _defines(text):
        return text
    return "\n".join(f"# {line}".rstrip() for line in f"{piece.name}: {text}".split("\n"))


def _defines(text: str) -> bool:
    try:
        tree = parse_tree(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(read_bindings(tree, package=None).lines)
