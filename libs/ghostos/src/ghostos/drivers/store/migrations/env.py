"""Run by Alembic, inside the transaction that `opening.py` began on the connection that it passes."""

from alembic import context

from ghostos.drivers.store.schema.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,  # ours: it is rolled back with the rest, which Alembic doubts for SQLite
)
context.run_migrations()
