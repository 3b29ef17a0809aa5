"""What messages of the type `state` say, in one line."""

import msgspec

from ghostos.core.message import Message
from ghostos.libraries.profiles import describe_profile

__all__ = ["describe_state", "says_who_answers"]


def describe_state(message: Message) -> str:
    """Return in one line what a state says: who answers and where code runs, how the task ended, or what was done."""
    data = message.data if isinstance(message.data, dict) else {}
    if data.get("state") == "finished":
        result = data.get("result")
        return "finished" if result is None else f"finished: {msgspec.json.encode(result).decode()}"
    if not says_who_answers(message):
        return message.content
    who = "rehearsal: recorded replies, no model" if data.get("is_rehearsal") else f"model: {message.content}"
    how = describe_profile(data)
    return f"{who} | {how}" if how else who


def says_who_answers(message: Message) -> bool:
    """Whether it says which model answers from here on, and where its code runs."""
    return isinstance(message.data, dict) and "is_rehearsal" in message.data
