"""What another process works on, heard in this one. The other process is a real one, and so are the files."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ghostos.contracts.store import Claim
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.message import Delta, Message
from ghostos.drivers.journal.files import FileJournals
from ghostos.drivers.store.sql import open_store
from ghostos.errors import GhostOSError, TurnFailedError
from ghostos.runtime.foreign_rounds import ForeignRounds
from ghostos.runtime.receiver import TurnReceiver
from ghostos.runtime.thread_cache import ThreadCache
from ghostos.runtime.thread_log import ThreadLog

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")

DEADLINE_S = 20

WORKER = """
import asyncio, json, queue, sys
from dataclasses import replace
from pathlib import Path
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import AppSettings, Confinement, TurnSettings
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model

workspace, target, replies = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
words = queue.Queue()

class Gated(ScriptedModel):
    async def stream(self, prompt):
        async for delta in super().stream(prompt):
            if delta.kind == "text":
                await asyncio.to_thread(words.get)
            yield delta

container = make_app_container(workspace, providers=[use_model(Gated(replies))], confinement=Confinement("off"))
app = container.force_fetch(AppSettings)
settings = app.settings.model_copy(update={"turn": TurnSettings(model_retries=0)})
container.set(AppSettings, replace(app, settings=settings))
matrix = get_ghostos(container).create_matrix("worker")
ghost = MossAgent(target) if target else Chatbot("Echo", instruction="Be short.")
conversation = matrix.sync(ghost, thread="t")
print(conversation.task_id, flush=True)
receivers = []
for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    match command:
        case "word":
            for _ in range(int(argument or 1)):
                words.put(None)
        case "talk":
            event, receiver = conversation.talk(argument)
            receivers.append(receiver)
            print(event.id, flush=True)
        case "resume":
            receivers.append(conversation.resume())
            print("resumed", flush=True)
        case "cancel":
            print(conversation.cancel(argument).id, flush=True)
        case "wait":
            try:
                for _ in receivers[-1].recv():
                    pass
            except Exception as exc:
                print(type(exc).__name__, flush=True)
            else:
                print("done", flush=True)
        case "close":
            matrix.close()
            print("closed", flush=True)
"""


class Worker:
    """A process with a Matrix in which the model says a word when it is told to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.task_id = ""

    async def order(self, command: str) -> str:
        """Give an order and return the answer."""
        self.tell(command)
        return await self.line()

    async def line(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), DEADLINE_S)
        assert line, "the worker ended"
        return line.decode().strip()

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


class Listener:
    """Hears one turn."""

    def __init__(self, receiver: TurnReceiver) -> None:
        self.receiver = receiver
        self.deltas: list[Delta] = []
        self._heard = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for delta in self.receiver.arecv():
            self.deltas.append(delta)
            self._heard.set()

    @property
    def said(self) -> str:
        """What the ghost said, as it came."""
        return "".join(
            delta.content for delta in self.deltas if delta.role == "assistant" and delta.type in ("text", "code")
        )

    @property
    def whole(self) -> list[tuple[str, str, str]]:
        return [
            (delta.message.role, delta.message.content, delta.message.status)
            for delta in self.deltas
            if delta.message is not None and delta.type != "state"
        ]

    async def until(self, said: str) -> None:
        """Wait until the ghost has said exactly this."""
        async with asyncio.timeout(DEADLINE_S):
            while self.said != said:
                assert said.startswith(self.said), self.said
                self._heard.clear()
                await self._heard.wait()

    async def end(self) -> None:
        """Wait for the turn's end; raises where it ended in an error."""
        await asyncio.wait_for(self._task, DEADLINE_S)

    def leave(self) -> None:
        self.receiver.close()


