"""Agents to try, and to read: each is a file, with a rehearsal beside it that needs no key."""
