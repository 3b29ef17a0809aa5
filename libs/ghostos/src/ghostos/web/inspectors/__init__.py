"""The parts of the page that looks into one thread, one module each. What they show of others is text, never markup."""
