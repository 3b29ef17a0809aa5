"""What confinement costs: `.venv/bin/python -m benchmarks.sandbox`."""
