"""Contracts that a ghost's code may use, and what makes them."""
