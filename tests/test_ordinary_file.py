"""A file that knows nothing of GhostOS and reaches network, database and disk is an agent, once it is allowed to."""

import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ghostos.testing import ModelServer

FILE = '''
import sqlite3

import requests

DATA = @@


def fetch(url: str) -> str:
    """The text behind an address."""
    return requests.get(url, timeout=5).text


def remember(text: str) -> int:
    """Write a text down; how many there are."""
    with sqlite3.connect(DATA + "/notes.db") as db:
        db.execute("create table if not exists notes (text)")
        db.execute("insert into notes values (?)", (text,))
        return db.execute("select count(*) from notes").fetchone()[0]


def report(path: str) -> None:
    """Write all texts into a file."""
    with sqlite3.connect(DATA + "/notes.db") as db, open(path, "w") as file:
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


def run_ghostos(*words: str, folder: Path, typed: str | None = None, base_url: str = "http://127.0.0.1:9/v1") -> Any:
    return subprocess.run(
        [sys.executable, "-m", "ghostos", *words],
        cwd=folder,
        env={
            **os.environ,
            "GHOSTOS_WORKSPACE": str(folder / "workspace"),
            "OPENAI_API_KEY": "a-key",
            "OPENAI_BASE_URL": base_url,
        },
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_ordinary_file_works_as_an_agent_after_following_its_hints(tmp_path: Path, greeter: str) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    out.mkdir()
    (tmp_path / "notebook.py").write_text(FILE.replace("@@", repr(str(data))))
    calls = [f"fetch({greeter!r})", "remember('tea')", f"report({str(out / 'notes.txt')!r})"]
    options: list[str] = []
    for call in calls:
        words = ("moss", "run", "notebook.py", "--code", "-", *options)
        refused = run_ghostos(*words, folder=tmp_path, typed=call)
        assert refused.returncode == 1
        (hint,) = re.findall(
            rf"{call.partition('(')[0]}\(\) tried .*: allow it with (--allow-\S+), or mark", refused.stderr
        )
        options.append(hint)
        allowed = run_ghostos(*words, hint, folder=tmp_path, typed=call)
        assert allowed.returncode == 0, allowed.stderr
    code = f"<moss>\nprint(remember(fetch({greeter!r})))\nreport({str(out / 'notes.txt')!r})\n</moss>"
    with ModelServer([code, "Done."]) as server:
        ended = run_ghostos(
            "ask", "notebook.py", "write the greeting down", *options, folder=tmp_path, base_url=server.base_url
        )
        output = server.requests[-1].body
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "Done.\n"
    assert (out / "notes.txt").read_text() == "tea\ngood morning\n"
    assert f"code runs confined, allowed: net, write {data}, write {out}]" in ended.stderr
    assert output is not None
    assert '<moss-output status="ok">\n2\n</moss-output>' in [message["content"] for message in output["messages"]]
