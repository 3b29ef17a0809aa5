"""What the host runs is what the user accepted: the record of it, and the imports that go by it."""
