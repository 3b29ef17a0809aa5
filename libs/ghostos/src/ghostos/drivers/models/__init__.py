"""Models: one service's protocol per module, two that need no network, and the registry that chooses."""
