"""Where the content of saved files lies."""
