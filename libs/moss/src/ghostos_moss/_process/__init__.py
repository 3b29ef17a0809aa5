"""The executor `process`: modules live and code runs in a confined process of their own. `_executor.py` begins it."""
