"""What the user has set of a ghost for one thread, and an index by which a task's events are found.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; nothing was set before."""
    op.add_column("tasks", sa.Column("ghost_edits", sa.Text(), nullable=True))
    op.create_index("ix_events_task_id", "events", ["task_id"])
