"""A file that knows nothing of GhostOS and reaches network, database and disk when it is called is an agent."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ghostos.testing import ModelServer

FILE = '''
import sqlite3

import requests


def fetch(url: str) -> str:
    """The text behind an address."""
    return requests.get(url, timeout=5).text


def remember(text: str) -> int:
    """Write a text down; how many there are."""
    with sqlite3.connect("notes.db") as db:
        db.execute("create table if not exists notes (text)")
        db.execute("insert into notes values (?)", (text,))
        return db.execute("select count(*) from notes").fetchone()[0]


def report(path: str) -> None:
    """Write all texts into a file."""
    with sqlite3.connect("notes.db") as db, open(path, "w") as file:
        file.writelines(f"{text}\\n" for (text,) in db.execute("select text from notes"))
'''


class _Greeter(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"good morning"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def greeter() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Greeter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_an_ordinary_file_works_as_an_agent(tmp_path: Path, greeter: str) -> None:
    (tmp_path / "notebook.py").write_text(FILE)
    code = f"<moss>\nprint(remember(fetch({greeter!r})))\nreport('notes.txt')\n</moss>"
    with ModelServer([code, "Done."]) as server:
        ended = subprocess.run(
            [sys.executable, "-m", "ghostos", "ask", "notebook.py", "write the greeting down"],
            cwd=tmp_path,
            env={
                **os.environ,
                "GHOSTOS_WORKSPACE": str(tmp_path / "workspace"),
                "OPENAI_API_KEY": "a-key",
                "OPENAI_BASE_URL": server.base_url,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        output = server.requests[-1].body
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "Done.\n"
    assert (tmp_path / "notes.txt").read_text() == "good morning\n"
    assert "UNCONFINED" in ended.stderr
    assert output is not None
    assert '<moss-output status="ok">\n1\n</moss-output>' in [message["content"] for message in output["messages"]]
