"""The ports: what the parts of the agent OS ask of each other. One per file, each method needed."""
