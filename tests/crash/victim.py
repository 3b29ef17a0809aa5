"""The process that is killed: it opens the workspace, says what was not said yet, and works until all is quiet.

    python victim.py WORKSPACE WORDS KILL

WORDS are commands, one for each turn, dealt out to a few threads. KILL is `statement:before:17` (the 17th time), or
`none`. On stdout: a line for each thing said, and `quiet` at the end.
"""

import asyncio
import faulthandler
import os
import signal
import sys
import threading
from pathlib import Path

from ghostos.abcd import Conversation
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.contracts.store import Store
from ghostos.ghosts.target import load_target

THREADS = 4
HOUSE = Path(__file__).with_name("crash_house.py")


def arm(kill: str) -> None:
    """Have this process killed, as `kill -9` does it, when it comes to a point."""
    if kill == "none":
        return
    point, moment, count = kill.split(":")
    left, lock = [int(count)], threading.Lock()

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event == f"ghostos.{point}" and arguments == (moment,):
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)


def say_rest(conversation: Conversation, words: list[str], store: Store) -> None:
    """Say what neither the thread nor its queue has yet: what was promised to be kept is not said twice."""
    queued = asyncio.run(store.pending_events(conversation.task_id))
    said = {message.content for message in conversation.history() if message.role == "user"}
    said |= {str(event.payload.get("text")) for event in queued}
    for word in words:
        if word not in said:
            conversation.talk(word)[1].close()
            sys.stdout.write(f"said {word}\n")
            sys.stdout.flush()


async def wait_for_quiet(store: Store, task_ids: list[str]) -> None:
    """Wait until nothing is to come of the threads and of what they have made."""
    for task_id in task_ids:
        while not await store.is_at_rest(task_id):  # noqa: ASYNC110 - what is waited for is in a database
            await asyncio.sleep(0.02)


def main() -> None:
    """Work, or die."""
    faulthandler.enable()
    workspace, words, kill = Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3]
    target = load_target(str(HOUSE))
    container = make_app_container(workspace, providers=target.providers)
    with get_ghostos(container).create_matrix("victim") as matrix:
        conversations = [
            matrix.sync(target.ghost, thread=f"t{number}", target=target.name) for number in range(THREADS)
        ]
        arm(kill)
        matrix.background_run(4)
        for number, conversation in enumerate(conversations):
            say_rest(conversation, words[number::THREADS], matrix.store)
        asyncio.run(wait_for_quiet(matrix.store, [each.task_id for each in conversations]))
    sys.stdout.write("quiet\n")


if __name__ == "__main__":
    main()
