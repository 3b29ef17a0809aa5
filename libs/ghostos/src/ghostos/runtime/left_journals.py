"""Journals that processes left behind when they died: what they hold is recovered once, and then they go."""

import logging
from collections.abc import Sequence

from ghostos.contracts.journal import Journals
from ghostos.contracts.store import Claim, Store
from ghostos.core.message import Message
from ghostos.errors import GhostOSError
from ghostos.runtime.attachments import list_message_ids

_logger = logging.getLogger(__name__)


class LeftJournals:
    """Finds what rounds said that never ended.

    A process may die before it has taken over what an earlier one left: then there are several journals of one task.

    Args:
        journals: Where they are.
        store: Knows which rounds are under way.
    """

    def __init__(self, journals: Journals, *, store: Store) -> None:
        self._journals = journals
        self._store = store

    def recover(self, claim: Claim) -> Sequence[Message]:
        """Return what earlier attempts at a claim's event said, in order of seq."""
        if claim.abandoned is None:
            return ()
        found: dict[int, Message] = {}
        for round_id in self._list_of(claim):
            for message in self._journals.read(round_id).messages:
                if message.seq >= claim.task.next_seq and not _belongs_to_other(message, claim):
                    found[message.seq] = message
        return [found[seq] for seq in sorted(found)]

    def forget(self, claim: Claim) -> None:
        """Remove the journals of earlier attempts, now that the claim's own holds what they said."""
        if claim.abandoned is None:
            return
        for round_id in self._list_of(claim):
            self._remove(round_id)

    async def sweep(self) -> None:
        """Remove the journals of rounds that were committed by processes that died before they could."""
        left = self._journals.list_left()
        if not left:
            return
        under_way = await self._store.list_rounds_under_way()  # read after them: what began since is among these
        for round_id, task_id in left.items():
            if round_id not in under_way.values() and task_id not in under_way:
                self._remove(round_id)

    def _list_of(self, claim: Claim) -> list[str]:
        abandoned = {claim.abandoned.round_id} if claim.abandoned is not None else set[str]()
        left = {round_id for round_id, task_id in self._journals.list_left().items() if task_id == claim.task.id}
        return sorted((left | abandoned) - {claim.round_id})  # their ids sort by time

    def _remove(self, round_id: str) -> None:
        try:
            self._journals.remove(round_id)
        except GhostOSError as exc:
            _logger.warning("the journal of round %s was not removed: %s", round_id, exc.happened)


def _belongs_to_other(message: Message, claim: Claim) -> bool:
    """Whether a message comes with another event, and so will come again: what a user said or allowed, what came."""
    is_of_event = message.role == "user" or (message.type == "approval" and message.role == "environment")
    is_of_event = is_of_event or (isinstance(message.data, dict) and "event" in message.data)
    own = {own_id for event in (claim.event, *claim.joined) for own_id in list_message_ids(event)}
    return is_of_event and message.id not in own
