"""The web agent: a page in the browser to talk with one target. Needs the extra `web` (Streamlit, uvicorn)."""
