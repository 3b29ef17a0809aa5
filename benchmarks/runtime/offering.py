"""Offers events to a ghost as fast as they are stored."""

from ghostos.abcd import Conversation


async def post_in_order(conversation: Conversation, *, events: int) -> None:
    """Say "0", "1", ... one after the other, and wait until the round of the last one has been committed."""
    for number in range(events - 1):
        _, receiver = await conversation.atalk(str(number))
        receiver.close()
    _, receiver = await conversation.atalk(str(events - 1))
    async with receiver:
        async for _ in receiver.arecv():
            pass
