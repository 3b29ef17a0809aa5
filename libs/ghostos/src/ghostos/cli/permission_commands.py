"""`/allow` in the console: what the code of the thread was refused, and the user's answer."""

import re
from typing import cast

from ghostos.abcd import Conversation, Receiver
from ghostos.cli.streams import write_note
from ghostos.core.escaping import escape_line
from ghostos.core.permission import SCOPES, PermissionRequest, Scope
from ghostos.core.permission_words import (
    describe_asker,
    describe_option,
    describe_question,
    describe_scope,
    show_hidden,
)
from ghostos.errors import PermissionRequestError

_COMMAND = re.compile(r"/allow(?:\s+(?P<scope>\w+))?(?:\s+(?P<number>[0-9]{1,4}))?")


def is_allow(text: str) -> bool:
    """Whether something that was typed is the command, whatever stands behind its name."""
    return "\n" not in text and text.split(maxsplit=1)[:1] == ["/allow"]


class PermissionCommands:
    """What is waiting to be allowed, as it was last shown: a number means what it stood for then."""

    def __init__(self) -> None:
        self._shown: list[PermissionRequest] = []

    def show(self, conversation: Conversation) -> None:
        """Say what was refused, and what can be typed about it; nothing where nothing was."""
        self._shown = conversation.list_requests()
        for number, request in enumerate(self._shown, start=1):
            for line in _describe(request, number=number if len(self._shown) > 1 else None):
                write_note(show_hidden(line))

    def allow(self, conversation: Conversation, text: str) -> Receiver | None:
        """Do what the command says.

        Returns:
            The turn that comes of it; None where the user was shown what can be allowed instead.

        Raises:
            PermissionRequestError: It names what is not there, or what cannot be allowed.
        """
        found = _COMMAND.fullmatch(text)
        if found is None or found["scope"] not in (None, *SCOPES):
            raise PermissionRequestError(f"'{escape_line(text)}' is not understood.", advice=_usage(len(self._shown)))
        if found["scope"] is None:
            self.show(conversation)
        if not self._shown:
            raise PermissionRequestError("Nothing is waiting to be allowed.", advice="Say something to the agent.")
        if found["scope"] is None:
            return None
        request = self._choose(found["number"])
        _, receiver = conversation.allow(request.id, scope=cast("Scope", found["scope"]))
        return receiver

    def _choose(self, number: str | None) -> PermissionRequest:
        if number is None and len(self._shown) > 1:
            raise PermissionRequestError("Several things are waiting to be allowed.", advice=_usage(len(self._shown)))
        at = int(number or 1) - 1
        if not 0 <= at < len(self._shown):
            raise PermissionRequestError(f"There is no number {number}.", advice=_usage(len(self._shown)))
        return self._shown[at]


def _describe(request: PermissionRequest, *, number: int | None) -> list[str]:
    what = f" {request.permission.what}" if request.permission.what else ""
    place = f"{number}. " if number is not None else ""
    asker = describe_asker(request)
    lines = [f"{place}{describe_question(request)}{what}" + (f" (the code says: {asker})" if asker else "")]
    if not request.scopes:
        lines.append(f"   Not here: {request.reason}. If you mean it, start with {describe_option(request.permission)}")
        return lines
    end = f" {number}" if number is not None else ""
    lines += [f"   /allow {scope}{end}: {describe_scope(scope)}" for scope in request.scopes]
    if request.reason:
        lines.append(f"   {request.reason}")
    return lines


def _usage(count: int) -> str:
    number = " NUMBER" if count > 1 else ""
    return f"Type /allow {'|'.join(SCOPES)}{number}; /allow alone shows what is waiting."
