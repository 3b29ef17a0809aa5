"""What says which task has work."""
