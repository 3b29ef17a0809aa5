"""A robot ball, Sphero BOLT, as the body of a ghost."""
