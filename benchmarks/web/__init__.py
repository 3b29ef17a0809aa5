"""What the web agent costs: `python -m benchmarks.web` prints its tables."""
