"""What a model is told about running code, and how it is shown what its code did."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from ghostos.core.json import Json
from ghostos.ghosts.thread_prompt import STATE_OPENING
from ghostos.libraries.flow import MAX_OBSERVED_CHARS, cut_middle
from ghostos_moss import CodeFormat, RunResult

PROTOCOL = """\
You act by writing Python between `<moss>` and `</moss>`, each alone on its line; the rest of your reply is said to \
the user at once. The code runs inside the module below, imports allowed: all the module's names are there, and `moss` \
is the live instance of its `Moss`. Public attributes of `moss` persist, in-place changes too; other names last for \
one reply. What the code prints, or returns from `def run(moss)`, comes back to you as `<moss-output>`, errors too; \
the user does not see it, so go on and tell. Code that prints nothing ends your turn, and so does a reply without \
code. Never write `<moss-output>` yourself. A last message `<moss-state>` holds the present values of `moss`; it is \
not from the user.

`moss.flow.wait()` ends the turn whatever was printed, `moss.flow.observe(x)` shows you x, `moss.flow.finish(result)` \
ends the whole task, `moss.flow.fail(reason)` gives it up, `moss.flow.wake(after_s=60, note=...)` gives you a turn \
later (or `at="18:30"`, or cron `every="0 9 * * *"`)."""

_TAGS: Final = "between `<moss>` and `</moss>`, each alone on its line"
_FENCE: Final = "in one fence that opens with ```moss, alone on its line, and closes with ```"

_MAX_VALUE_CHARS: Final = 400
_MAX_CONTEXT_CHARS: Final = 4_000
_STATE_END: Final = "</moss-state>"


def render_protocol(code_format: CodeFormat) -> str:
    """Return what a model is told about running code, by how it marks code.

    Args:
        code_format: `tags` or `fence`.
    """
    return PROTOCOL.replace(_TAGS, _FENCE) if code_format == "fence" else PROTOCOL


def render_artifact(kind: type[BaseModel] | None) -> str:
    """Return what a model is told about the result that its ghost promises; "" where it promises none."""
    if kind is None:
        return ""
    schema = json.dumps(kind.model_json_schema(), ensure_ascii=False, separators=(",", ":"))
    return f"Your task ends with `moss.flow.finish(result)`: a dict that fits this JSON schema.\n{schema}"


def render_run(result: RunResult, *, observed: Sequence[str] = ()) -> str:
    """Return what the model is shown of a run: prints, then values, then what went wrong, then remarks."""
    parts = [result.std_output.rstrip("\n")]
    if result.returns_text:
        parts.append(f"returned: {result.returns_text}")
    parts.append(cut_middle("\n".join(observed), max_chars=3 * MAX_OBSERVED_CHARS))
    if result.error:
        parts.append(result.error)
    parts.extend(f"note: {note}" for note in result.notes)
    return "\n".join(part for part in parts if part) or "(no output)"


def render_state(
    values: Mapping[str, Json],
    *,
    now: datetime,
    injected: Mapping[str, str] | None = None,
    contexts: Mapping[str, Json] | None = None,
) -> str:
    """Return what changes between rounds: the last message of a prompt.

    Args:
        values: Stored values of moss, by name.
        now: Aware.
        injected: What injected objects say of themselves, by attribute of moss.
        contexts: What the client gave beside the words, by what it was given with.
    """
    lines = [f"time: {now:%Y-%m-%d %H:%M %Z}"]
    for given_with, context in (contexts or {}).items():
        lines.extend(_render_context(context, given_with=given_with))
    lines.extend(f"moss.{name} = {_shorten(render_value(value))}" for name, value in values.items())
    lines.extend(f"moss.{name}: {_indent(text)}" for name, text in (injected or {}).items())
    body = "\n".join(lines).replace("</moss-state", "<\\/moss-state")
    return f"{STATE_OPENING}\n{body}\n{_STATE_END}"


def render_value(value: Json) -> str:
    """Return a stored value as Python would show it, from its tagged JSON: `Cart(counts={'pen': 2})`."""
    if isinstance(value, list):
        return f"[{', '.join(render_value(item) for item in value)}]"
    if not isinstance(value, dict):
        return repr(value)
    if (kind := value.get("$type")) is None:
        return f"{{{', '.join(f'{key!r}: {render_value(item)}' for key, item in value.items())}}}"
    content = value.get("value")
    if kind == "obj" and isinstance(content, dict):
        return f"{value.get('class')}({', '.join(f'{key}={render_value(item)}' for key, item in content.items())})"
    return f"{kind}({render_value(content)})"


def _render_context(context: Json, *, given_with: str) -> list[str]:
    title = f"context that came with this {given_with}:"
    if not isinstance(context, dict):
        return [f"{title} {_shorten(render_value(context), max_chars=_MAX_CONTEXT_CHARS)}"]
    fields = (f"  {name} = {render_value(value)}" for name, value in context.items())
    return [title, *(_shorten(field, max_chars=_MAX_CONTEXT_CHARS) for field in fields)]


def _indent(text: str) -> str:
    """Have no line of a text look like one of the state's own: all but the first are indented."""
    return "\n  ".join(text.splitlines())


def _shorten(text: str, *, max_chars: int = _MAX_VALUE_CHARS) -> str:
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]}… {len(text) - max_chars} of {len(text)} characters left out …"
