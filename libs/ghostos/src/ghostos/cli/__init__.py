"""The command `ghostos`: a client of the agent OS in a terminal."""
