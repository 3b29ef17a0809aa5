"""What the user allows a task's code with a click.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; tasks from before have allowed nothing."""
    op.add_column("tasks", sa.Column("grants", sa.Text(), nullable=True))
