"""The tables. A change here needs a migration in `../migrations/versions` and its revision in `revisions.py`.

Ids are UUIDv7 in text; times are microseconds since 1970 in UTC (`Moment`); whatever has no columns of its own is JSON.
"""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text, text

from ghostos.drivers.store.schema.types import AnyText, JsonText, Moment

__all__ = ["assets", "code_runs", "events", "messages", "metadata", "nodes", "rounds", "tasks", "variables"]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# The wide columns come last: SQLite then reads the narrow ones without touching the pages of the wide ones.
tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", AnyText, nullable=False, unique=True),
    Column("target", AnyText, nullable=False),
    Column("state", Text, nullable=False),
    Column("parent_id", Text, ForeignKey("tasks.id")),
    Column("forked_from", Text, ForeignKey("tasks.id")),
    Column("fork_seq", Integer),
    Column("turn", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("next_seq", Integer, nullable=False),
    Column("error_streak", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("model_calls", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False, index=True),
    # Who works on it: a process, until when, and the number of the claim. The round is kept after the owner is gone.
    Column("lease_owner", Text),
    Column("lease_until", Moment),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("current_round_id", Text),
    # Tasks that its running round waits for. Whoever takes the round over cancels them.
    Column("waits_for", JsonText),
    Column("cost", Float, nullable=False, server_default="0"),
    Column("ghost", JsonText, nullable=False),
    Column("context", JsonText),
    Column("pycontext", JsonText),
    Column("grants", JsonText),
    # What a task that another one made may do at most; None is what the user allows.
    Column("rights", JsonText),
    Column("artifact", JsonText),
    # What the user has set of the ghost for this thread; None is nothing.
    Column("ghost_edits", JsonText),
    Index("ix_tasks_parent_id", "parent_id", sqlite_where=text("parent_id IS NOT NULL")),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("not_before", Moment),
    Column("consumed_at", Moment),
    Column("payload", JsonText, nullable=False),
    Column("sender_id", Text),
    Index("ix_events_pending", "task_id", "priority", "seq", sqlite_where=text("consumed_at IS NULL")),
    Index("ix_events_task_id", "task_id"),
    Index("ix_events_timers", "not_before", sqlite_where=text("consumed_at IS NULL AND not_before IS NOT NULL")),
    sqlite_autoincrement=True,  # a number is never given twice, not even after everything was deleted
)

# A row is a round that was committed. The unique event is what makes "applied twice" impossible, whoever runs it.
rounds = Table(
    "rounds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event_id", Text, ForeignKey("events.id"), nullable=False, unique=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("model_calls", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("committed_at", Moment, nullable=False),
    Column("cost", Float, nullable=False, server_default="0"),
    Column("calls", JsonText),
    Column("pycontext", JsonText),
    Index("ix_rounds_task_id", "task_id", "round"),
)

messages = Table(
    "messages",
    metadata,
    Column("task_id", Text, ForeignKey("tasks.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("parent", Text),
    Column("role", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("content", AnyText, nullable=False),
    Column("data", JsonText),
)

# `round_id` refers to no row: the run is committed before its round is, and outlives one that never is.
code_runs = Table(
    "code_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False),
    Column("round_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("duration_s", Float),
    Column("code", AnyText, nullable=False),
    Column("calls", JsonText, nullable=False),
    Index("ix_code_runs_started", "task_id", sqlite_where=text("status = 'started'")),
)

# Values that ghosts hand to each other by id; the id counts only for the maker and the tasks in `given_to`.
variables = Table(
    "variables",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("given_to", JsonText, nullable=False),
    Column("value", JsonText),
)

# Files of `runtime/assets`, each named by its SHA-256: the same content is on the disk once.
assets = Table(
    "assets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False, index=True),
    Column("sha256", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("given_to", JsonText, nullable=False),
)

# Processes at work in the workspace; `id` is the key of the owner that leases name.
nodes = Table(
    "nodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("address", Text),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)
