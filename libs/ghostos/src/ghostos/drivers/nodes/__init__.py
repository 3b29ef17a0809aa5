"""What tells the processes of a workspace of each other."""
