"""Alembic's scripts: how an older database becomes one of this version. A new one is made from the tables at once."""
