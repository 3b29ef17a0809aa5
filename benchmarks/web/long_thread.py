"""How fast a long thread opens: `python -m benchmarks.web.long_thread`."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.web.page import READY, now, open_browser, serve, write_ball

from ghostos.bootstrap import make_app_container
from ghostos.contracts.store import RoundCommit, Store
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.ghosts.moss_agent import MossAgent

_TURNS = 500
_RUNS = 5
_ANSWER = "The **answer** to it, with a list:\n\n- one\n- two\n\n```python\nprint(plus(2, 3))\n```\n" * 2


async def _write_thread(store: Store, *, target: Path) -> None:
    """Store a thread of talk, a round a turn, as a ghost would have left it."""
    time = datetime.now(UTC)
    ghost = MossAgent(str(target)).dump()
    task = Task(id=new_id(), name="long", target=str(target), ghost=ghost, created_at=time, updated_at=time)
    await store.create_task(task)
    seq = 1
    for turn in range(1, _TURNS + 1):
        event = Event(id=new_id(), task_id=task.id, type="input", payload={"text": f"question {turn}"}, created_at=time)
        await store.post_event(event)
        claim = await store.claim(task.id)
        assert not isinstance(claim, str)
        parts = [("user", "text", f"question {turn}"), ("assistant", "text", _ANSWER), ("assistant", "code", "x = 1\n")]
        parts += [("environment", "output", "(no output)"), ("assistant", "text", f"That was answer {turn}.")]
        messages: list[Message] = []
        for role, kind, content in parts:
            own_id = event.id if role == "user" else new_id()
            facts = {"role": role, "type": kind, "content": content, "created_at": time}
            messages.append(Message(seq=seq, id=own_id, thread=task.id, turn=turn, round=turn, **facts))  # pyright: ignore[reportArgumentType]
            seq += 1
        commit = RoundCommit(
            claim=claim, state="waiting", messages=messages, turn=turn, round=turn, started_at=time, claim_next=False
        )
        await store.commit_round(commit)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target, workspace = write_ball(folder), folder / "workspace"
        container = make_app_container(workspace)
        asyncio.run(_write_thread(container.force_fetch(Store), target=target))
        container.shutdown()
        with open_browser() as browser, serve(["-m", "benchmarks.web.served", str(target), str(workspace)]) as server:
            page = browser.new_context(viewport={"width": 1200, "height": 850}).new_page()
            page.goto(server.address)
            page.locator(READY).wait_for()
            times: list[float] = []
            for _ in range(_RUNS + 1):
                page.goto("about:blank")
                began = now()
                page.goto(f"{server.base}/?thread=long")
                page.get_by_text(f"That was answer {_TURNS}.").wait_for()
                times.append(now() - began)
            began = now()
            page.get_by_role("button", name="Show earlier turns").click()
            page.get_by_text(f"That was answer {_TURNS - 50}.").wait_for(state="attached")
            earlier = now() - began
        figures = sorted(times[1:])
        print(f"  {_TURNS} turns: median {figures[len(figures) // 2]:.2f} s, best {figures[0]:.2f} (at most 1.5)")
        print(f"  some 30 earlier turns: {earlier:.2f} s")


if __name__ == "__main__":
    main()
