"""A thread as a model reads it."""

from collections.abc import Sequence

from ghostos.core.asset import AssetRef, find_asset
from ghostos.core.message import Message
from ghostos.core.prompt import AssetMessage, PromptMessage
from ghostos.ghosts.thread_entries import SummaryMark, ThreadEntry, ThreadView, read_mark
from ghostos_moss import count_tokens

STATE_OPENING = "<moss-state>"
APPROVAL_OPENING = "<moss-approval>"
EVENT_OPENING = "<moss-event"

_REPLY_TYPES = frozenset({"text", "code", "reasoning"})


class ThreadPrompt:
    """Renders a thread that grows: what was rendered for one round is kept for the next.

    What users said and allowed, what the model wrote itself and what its code put out are sent verbatim. What a model
    wrote in one round is one message: the `raw` of one of its parts, where there is one. Images and audio are messages
    with their file. Partial messages, reasoning, errors and states are left out.
    """

    def __init__(self) -> None:
        self._entries: list[ThreadEntry] = []
        self._most_tokens = 0
        self._count = 0
        self._last: Message | None = None
        self._summary: SummaryMark | None = None
        self._gaps: list[SummaryMark] = []
        self._system: tuple[str, int] = ("", 0)

    def count_system(self, text: str) -> int:
        """Return about how many tokens a system prompt takes; counted again only when it has changed."""
        if text != self._system[0]:
            self._system = text, count_tokens(text)
        return self._system[1]

    def render(self, thread: Sequence[Message]) -> list[PromptMessage]:
        """Return the whole thread as messages, in order, also what a summary stands for."""
        return [entry.message for entry in self.read(thread).entries]

    def read(self, thread: Sequence[Message]) -> ThreadView:
        """Return what there is to send of a thread. One that is not the last one grown begins anew."""
        if self._count > len(thread) or (self._count and thread[self._count - 1] is not self._last):
            self._entries, self._most_tokens, self._count, self._last = [], 0, 0, None
            self._summary, self._gaps = None, []
        reply: list[Message] = []
        for index in range(self._count, len(thread)):
            message = thread[index]
            if reply and (message.role != "assistant" or message.round != reply[-1].round):
                self._extend(_render_reply(reply))
                reply = []
            if message.status == "complete" and message.role == "assistant" and message.type in _REPLY_TYPES:
                reply.append(message)
                continue
            if message.status == "complete":
                self._extend(_render_other(message))
                self._note_mark(message)
            if not reply:
                self._count, self._last = index + 1, message
        open_reply = _render_reply(reply)
        return ThreadView(
            entries=[*self._entries, *open_reply],
            most_tokens=self._most_tokens + sum(entry.most_tokens for entry in open_reply),
            summary=self._summary,
            gaps=tuple(self._gaps),
        )

    def _extend(self, entries: Sequence[ThreadEntry]) -> None:
        self._entries.extend(entries)
        self._most_tokens += sum(entry.most_tokens for entry in entries)

    def _note_mark(self, message: Message) -> None:
        if (mark := read_mark(message)) is None:
            return
        if mark.text:
            self._summary, self._gaps = mark, []
        else:
            self._gaps.append(mark)


def render_output(message: Message) -> str:
    """Return what code put out, as one message to the model."""
    status = message.data.get("status", "ok") if isinstance(message.data, dict) else "ok"
    content = message.content.replace("</moss-output", "<\\/moss-output")
    return f'<moss-output status="{status}">\n{content}\n</moss-output>'


def render_approval(message: Message) -> str:
    """Return what the user has allowed, as one message to the model."""
    content = message.content.replace("</moss-approval", "<\\/moss-approval")
    return f"{APPROVAL_OPENING}\n{content}\n</moss-approval>"


def render_event(message: Message) -> str:
    """Return what happened to the ghost's task beside what the user said, as one message to the model."""
    kind = message.data.get("event") if isinstance(message.data, dict) else None
    content = message.content.replace("</moss-event", "<\\/moss-event")
    return f'{EVENT_OPENING} type="{kind}">\n{content}\n</moss-event>'


def render_asset(asset: AssetRef) -> AssetMessage:
    """Return a file of the thread, as one message to the model. Its id is there: code may load it."""
    label = f"{asset.kind} {asset.name}, asset {asset.id}"
    verb = "played" if asset.kind == "audio" else "shown"
    return AssetMessage("user", f"[{label}, not {verb} to this model]", asset=asset, caption=f"[{label}]")


def _render_other(message: Message) -> list[ThreadEntry]:
    rendered = _find_message(message)
    if rendered is None:
        return []
    return [
        ThreadEntry(
            rendered,
            turn=message.turn,
            seq=message.seq,
            is_input=message.role == "user",
            said_at=message.created_at,
        )
    ]


def _find_message(message: Message) -> PromptMessage | None:
    if (asset := find_asset(message)) is not None:
        return render_asset(asset)
    content = _find_content(message)
    return None if content is None else PromptMessage("user", content)


def _find_content(message: Message) -> str | None:
    if message.role == "user" and message.type == "text":
        return message.content
    if message.type == "output":
        return render_output(message)
    if message.type == "approval" and message.role == "environment":
        return render_approval(message)
    if message.type == "text" and message.role == "environment":
        return render_event(message)
    return None


def _render_reply(parts: Sequence[Message]) -> list[ThreadEntry]:
    """Return the reply as it came, in a list; an empty one where it was reasoning alone."""
    said = next((raw for part in parts if isinstance(raw := _raw_of(part), str)), None)
    if said is None:
        said = "".join(part.content for part in parts if part.type != "reasoning")
    if not said:
        return []
    last = parts[-1]
    return [ThreadEntry(PromptMessage("assistant", said), turn=last.turn, seq=last.seq, said_at=last.created_at)]


def _raw_of(part: Message) -> object:
    return part.data.get("raw") if isinstance(part.data, dict) else None
