"""Plain data of the agent OS: messages, events, tasks, prompts. No I/O anywhere below this package."""
