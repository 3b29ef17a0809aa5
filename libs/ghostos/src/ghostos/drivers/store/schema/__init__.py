"""What the database looks like: its tables, the types of their columns, and the versions of the schema."""
