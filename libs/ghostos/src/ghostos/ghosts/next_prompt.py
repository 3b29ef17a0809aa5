"""What the next model call of a task would be sent, for people who look at it."""

from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.round_view import PreviewsPrompt, RoundLook
from ghostos.contracts.store import Store
from ghostos.core.permission import select_grants
from ghostos.core.prompt import Prompt
from ghostos.core.task import Task
from ghostos.errors import UsageError
from ghostos.runtime.child_rights import BoundPermissionBook
from ghostos.runtime.ghost_kinds import GhostKinds
from ghostos_container import Container

__all__ = ["preview_next_prompt"]


async def preview_next_prompt(container: Container, task: Task) -> Prompt:
    """Return the prompt as it would be sent now, without what is said next: before the state, that would come.

    It is made by the code that makes a round's, with the ghost, values, permissions and thread that the task has. Its
    module is compiled for it, and confined as in a round. No model is called, and nothing is stored. On the Matrix's
    loop.

    Args:
        container: The Matrix's.
        task: The task as it stands.

    Raises:
        UsageError: A round of the task runs, which has its module open; or the ghost's kind tells nothing of this.
        GhostOSError: The round would fail before its call.
    """
    if task.state == "running":
        raise UsageError(
            f"A round of the thread '{task.name}' is under way.",
            advice="Look at what it was sent, or wait for its end.",
        )
    driver = container.force_fetch(GhostKinds).load(task.effective_ghost).create_driver()
    if not isinstance(driver, PreviewsPrompt):
        raise UsageError(
            f"A ghost of the kind '{task.ghost.get('type')}' does not say what it would send.",
            advice="Give its driver a method preview_prompt (ghostos.contracts.round_view).",
        )
    messages = await container.force_fetch(Store).list_messages(task.id)
    own = container.child(f"look-{task.id}")
    try:
        if task.rights is not None:
            own.set(PermissionBook, BoundPermissionBook(container.force_fetch(PermissionBook), task.rights))
        turn = task.turn + 1
        grants = select_grants(task.grants, turn=turn)
        look = RoundLook(task=task, container=own, turn=turn, grants=grants, messages=messages)
        return await driver.preview_prompt(look)
    finally:
        await own.ashutdown()
