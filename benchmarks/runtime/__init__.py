"""What the durable runtime costs: turns beside public peers, events, durability, idle time, many ghosts at once."""