class Here:
    """What this process has of a Matrix: it listens."""

    def __init__(self, workspace: Path) -> None:
        self.store = open_store(workspace / "runtime" / "ghostos.db")
        self.journals = FileJournals(workspace / "runtime" / "rounds")
        self.threads = ThreadCache(self.store)
        self.log = ThreadLog()
        self.left: asyncio.Queue[str] = asyncio.Queue()
        self.foreign = self.new_foreign()

    def new_foreign(self) -> ForeignRounds:
        return ForeignRounds(
            store=self.store, journals=self.journals, threads=self.threads, on_left=self.left.put_nowait
        )

    async def open(self, task_id: str) -> None:
        """Know of the task what it is now, as opening a conversation does."""
        task = await self.store.find_task(task_id)
        assert task is not None
        self.threads.begin(task)

    def listen(self, *, event_id: str | None = None, log: ThreadLog | None = None) -> Listener:
        cursor = (log or self.log).listen_to_turn()
        return Listener(TurnReceiver(cursor, event_id=event_id, check_thread=lambda: None, with_input=True))

    async def follow(self, task_id: str) -> None:
        """Follow a task once somebody works on it, as its Matrix does when a claim is answered with `held`."""
        async with asyncio.timeout(DEADLINE_S):
            while not await self._is_at_work(task_id):  # noqa: ASYNC110 - the other process does not say so
                await asyncio.sleep(0.005)
        self.foreign.follow(task_id, log=self.log)

    async def _is_at_work(self, task_id: str) -> bool:
        progress = await self.store.find_progress(task_id, after_seq=0)
        return progress is not None and progress.is_at_work

    async def until_unfollowed(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while running := [task for _, task in self.foreign._followed.values()]:
                await asyncio.wait(running)

    async def post(self, task_id: str, text: str) -> Event:
        event = Event(id=new_id(), task_id=task_id, type="input", payload={"text": text}, created_at=utc_now())
        return await self.store.post_event(event)

    async def close(self) -> None:
        await self.foreign.stop()
        self.store.close()


StartWorker = Callable[..., Awaitable[Worker]]


@pytest.fixture
async def start(workspace) -> AsyncIterator[StartWorker]:
    workers: list[Worker] = []

    async def start_one(*replies: str, target: Path | None = None) -> Worker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, str(workspace), str(target or ""), json.dumps(replies)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        workers.append(Worker(process))
        workers[-1].task_id = await workers[-1].line()
        return workers[-1]

    yield start_one
    for worker in workers:
        await worker.end()


@pytest.fixture
async def here(workspace) -> AsyncIterator[Here]:
    here = Here(workspace)
    yield here
    await here.close()


async def test_a_turn_of_another_process_is_heard_while_it_is_said(start, here):
    worker = await start("one two three")
    await here.open(worker.task_id)
    listener = here.listen()
    event_id = await worker.order("talk hello")
    worker.tell("word")
    await here.follow(worker.task_id)
    await listener.until("one")
    assert here.log.turn_event_id == event_id
    worker.tell("word")
    await listener.until("one two")
    worker.tell("word")
    await listener.end()
    assert listener.said == "one two three"
    assert listener.whole == [("user", "hello", "complete"), ("assistant", "one two three", "complete")]
    assert [delta.offset for delta in listener.deltas if delta.role == "assistant" and delta.type == "text"] == [
        *(0, 3, 7, 13),
    ]
    committed = await here.store.list_messages(worker.task_id)
    assert [delta.message for delta in listener.deltas if delta.message] == committed
    assert not here.log.has_turn


async def test_all_rounds_of_a_turn_are_one_turn(start, here, two_functions):
    code = "<moss>\nprint(plus(1, 2))\n</moss>"
    worker = await start(f"I add. {code}", "Three.", target=two_functions)
    await here.open(worker.task_id)
    listener = here.listen()
    worker.tell("word 100")
    await worker.order("talk add")
    await here.follow(worker.task_id)
    await listener.end()
    committed = await here.store.list_messages(worker.task_id)
    assert [delta.message for delta in listener.deltas if delta.message] == committed
    assert {message.round for message in committed} == {1, 2}
    await here.until_unfollowed()


async def test_who_comes_late_hears_the_turn_from_its_beginning(start, here, two_functions):
    code = "<moss>\nprint(plus(1, 2))\n</moss>"
    worker = await start(code, "Three it is.", target=two_functions)
    first = here.listen()
    event_id = await worker.order("talk add")
    await here.follow(worker.task_id)
    worker.tell(f"word {len(code.split()) + 1}")
    await here.open(worker.task_id)
    async with asyncio.timeout(DEADLINE_S):
        while "Three" not in first.said:
            first._heard.clear()
            await first._heard.wait()
    said = first.said
    first.leave()
    here.log = ThreadLog()
    late = here.listen(event_id=event_id)
    await here.follow(worker.task_id)
    await late.until(said)
    worker.tell("word 20")
    await late.end()
    committed = await here.store.list_messages(worker.task_id)
    assert [delta.message for delta in late.deltas if delta.message] == committed


async def test_an_event_that_waits_for_another_process_is_heard_by_who_sent_it(start, here):
    worker = await start("first", "second")
    await here.open(worker.task_id)
    await worker.order("talk one")
    event = await here.post(worker.task_id, "two")
    listener = here.listen(event_id=event.id)
    await here.follow(worker.task_id)
    worker.tell("word 2")
    await listener.end()
    assert listener.said == "second"
    assert listener.whole == [("user", "two", "complete"), ("assistant", "second", "complete")]


async def test_a_killed_process_is_succeeded_and_nothing_is_heard_twice(start, here):
    worker = await start("one two three")
    await here.open(worker.task_id)
    listener = here.listen()
    event_id = await worker.order("talk hello")
    worker.tell("word 2")
    await here.follow(worker.task_id)
    await listener.until("one two")
    await worker.kill()
    assert await asyncio.wait_for(here.left.get(), DEADLINE_S) == worker.task_id
    await here.until_unfollowed()
    assert here.log.turn_event_id == event_id
    claim = await here.store.claim(worker.task_id)
    assert isinstance(claim, Claim)
    shown = await here.foreign.take_over(claim, log=here.log)
    assert here.log.turn_event_id == event_id
    assert claim.abandoned is not None
    for message in here.journals.read(claim.abandoned.round_id).messages:
        for delta in shown.take(message):
            here.log.append(delta)
    here.log.append(Delta(seq=99, type="text", role="assistant", content="Again."))
    here.log.end_turn()
    await listener.end()
    assert listener.said == "one twoAgain."
    assert listener.whole == [("user", "hello", "complete"), ("assistant", "one two", "partial")]


async def test_what_a_third_process_takes_over_is_heard_once(start, here):
    worker = await start("one two three")
    await here.open(worker.task_id)
    listener = here.listen()
    await worker.order("talk hello")
    worker.tell("word 2")
    await here.follow(worker.task_id)
    await listener.until("one two")
    await worker.kill()
    await asyncio.wait_for(here.left.get(), DEADLINE_S)
    successor = await start("Better: four.")
    await successor.order("resume")
    await here.follow(worker.task_id)
    successor.tell("word 2")
    await listener.end()
    assert listener.said == "one twoBetter: four."
    assert listener.whole == [
        ("user", "hello", "complete"),
        ("assistant", "one two", "partial"),
        ("assistant", "Better: four.", "complete"),
    ]


async def test_a_process_that_closes_leaves_its_round(start, here):
    worker = await start("one two three")
    await here.open(worker.task_id)
    listener = here.listen()
    await worker.order("talk hello")
    worker.tell("word")
    await here.follow(worker.task_id)
    await listener.until("one")
    worker.tell("close")
    assert await asyncio.wait_for(here.left.get(), DEADLINE_S) == worker.task_id
    listener.leave()


async def test_an_abandoned_round_of_old_is_nobodys_news(start, here):
    worker = await start("one two")
    await worker.order("talk hello")
    worker.tell("word")
    first = here.listen()
    await here.follow(worker.task_id)
    await first.until("one")
    await here.foreign.stop()
    await worker.kill()
    later = here.new_foreign()
    log = ThreadLog()
    listener = here.listen(log=log)
    later.follow(worker.task_id, log=log)
    (running,) = [task for _, task in later._followed.values()]
    await asyncio.wait_for(running, DEADLINE_S)
    assert here.left.empty()
    listener.leave()
    first.leave()


async def test_a_turn_that_fails_elsewhere_fails_here(start, here):
    worker = await start()
    await here.open(worker.task_id)
    event_id = await worker.order("talk hello")
    listener = here.listen(event_id=event_id)
    await worker.order("wait")
    await here.foreign.show(worker.task_id, log=here.log)
    with pytest.raises(TurnFailedError, match="no reply"):
        await listener.end()


async def test_a_turn_that_is_stopped_elsewhere_ends_here(start, here):
    worker = await start("one two three")
    await here.open(worker.task_id)
    listener = here.listen()
    await worker.order("talk hello")
    worker.tell("word")
    await here.follow(worker.task_id)
    await listener.until("one")
    await worker.order("cancel enough")
    await listener.end()
    assert listener.said == "one"


async def test_turns_that_were_missed_are_shown_whole(start, here):
    worker = await start("first", "second")
    await here.open(worker.task_id)
    worker.tell("word 2")
    ids = []
    for text in ("one", "two"):
        ids.append(await worker.order(f"talk {text}"))
        assert await worker.order("wait") == "done"
    listeners = [here.listen(event_id=event_id) for event_id in ids]
    await here.foreign.show(worker.task_id, log=here.log)
    await here.foreign.show(worker.task_id, log=here.log)
    for listener, said in zip(listeners, ("first", "second"), strict=True):
        await listener.end()
        assert listener.said == said
    assert here.threads.known_seq(worker.task_id) == (await here.store.list_messages(worker.task_id))[-1].seq


async def test_two_that_look_at_once_show_once(start, here):
    worker = await start("first")
    await here.open(worker.task_id)
    worker.tell("word 1")
    await worker.order("talk one")
    await worker.order("wait")
    cursor = here.log.listen()
    await asyncio.gather(*(here.foreign.show(worker.task_id, log=here.log) for _ in range(5)))
    here.log.append(Delta(seq=99, type="text", role="assistant", content="last"))
    heard = [item async for item in _until_last(cursor)]
    assert "".join(item.content for item in heard if isinstance(item, Delta) and item.role == "assistant") == "first"


async def _until_last(cursor):
    async for item in cursor.aitems():
        if isinstance(item, Delta) and item.seq == 99:
            return
        yield item


async def test_what_was_missed_is_shown_before_a_turn_of_ones_own(start, here):
    worker = await start("first")
    await here.open(worker.task_id)
    worker.tell("word 1")
    event_id = await worker.order("talk one")
    await worker.order("wait")
    listener = here.listen(event_id=event_id)
    await worker.order("close")
    await here.post(worker.task_id, "two")
    claim = await here.store.claim(worker.task_id)
    assert isinstance(claim, Claim)
    await here.foreign.take_over(claim, log=here.log)
    await listener.end()
    assert listener.said == "first"
    assert not here.log.has_turn


async def test_ones_own_rounds_are_not_followed(start, here):
    worker = await start()
    await worker.order("close")
    event = await here.post(worker.task_id, "hello")
    claim = await here.store.claim(worker.task_id)
    assert isinstance(claim, Claim)
    assert claim.event == event
    listener = here.listen()
    await here.foreign.take_over(claim, log=here.log)
    here.foreign.follow(worker.task_id, log=here.log)
    assert not here.foreign._followed
    here.foreign.release(worker.task_id)
    here.foreign.release(worker.task_id)
    here.foreign.follow(worker.task_id, log=here.log)
    assert here.foreign._followed
    listener.leave()
    await here.until_unfollowed()


async def test_nothing_is_followed_while_nobody_listens(start, here):
    worker = await start("one two")
    await worker.order("talk hello")
    await here.follow(worker.task_id)
    assert not here.foreign._followed
    listener = here.listen()
    await here.follow(worker.task_id)
    worker.tell("word")
    await listener.until("one")
    listener.leave()
    await here.until_unfollowed()
    again = here.listen()
    await here.follow(worker.task_id)
    worker.tell("word")
    await again.end()
    assert again.said == "one two"
    assert again.whole == [("user", "hello", "complete"), ("assistant", "one two", "complete")]


async def test_a_thread_where_nothing_runs_is_not_followed_on(start, here):
    worker = await start()
    listener = here.listen()
    here.foreign.follow(worker.task_id, log=here.log)
    here.foreign.follow("no-such-task", log=here.log)
    await here.until_unfollowed()
    assert listener.deltas == []
    listener.leave()


async def test_a_journal_that_vanishes_costs_only_the_live_part(start, here, workspace):
    worker = await start("one two three")
    await here.open(worker.task_id)
    listener = here.listen()
    await worker.order("talk hello")
    worker.tell("word")
    await here.follow(worker.task_id)
    await listener.until("one")
    for journal in (workspace / "runtime" / "rounds").iterdir():
        journal.rename(workspace / "elsewhere")
    worker.tell("word 2")
    await listener.end()
    assert listener.said == "one two three"


async def test_a_turn_that_begins_while_the_task_is_looked_at_goes_on(start, here):
    worker = await start()
    await worker.order("close")
    await here.open(worker.task_id)
    event = await here.post(worker.task_id, "hello")
    claim = await here.store.claim(worker.task_id)
    assert isinstance(claim, Claim)
    looks = 0
    journal = None

    class Watched:
        async def find_progress(self, *args, **kwargs):
            nonlocal looks, journal
            looks += 1
            progress = await here.store.find_progress(*args, **kwargs)
            if looks == 2:
                journal = here.journals.open(claim.round_id)
                said = Message(
                    seq=1,
                    id=event.id,
                    thread=worker.task_id,
                    turn=1,
                    round=1,
                    role="user",
                    type="text",
                    content="hello",
                    created_at=utc_now(),
                )
                journal.complete(said)
                journal.start(replace(said, seq=2, id=new_id(), role="assistant", content=""))
                journal.delta(2, "one")
            return progress

    foreign = ForeignRounds(
        store=cast(Any, Watched()), journals=here.journals, threads=here.threads, on_left=here.left.put_nowait
    )
    listener = here.listen()
    foreign.follow(worker.task_id, log=here.log)
    await listener.until("one")
    assert looks >= 2
    seen = looks
    while looks < seen + 2:
        foreign.follow(worker.task_id, log=here.log)
        await asyncio.sleep(0.01)
    assert here.log.turn_event_id == event.id
    assert journal is not None
    journal.delta(2, " two")
    await listener.until("one two")
    await foreign.stop()
    listener.leave()


async def test_damage_in_a_journal_is_made_good_by_the_commit(start, here, workspace):
    worker = await start("one two three")
    await here.open(worker.task_id)
    listener = here.listen()
    await worker.order("talk hello")
    worker.tell("word")
    await here.follow(worker.task_id)
    await listener.until("one")
    (journal,) = (workspace / "runtime" / "rounds").iterdir()
    with journal.open("ab") as file:
        file.write(b'\n{"kind": "delta", "seq": "x"}\n{"kind":\n\xff\xfe\n' + b"[" * 10_000 + b"\n")
    worker.tell("word 2")
    await listener.end()
    assert listener.said == "one two three"


async def test_stopping_ends_all_following(start, here):
    worker = await start("one two")
    await worker.order("talk hello")
    listener = here.listen()
    await here.follow(worker.task_id)
    await here.foreign.stop()
    await here.foreign.stop()
    assert not here.foreign._followed
    here.foreign.follow(worker.task_id, log=here.log)
    assert not here.foreign._followed
    listener.leave()


async def test_a_store_that_fails_for_a_while_is_asked_again(start, here, caplog):
    worker = await start("one two")
    await here.open(worker.task_id)
    await worker.order("talk hello")
    asked = []

    class Failing:
        async def find_progress(self, *args, **kwargs):
            asked.append(args)
            if len(asked) == 1:
                raise GhostOSError("The disk is asleep.")
            return await here.store.find_progress(*args, **kwargs)

    foreign = ForeignRounds(
        store=cast(Any, Failing()), journals=here.journals, threads=here.threads, on_left=here.left.put_nowait
    )
    listener = here.listen()
    foreign.follow(worker.task_id, log=here.log)
    worker.tell("word 2")
    await listener.end()
    assert listener.said == "one two"
    assert "The disk is asleep" in caplog.text
    await foreign.stop()
