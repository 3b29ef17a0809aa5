"""What keeps the words of a round until it is committed."""
