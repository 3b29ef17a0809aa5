"""The values of `moss` after each round.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Of rounds from before it is known of the last alone that changed something what they left."""
    op.add_column("rounds", sa.Column("pycontext", sa.Text(), nullable=True))
    op.execute("UPDATE rounds SET pycontext = 'false' WHERE id IN (SELECT round_id FROM code_runs WHERE status = 'ok')")
    op.execute(
        "UPDATE rounds SET pycontext = (SELECT tasks.pycontext FROM tasks WHERE tasks.id = rounds.task_id) "
        "WHERE pycontext = 'false' AND round = (SELECT max(later.round) FROM rounds AS later "
        "WHERE later.task_id = rounds.task_id AND later.pycontext = 'false')"
    )
