"""GhostOS: an agent operating system on the MOSS protocol. A Python file is an agent."""
