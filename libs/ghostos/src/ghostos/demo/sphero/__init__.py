"""Ghosts whose body is a Sphero ball."""
