"""Makes a thread long by writing copies of its last turn into the database."""

import sqlite3
from pathlib import Path

from ghostos.core.ids import new_id

COLUMNS = "task_id, seq, id, turn, round, parent, role, type, status, created_at, content, data"


def lengthen(database: Path, *, turns: int) -> int:
    """Copy the last turn of the one thread in a database until it has that many turns.

    No process may have the thread open.

    Returns:
        How many messages the thread has then.
    """
    with sqlite3.connect(database) as connection:
        task_id, turn, round_, next_seq = connection.execute("SELECT id, turn, round, next_seq FROM tasks").fetchone()
        last = connection.execute(
            f"SELECT {COLUMNS} FROM messages WHERE task_id = ? AND turn = ? ORDER BY seq",  # noqa: S608 - our columns
            (task_id, turn),
        ).fetchall()
        rounds = round_ - last[0][4] + 1
        copies = [
            (task_id, seq + n * len(last), new_id(), turn + n, number + n * rounds, *rest)
            for n in range(1, turns - turn + 1)
            for _, seq, _, _, number, *rest in last
        ]
        marks = ", ".join("?" * len(last[0]))
        connection.executemany(f"INSERT INTO messages ({COLUMNS}) VALUES ({marks})", copies)  # noqa: S608 - as above
        last_seq = next_seq - 1 + len(copies)
        added = turns - turn
        connection.execute(
            "UPDATE tasks SET turn = ?, round = ?, next_seq = ?", (turns, round_ + added * rounds, last_seq + 1)
        )
        return last_seq
