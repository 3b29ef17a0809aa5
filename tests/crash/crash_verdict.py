"""What must hold of a workspace and its ledgers after any number of deaths."""

import asyncio
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.drivers.store.sql import open_store


def check(workspace: Path, *, words: list[str], book: Path) -> Counter[str]:
    """Hold the threads against what was asked and what was really done.

    Returns:
        How many words of each kind were done, and of how many the ghost was told that they were interrupted.
    """
    threads = asyncio.run(_read_threads(workspace))
    _check_tables(workspace / "runtime" / "ghostos.db")
    assert not list((workspace / "runtime" / "rounds").iterdir()), "journals of rounds that ended are removed"
    written = Counter(book.read_text().split()) if book.exists() else Counter[str]()
    outcome: Counter[str] = Counter()
    for number in range(4):
        task, thread = threads[f"t{number}"]
        outcome += _check_thread(task, thread, words=words[number::4], written=written)
    _check_helpers(threads)
    return outcome


def _check_thread(task: Task, thread: list[Message], *, words: list[str], written: Counter[str]) -> Counter[str]:
    seqs = [message.seq for message in thread]
    assert seqs == sorted(set(seqs)), "no message is lost, none is there twice"
    said = [message.content for message in thread if message.role == "user"]
    assert said == words, "everything that was said is there once, in order"
    outcome: Counter[str] = Counter()
    done: list[str] = []
    for word in words:
        turn = [message for message in thread if message.turn == _turn_of(thread, word)]
        replies = Counter(message.content for message in thread if message.role == "assistant" and _is_whole(message))
        was_told = any(_is_interruption(message) for message in turn)
        kind, _, name = word.partition(" ")
        if was_told:
            assert replies["I was told that it was interrupted."] > 0
            outcome[f"{kind} interrupted"] += 1
        else:
            outcome[kind] += 1
        match kind:
            case "write":
                assert written[name] <= 1, f"code that had started never runs again: {name}"
                assert replies[f"done: wrote {name}"] == (0 if was_told else 1), name
                if not was_told:
                    assert written[name] == 1, name
                    done.append(name)
            case "timer":
                assert replies[f"rang {name}"] == (0 if was_told else 1), name
            case "child":
                assert replies[f"heard {name}"] == (0 if was_told else 1), name
            case "call":
                assert replies[f"done: called helped {name}"] == (0 if was_told else 1), name
            case _:
                assert replies[f"said {name}"] == 1, name
    stored = (task.pycontext or {}).get("values")
    seen = stored.get("seen", []) if isinstance(stored, dict) else []
    assert seen == done, "values are those of the code that ended well"
    return outcome


def _check_helpers(threads: dict[str, tuple[Task, list[Message]]]) -> None:
    for task, thread in threads.values():
        if task.parent_id is None:
            continue
        asked = [message.content.removeprefix("help ") for message in thread if message.role == "user"]
        replies = Counter(message.content for message in thread if message.role == "assistant" and _is_whole(message))
        assert len(asked) == 1, "a subtask is asked once"
        assert replies[f"helped {asked[0]}"] == (0 if task.state == "cancelled" and not replies else 1)


def _check_tables(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for what, query in {
            "events that nobody dealt with": "SELECT * FROM events WHERE consumed_at IS NULL",
            "runs that never ended": "SELECT * FROM code_runs WHERE status = 'started'",
            "tasks that are stuck": "SELECT name, state FROM tasks WHERE state NOT IN ('waiting', 'cancelled')",
            "tasks that somebody holds": "SELECT name FROM tasks WHERE lease_owner IS NOT NULL",
            "events applied twice": "SELECT event_id FROM rounds GROUP BY event_id HAVING count(*) > 1",
            "two rounds with one number": "SELECT task_id FROM rounds GROUP BY task_id, round HAVING count(*) > 1",
        }.items():
            assert connection.execute(query).fetchall() == [], what


def _turn_of(thread: list[Message], word: str) -> int:
    return next(message.turn for message in thread if message.role == "user" and message.content == word)


def _is_whole(message: Message) -> bool:
    return message.status == "complete"


def _is_interruption(message: Message) -> bool:
    data = message.data if isinstance(message.data, dict) else {}
    return message.type == "output" and data.get("status") == "interrupted"


async def _read_threads(workspace: Path) -> dict[str, tuple[Task, list[Message]]]:
    store = open_store(workspace / "runtime" / "ghostos.db")
    try:
        found: dict[str, tuple[Task, list[Message]]] = {}
        for summary in await store.list_threads(limit=10_000):
            task = await store.find_task(summary.id)
            assert task is not None
            found[task.name] = task, await store.list_messages(task.id)
        return found
    finally:
        store.close()


def words_for(count: int) -> list[str]:
    """Return what is said in that many turns: writing, talking, timers, subtasks, calls; each has its own word."""
    kinds = ("write", "say", "timer", "write", "child", "call", "say")
    words = [f"{kinds[number % len(kinds)]} w{number:03}" for number in range(count)]
    assert len(set(words)) == count
    assert all(re.fullmatch(r"\w+ \w+", word) for word in words)
    return words
