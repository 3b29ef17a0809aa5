"""The kinds of ghosts, and what makes one from a file."""
