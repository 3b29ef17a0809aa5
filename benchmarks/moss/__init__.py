"""What MOSS costs: time and tokens, beside plain Python, JSON tools and other frameworks."""
