"""What a store says, and what is left, when the disk or the file cannot serve."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ghostos.drivers.store.schema.revisions import HEAD_REVISION
from ghostos.drivers.store.sql import open_store
from ghostos.errors import DiskFullError, NewerFormatError, WorkspaceError

AS_ROOT = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounts file systems or changes the user: needs root on Linux"
)


@pytest.fixture
def opened(database, clock):
    store = open_store(database, clock=clock, busy_timeout_s=0.1)
    yield store
    store.close()


async def test_a_full_database_refuses_a_round_whole_and_serves_again(opened, records):
    claim = await records.claimed(opened)
    pages = opened._writer.call(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    opened._writer.call(lambda connection: connection.execute(f"PRAGMA max_page_count={pages + 20}").fetchone())
    commit = records.commit(claim, *["x" * 50_000] * 6)
    with pytest.raises(DiskFullError) as caught:
        await opened.commit_round(commit)
    assert "ghostos.db" in caught.value.happened
    assert caught.value.exit_status == 3
    assert await opened.find_task("t1") == claim.task
    assert await opened.list_messages(claim.task.id) == []
    await opened.renew(claim)
    opened._writer.call(lambda connection: connection.execute("PRAGMA max_page_count=1000000").fetchone())
    await opened.commit_round(commit)
    assert len(await opened.list_messages(claim.task.id)) == 6


FILL_DISK = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import Records
from ghostos.core.clock import utc_now
from ghostos.drivers.journal.files import FileJournals
from ghostos.drivers.store.sql import open_store
from ghostos.errors import DiskFullError

folder = Path(sys.argv[1])
filler = folder / "filler"

def fill():
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass

async def refused(work):
    try:
        await work
    except DiskFullError as error:
        print("refused", type(error).__name__)
    else:
        print("done")

async def main():
    records = Records()
    store = open_store(folder / "ghostos.db", clock=records.clock)
    journals = FileJournals(folder / "rounds")
    claim = await records.claimed(store)
    journal = journals.open(claim.round_id)
    journal.complete(records.message(claim.task, 1, "before"))
    fill()
    commit = records.commit(claim, *["x" * 50_000] * 6)
    await refused(store.commit_round(commit))
    try:
        for _ in range(100):
            journal.complete(records.message(claim.task, 2, "y" * 10_000))
    except DiskFullError:
        print("journal refused")
    filler.unlink()
    journal.complete(records.message(claim.task, 3, "after"))
    print([message.content[:6] for message in journals.read(claim.round_id).messages if message.seq != 2])
    print(len(await store.list_messages(claim.task.id)), (await store.find_task("t1")).state)
    await refused(store.commit_round(commit))
    print(len(await store.list_messages(claim.task.id)))
    fill()
    try:
        open_store(folder / "other" / "ghostos.db")
    except DiskFullError:
        print("open refused")
    store.close()

asyncio.run(main())
"""


@AS_ROOT
def test_a_full_disk_loses_nothing(tmp_path):
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o size=1500k tmpfs "$1" && exec "$2" -c "$3" "$1" "$4"'
    arguments = [str(tmp_path / "disk"), sys.executable, FILL_DISK, str(Path(__file__).parent)]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unshare failed" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount here: {done.stderr}")
    assert done.stdout.splitlines() == [
        "refused DiskFullError",
        "journal refused",
        "['before', 'after']",
        "0 running",
        "done",
        "6",
        "open refused",
    ], done.stderr


@pytest.fixture
def readable_folder():
    """A folder that everybody may look into, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from ghostos.drivers.store.sql import open_store
from ghostos.errors import WorkspaceError

os.setgid(65534)
os.setuid(65534)
try:
    open_store(Path(sys.argv[1]))
except WorkspaceError as error:
    print(type(error).__name__, error.happened)
"""


@AS_ROOT
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "existing"])
def test_a_workspace_that_may_not_be_written_is_named(is_new, readable_folder):
    database = readable_folder / "runtime" / "ghostos.db"
    if not is_new:
        open_store(database).close()
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, str(database)], capture_output=True, text=True, timeout=60, check=False
    )
    named = database.parent if is_new else database
    assert done.stdout == f"WorkspaceReadOnlyError {named} cannot be written.\n", done.stderr


def test_a_folder_in_a_file_is_not_made(tmp_path):
    (tmp_path / "runtime").write_text("")
    with pytest.raises(WorkspaceError, match="runtime cannot be used"):
        open_store(tmp_path / "runtime" / "ghostos.db")


def test_a_file_that_is_no_database_is_left_alone(database):
    database.parent.mkdir()
    database.write_bytes(b"what a user keeps here " * 100)
    with pytest.raises(WorkspaceError, match="damaged") as caught:
        open_store(database)
    assert "move the file away" in caught.value.advice
    assert database.read_bytes() == b"what a user keeps here " * 100


async def test_a_damaged_page_is_reported_with_the_file(database, clock, records):
    store = open_store(database, clock=clock)
    claim = await records.claimed(store)
    await store.commit_round(records.commit(claim, *["x" * 2000] * 50))
    store.close()
    with sqlite3.connect(database) as other:
        (page,) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()
    other.close()
    content = bytearray(database.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    database.write_bytes(content)
    store = open_store(database, clock=clock)
    with pytest.raises(WorkspaceError, match=r"ghostos\.db is damaged") as caught:
        await store.list_messages(claim.task.id)
    assert "move the file away" in caught.value.advice
    assert await store.find_task("t1") is not None
    store.close()


def test_a_database_of_something_else_is_left_alone(database):
    database.parent.mkdir()
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(WorkspaceError, match="not one of GhostOS"):
        open_store(database)


def test_a_database_of_a_newer_version_is_refused_by_name(database):
    open_store(database).close()
    with sqlite3.connect(database) as other:
        other.execute("UPDATE alembic_version SET version_num = '0999'")
    other.close()
    with pytest.raises(NewerFormatError) as caught:
        open_store(database)
    assert "'0999'" in caught.value.happened
    assert f"'{HEAD_REVISION}'" in caught.value.happened


async def test_a_database_that_another_process_keeps_locked_is_named(opened, database, records):
    task = await opened.create_task(records.task())
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(WorkspaceError, match="locked"):
        await opened.post_event(records.event(task))
    with pytest.raises(WorkspaceError, match="locked"):
        open_store(database, busy_timeout_s=0.05)
    assert await opened.find_task("t1") == task
    other.execute("ROLLBACK")
    other.close()
    await opened.post_event(records.event(task))


def test_a_store_serves_loops_of_several_threads(opened, records):
    task = asyncio.run(opened.create_task(records.task()))
    assert asyncio.run(opened.find_task("t1")) == task
