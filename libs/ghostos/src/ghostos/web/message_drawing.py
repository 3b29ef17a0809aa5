"""How one message looks. What models, their code and users wrote is never HTML, and never the page's own markup."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.asset_files import AssetFiles
from ghostos.core.asset import find_asset
from ghostos.core.code_approval import load_answer
from ghostos.core.message import Message, MessageType, Role
from ghostos.core.permission import find_answer, is_kept
from ghostos.core.permission_words import describe_permission, describe_scope
from ghostos.web.asset_drawing import draw_asset
from ghostos.web.markdown import escape_markdown, soften_markdown

__all__ = ["ShownMessage", "draw_calls", "draw_message", "draw_user_text", "open_bubble"]

_AVATARS: dict[Role, str] = {"user": ":material/person:", "assistant": ":material/smart_toy:"}

_OUTPUT_LABELS = {  # no captions: those are half transparent, colour or not
    "ok": ":small[:gray[output]]",
    "error": ":small[:red[output · the code failed]]",
    "rejected": ":small[:red[output · not run]]",
    "interrupted": ":small[:red[output · interrupted]]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A message as far as it is known.

    Attributes:
        type: What kind of item it is.
        role: Who speaks.
        text: Its text so far.
        message: The whole, once it is complete.
    """

    type: MessageType
    role: Role
    text: str
    message: Message | None = None

    def fact(self, key: str) -> object:
        """Return one of the facts beside the text; None where it is not there, or not yet."""
        return _fact(self.message, key) if self.message else None


def open_bubble(area: DeltaGenerator, side: Role) -> DeltaGenerator:
    """Begin what one side says."""
    name = "user" if side == "user" else "assistant"
    return area.chat_message(name, avatar=_AVATARS[side])


def draw_message(place: DeltaGenerator, shown: ShownMessage, *, files: AssetFiles | None = None) -> None:
    """Draw a message, in the place of what was drawn there before.

    Args:
        place: A placeholder: it holds one element.
        shown: What to draw.
        files: Where images lie.
    """
    if shown.message is not None and (asset := find_asset(shown.message)) is not None:
        draw_asset(place, asset, files=files)
        return
    match shown.type:
        case "text":
            _draw_text(place, shown)
        case "code":
            _draw_code(place, shown)
        case "output":
            label = _OUTPUT_LABELS.get(str(shown.fact("status")), _OUTPUT_LABELS["ok"])
            _draw_block(place, label=label, text=shown.text, language=None)
        case "approval" if (code := _find_edit(shown)) is not None:
            _draw_block(place, label=":small[:gray[You ran this in its place]]", text=code, language="python")
        case "approval":
            place.markdown(f":small[:gray[:material/lock_open: {escape_markdown(_approval_label(shown))}]]")
        case "error":
            advice = shown.fact("advice")
            draw_error(place, shown.text, advice=advice if isinstance(advice, str) else "")
        case "reasoning":
            place.expander("reasoning", icon=":material/psychology:").markdown(soften_markdown(shown.text))
        case "state":
            place.caption(_state_label(shown))
        case _:
            _draw_block(place, label=f":small[:gray[{escape_markdown(shown.type)}]]", text=shown.text, language=None)


def draw_calls(place: DeltaGenerator, messages: Sequence[Message]) -> None:
    """Draw the calls of objects during a run of code, folded where they are several."""
    if len(messages) == 1:
        place.markdown(f":small[:gray[{escape_markdown(messages[0].content)}]]")
        return
    more = sum(count for message in messages if isinstance(count := _fact(message, "more"), int))
    label = f"{len(messages) + max(0, more - 1):,} calls"
    lines = "\n".join(message.content for message in messages)
    place.expander(label, icon=":material/api:").code(lines, language=None, wrap_lines=True)


def draw_user_text(place: DeltaGenerator, text: str) -> None:
    """Draw what a user said, as it was typed."""
    place.text(text)


def draw_error(place: DeltaGenerator, happened: str, *, advice: str) -> None:
    """Draw what went wrong and what to do about it."""
    lines = [f"**{escape_markdown(happened)}**", escape_markdown(advice)]
    place.error("\n\n".join(line for line in lines if line), icon=":material/error:")


def _draw_text(place: DeltaGenerator, shown: ShownMessage) -> None:
    if shown.role == "user":
        draw_user_text(place, shown.text)
    elif shown.role == "environment":
        _draw_block(place, label=":small[:gray[event]]", text=shown.text, language=None)
    elif shown.role == "system":
        place.info(escape_markdown(shown.text), icon=":material/info:")
    elif _is_partial(shown):
        box = place.container()
        box.markdown(soften_markdown(shown.text))
        box.markdown(":small[:orange[cut short]]")
    else:
        place.markdown(soften_markdown(shown.text))


def _draw_code(place: DeltaGenerator, shown: ShownMessage) -> None:
    if shown.fact("in_text"):
        place.caption("the code above was run")
        return
    label = ":small[:gray[code]]"
    if shown.fact("withdrawn"):
        label = ":small[:gray[code · not run]]"
    elif shown.fact("is_closed") is False:
        label = ":small[:orange[code · cut short, not run]]"
    elif _is_partial(shown):  # the reply was stopped, or the code that ran
        label = ":small[:orange[code · cut short]]"
    _draw_block(place, label=label, text=shown.text.strip("\n"), language="python")


def _draw_block(place: DeltaGenerator, *, label: str, text: str, language: str | None) -> None:
    box = place.container(gap="xsmall")
    box.markdown(label)
    box.code(text, language=language, wrap_lines=True)


def _find_edit(shown: ShownMessage) -> str | None:
    """Return the code that the user put in the place of the agent's; None where the message says something else."""
    data = shown.message.data if shown.message else None
    answer = load_answer(data) if isinstance(data, dict) else None
    is_taken = answer is not None and answer.decision == "edit" and shown.text.endswith(answer.code)
    return answer.code if answer is not None and is_taken else None


def _approval_label(shown: ShownMessage) -> str:
    grant = find_answer(shown.message) if shown.message else None
    if grant is None or (shown.message and not is_kept(shown.message)):
        said = shown.text.removeprefix("The user ")
        return shown.text if said == shown.text else f"You {said}"
    return f"You allowed {describe_permission(grant.permission)}, {describe_scope(grant.scope)}."


def _state_label(shown: ShownMessage) -> str:
    if shown.fact("state") == "finished":
        result = shown.fact("result")
        return "finished" if result is None else f"finished: {escape_markdown(str(result))}"
    if shown.fact("is_rehearsal"):
        return "rehearsal: recorded replies, no model"
    if shown.fact("model") is None:
        return escape_markdown(shown.text)
    return f"answered by {escape_markdown(str(shown.fact('model')))}"


def _fact(message: Message, key: str) -> object:
    return message.data.get(key) if isinstance(message.data, dict) else None


def _is_partial(shown: ShownMessage) -> bool:
    return shown.message is not None and shown.message.status == "partial"
