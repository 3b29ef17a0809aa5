"""Docstrings as prompt text: shortened by level, written back as valid literals."""

import inspect
import re

__all__ = ["docstring_lines", "without_param_docs"]

_SECTION_NAMES = (
    "args|arguments|parameters|params|keyword args|keyword arguments|other parameters|other args|attributes"
)
_GOOGLE_SECTION = re.compile(rf"(?:{_SECTION_NAMES}):\s*", re.IGNORECASE)
_NUMPY_SECTION = re.compile(rf"(?:{_SECTION_NAMES})\s*", re.IGNORECASE)
_SPHINX_FIELD = re.compile(r":(?:param|parameter|arg|argument|key|keyword|type|ivar|vartype)\b[^:]*:")
_UNDERLINE = re.compile(r"-{3,}\s*")


def without_param_docs(doc: str) -> str:
    """The docstring without what it says about single parameters (Google, NumPy and Sphinx style)."""
    lines = inspect.cleandoc(doc).split("\n")
    kept: list[str] = []
    position = 0
    while position < len(lines):
        end = _section_end(lines, position)
        if end == position:
            kept.append(lines[position])
            position += 1
        else:
            position = end
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def docstring_lines(doc: str) -> list[str]:
    """The lines of a triple-quoted literal whose value is the cleaned docstring, not indented."""
    text = inspect.cleandoc(doc).rstrip()
    prefix = ""
    if "\\" in text:
        if '"""' not in text and not text.endswith(("\\", '"')):
            prefix = "r"
        else:
            text = text.replace("\\", "\\\\")
    if prefix == "":
        text = text.replace('"""', '\\"\\"\\"')
        if text.endswith('"'):
            text = text[:-1] + '\\"'
    lines = text.split("\n")
    if len(lines) == 1:
        return [f'{prefix}"""{text}"""']
    return [f'{prefix}"""{lines[0]}', *lines[1:], '"""']


def _section_end(lines: list[str], start: int) -> int:
    """The line after the parameter section that starts here; `start` itself when none does."""
    line = lines[start]
    if _SPHINX_FIELD.match(line.lstrip()) or _GOOGLE_SECTION.fullmatch(line.strip()):
        return _indented_end(lines, start)
    if _NUMPY_SECTION.fullmatch(line) and start + 1 < len(lines) and _UNDERLINE.fullmatch(lines[start + 1]):
        end = start + 2
        while end < len(lines) and not (end + 1 < len(lines) and _UNDERLINE.fullmatch(lines[end + 1])):
            end += 1
        return end
    return start


def _indented_end(lines: list[str], start: int) -> int:
    """Past the lines indented deeper than the one at `start`; blank lines before a shallower one stay out."""
    depth = _indent(lines[start])
    end = start + 1
    for position in range(start + 1, len(lines)):
        if not lines[position].strip():
            continue
        if _indent(lines[position]) <= depth:
            break
        end = position + 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
