"""Foreign text on pages of Streamlit, in a browser: nothing of it can be clicked, and all of it can be read."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

TEXTS = (
    "see https://evil.example/leak?q=1 now",
    "HTTPS://EVIL.EXAMPLE",
    "www.evil.example/x and (WWW.evil.example)",
    "mail ann@evil.example or mailto:ann.b@evil.example or xmpp:c@evil.example/x",
    "![a](https://evil.example/i.png) [b](javascript:alert(1)) <https://evil.example> <a href='https://evil.example'>",
    "http://[::1]/x http://user:key@evil.example ftp://evil.example",
)
SCRIPT = f"""
import streamlit as st
from ghostos.errors import GhostOSError
from ghostos.web.markdown import code, plain
from ghostos.web.page_parts import draw_error

for number, text in enumerate({TEXTS!r}):
    st.markdown(plain(text))
    st.markdown(f":small[:gray[{{plain(text)}}]]")
    st.markdown(code(text))
    st.caption(plain(text))
    st.markdown(f"| a |\\n|---|\\n| {{plain(text)}} |")
    draw_error(st.container(), GhostOSError(text, advice=text))
    st.success(plain(text))
    st.expander(f"**{{plain(text)}}**", key=f"expander-{{number}}", expanded=True).markdown(plain(text))
    st.button(plain(text), key=f"button-{{number}}", help=plain(text))
    st.text_input(plain(text), key=f"field-{{number}}")
st.markdown("All is drawn.")
"""
SHOWN_EACH = 12
"""How often each text stands on the page, helps aside."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a page with the texts in everything that is drawn with Markdown."""
    script = tmp_path / "page.py"
    script.write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options, "--browser.gatherUsageStats", "false"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        assert any("URL:" in line for line in process.stdout), "it does not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def count_texts(main: Any) -> list[int]:
    """How often each text can be read."""
    shown = " ".join(main.inner_text().replace("\ufeff", "").split())
    return [shown.count(text) for text in TEXTS]


def test_no_text_becomes_a_link_or_a_picture(address: str, chromium: Any) -> None:
    page = chromium.new_page()
    try:
        page.goto(address)
        page.get_by_text("All is drawn.").wait_for(timeout=30_000)
        main = page.get_by_test_id("stMain")
        deadline = time.monotonic() + 30
        while (counted := count_texts(main)) != [SHOWN_EACH] * len(
            TEXTS
        ):  # some parts of a page load their scripts late
            assert time.monotonic() < deadline, counted
            page.wait_for_timeout(50)
        assert main.locator("a, img").count() == 0
    finally:
        page.close()
