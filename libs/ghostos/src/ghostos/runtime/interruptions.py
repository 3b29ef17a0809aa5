"""Code that did not come to its end, in words for the model that wrote it."""

from collections.abc import Iterable

from ghostos.core.message import Message
from ghostos.core.task import CodeRun

_MAX_CALLS_TOLD = 30


def describe_crash(run: CodeRun, messages: Iterable[Message]) -> str:
    """Return what is known of code that was running when its process stopped: with the code, where its reply was lost.

    Args:
        run: The code.
        messages: What its round said.
    """
    said = [*messages]
    text = (
        "This code was interrupted: its process ended, or the user stopped it. It is not known how far it came; it was "
        "not run again, and values of moss are as before it. Look at what it did before you repeat anything."
    )
    if not any(message.type == "code" for message in said):
        text += f" The code was:\n{run.code}"
    return text + describe_calls(said)


def describe_calls(messages: Iterable[Message]) -> str:
    """Return which calls of objects had ended, as the end of a text; "" where none had."""
    calls = [message.content for message in messages if message.type == "host_call" and not _is_undone(message)]
    if not calls:
        return ""
    shown = "\n".join(f"- {call}" for call in calls[-_MAX_CALLS_TOLD:])
    left_out = f" (the last {_MAX_CALLS_TOLD} of them)" if len(calls) > _MAX_CALLS_TOLD else ""
    return f"\nThese calls had ended{left_out}, and are not undone:\n{shown}"


def _is_undone(call: Message) -> bool:
    return isinstance(call.data, dict) and call.data.get("is_undone") is True
