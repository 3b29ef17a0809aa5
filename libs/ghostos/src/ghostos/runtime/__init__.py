"""The round, the session, the conversation and the Matrix: contracts and core only."""
