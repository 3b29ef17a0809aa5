"""Requests to the web, for code that may not open connections itself."""
