"""What a model is told about running code, and how it is shown what its code did."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ghostos.core.json import Json
from ghostos.ghosts.thread_prompt import STATE_OPENING
from ghostos_moss import RunResult

PROTOCOL = """\
You act by writing Python between `<moss>` and `</moss>`, each alone on its line; the rest of your reply is said to \
the user at once. The code runs inside the module below, imports allowed: all the module's names are there, and `moss` \
is the live instance of its `Moss`. Public attributes of `moss` persist, in-place changes too; other names last for \
one reply. What the code prints, or returns from `def run(moss)`, comes back to you as `<moss-output>`, errors too; \
the user does not see it, so go on and tell. Code that prints nothing ends your turn, and so does a reply without \
code. Never write `<moss-output>` yourself. A last message `<moss-state>` holds the present values of `moss`; it is \
not from the user.

`moss.flow.wait()` ends the turn whatever was printed, `moss.flow.observe(x)` shows you x, `moss.flow.finish(result)` \
ends the whole task, `moss.flow.fail(reason)` gives it up."""

_MAX_VALUE_CHARS = 400


def render_output(result: RunResult, *, observed: Sequence[object] = ()) -> str:
    """Return what the model is shown of a run: prints, then values, then what went wrong, then remarks."""
    parts = [result.std_output.rstrip("\n")]
    if result.returns_text:
        parts.append(f"returned: {result.returns_text}")
    parts.extend(repr(value) for value in observed)
    if result.error:
        parts.append(result.error)
    parts.extend(f"note: {note}" for note in result.notes)
    return "\n".join(part for part in parts if part) or "(no output)"


def render_state(values: Mapping[str, Json], *, now: datetime) -> str:
    """Return what changes between rounds: the last message of a prompt.

    Args:
        values: Stored values of moss, by name.
        now: Aware.
    """
    lines = [f"time: {now:%Y-%m-%d %H:%M %Z}"]
    lines.extend(f"moss.{name} = {_shorten(render_value(value))}" for name, value in values.items())
    return "\n".join([STATE_OPENING, *lines, "</moss-state>"])


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


def _shorten(text: str) -> str:
    if len(text) <= _MAX_VALUE_CHARS:
        return text
    return f"{text[:_MAX_VALUE_CHARS]}… {len(text) - _MAX_VALUE_CHARS} of {len(text)} characters left out …"
