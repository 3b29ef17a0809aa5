"""Agents that show what GhostOS does."""
