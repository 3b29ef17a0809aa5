"""Tasks that wait for each other: who sent an event, what a child may do, what it made, and what it all cost.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and indexes; what is from before was sent by clients, and cost nothing that is known."""
    op.add_column("tasks", sa.Column("waits_for", sa.Text(), nullable=True))
    op.add_column("tasks", sa.Column("cost", sa.Float(), nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("rights", sa.Text(), nullable=True))
    op.add_column("tasks", sa.Column("artifact", sa.Text(), nullable=True))
    op.create_index("ix_tasks_parent_id", "tasks", ["parent_id"], sqlite_where=sa.text("parent_id IS NOT NULL"))
    op.add_column("events", sa.Column("sender_id", sa.Text(), nullable=True))
    op.create_index(
        "ix_events_timers",
        "events",
        ["not_before"],
        sqlite_where=sa.text("consumed_at IS NULL AND not_before IS NOT NULL"),
    )
    op.add_column("rounds", sa.Column("cost", sa.Float(), nullable=False, server_default="0"))
    op.add_column("rounds", sa.Column("calls", sa.Text(), nullable=True))
