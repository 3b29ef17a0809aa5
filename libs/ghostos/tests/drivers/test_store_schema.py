"""The schema: one and the same whether it was created or migrated, and old databases go on."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from ghostos.contracts.store import Claim
from ghostos.drivers.store.opening import create_schema, upgrade_schema
from ghostos.drivers.store.schema.revisions import HEAD_REVISION, REVISIONS
from ghostos.drivers.store.sql import open_store
from ghostos.errors import WorkspaceError
from ghostos_moss import Permission

FIRST = Path(__file__).parent.parent / "fixtures" / "ghostos-0001.db"


def schema_of(database: Path) -> dict[str, str]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")") for name, sql in rows}


def clauses(schema: dict[str, str]) -> dict[str, list[str]]:
    """Constraints have no order; the last one ends with the table's own bracket."""
    return {name: sorted(re.split(r", (?=\w)", sql.removesuffix(")"))) for name, sql in schema.items()}


def test_creating_and_migrating_give_the_same_schema(tmp_path):
    for name, make in (("created", create_schema), ("migrated", upgrade_schema)):
        engine = create_engine(f"sqlite:///{tmp_path / name}")
        with engine.begin() as connection:
            make(connection)
        engine.dispose()
    created, migrated = schema_of(tmp_path / "created"), schema_of(tmp_path / "migrated")
    assert clauses(created) == clauses(migrated)
    assert "table tasks" in created
    assert "index ix_events_pending" in created


def test_the_list_of_revisions_is_that_of_the_migrations():
    config = Config()
    config.set_main_option("script_location", "ghostos.drivers.store:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))
    assert scripts.get_current_head() == HEAD_REVISION


def test_every_revision_has_its_database_among_the_fixtures():
    assert sorted(path.stem for path in FIRST.parent.glob("ghostos-*.db")) == [f"ghostos-{name}" for name in REVISIONS]


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_of_an_earlier_version_goes_on(revision, database, clock, records):
    database.parent.mkdir()
    shutil.copy(FIRST.with_name(f"ghostos-{revision}.db"), database)
    store = open_store(database, clock=clock)
    task = await store.find_task("kept")
    assert task is not None
    assert task.pycontext == {"format": 1, "values": {"count": 3}}
    assert [message.content for message in await store.list_messages(task.id)] == ["one", "two"]
    allowed = [Permission("read", "/srv/data/")] if revision >= "0002" else []
    assert [grant.permission for grant in task.grants] == allowed
    assert task.effective_ghost["name"] == ("mine" if revision >= "0005" else "me")
    claim = await store.claim(task.id)
    assert isinstance(claim, Claim)
    assert claim.event.payload["text"] == "hello"
    await store.commit_round(records.commit(claim, "three"))
    assert [message.seq for message in await store.list_messages(task.id)] == [1, 2, 3]
    kept = await store.find_task("kept")
    assert kept is not None
    assert kept.grants == task.grants
    assert (await store.fork(task.id, at_turn=1)).pycontext == task.pycontext
    store.close()
    new = database.with_name("new.db")
    open_store(new).close()
    assert clauses(schema_of(database)) == clauses(schema_of(new))


async def test_an_older_database_is_brought_up_to_date_when_it_is_opened(database, records):
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    store = open_store(database)
    assert await store.create_task(records.task()) == await store.find_task("t1")
    store.close()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD_REVISION,)]


def test_a_migration_that_fails_changes_nothing(database):
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("CREATE TABLE rounds (something TEXT)")  # in the way of the second table but one
    before = schema_of(database)
    with pytest.raises(WorkspaceError, match="rounds already exists"):
        open_store(database)
    assert schema_of(database) == before


def test_opening_never_pays_for_alembic(database):
    script = (
        "import sys; from pathlib import Path; from ghostos.drivers.store.sql import open_store\n"
        "for _ in range(2): open_store(Path(sys.argv[1])).close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(database)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_closed_database_is_one_file(database):
    open_store(database).close()
    assert [path.name for path in database.parent.iterdir()] == ["ghostos.db"]


@pytest.mark.parametrize(("durability", "level"), [("normal", 1), ("full", 2)])
def test_durability_is_what_sqlite_is_told(durability, level, database):
    store = open_store(database, durability=durability)
    read = [f"PRAGMA {name}" for name in ("synchronous", "journal_mode", "foreign_keys")]
    # Inside a transaction, pragmas are only read.
    assert [store._writer.call(lambda c, sql=sql: c.execute(sql).fetchone()[0]) for sql in read] == [level, "wal", 1]
    store.close()
