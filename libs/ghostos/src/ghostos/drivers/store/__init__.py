"""The database of a workspace: SQLAlchemy Core on SQLite, one writing thread, migrations by Alembic."""
