"""A file that knows nothing of GhostOS and reaches network, database and disk is an agent, once it is allowed to.

Each of its functions needs one permission, and one line says which: whoever follows those lines gets there. As the user
that runs the tests and, where that is root and the machine lets others start an interpreter, as an ordinary one, too.
"""

import http.server
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pytest
from tests.abuse.harness import USER, as_user, find_users_python

from ghostos.testing import ModelServer

pytestmark = pytest.mark.slow

Command: TypeAlias = Literal["run", "ask"]

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


def wish(path: str) -> str:
    """What somebody wrote into a file."""
    with open(path) as file:
        return file.read().strip()


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


@dataclass(frozen=True)
class Person:
    """Somebody with a folder: `notebook.py`, `data`, `out`, and a wish in `wishes`."""

    folder: Path
    uid: int
    python: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def notes(self) -> Path:
        return self.folder / "out" / "notes.txt"

    @property
    def wish(self) -> Path:
        return self.folder / "wishes" / "wish.txt"

    def code(self, url: str) -> str:
        """What uses every function of the file."""
        return f"print(remember(fetch({url!r})), wish({str(self.wish)!r}))\nreport({str(self.notes)!r})"

    def start(self, *words: str, typed: str = "", base_url: str) -> subprocess.CompletedProcess[str]:
        """Run the command `ghostos` in the folder."""
        return subprocess.run(
            [*as_user(self.uid), self.python, "-m", "ghostos", *words],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "GHOSTOS_WORKSPACE": str(self.folder / "workspace"),
                "OPENAI_API_KEY": "a-key",
                "OPENAI_BASE_URL": base_url,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def folder_of(uid: int, python: str) -> Generator[Person]:
    with tempfile.TemporaryDirectory(prefix="ordinary-") as made:
        person = Person(Path(made), uid, python)
        for path in (person.data, person.notes.parent, person.wish.parent):
            path.mkdir()
        (person.folder / "notebook.py").write_text(FILE.replace("@@", repr(str(person.data))))
        person.wish.write_text("tea\n")
        if uid != os.getuid():
            subprocess.run(["chown", "-R", f"{uid}:{uid}", made], check=True)
        yield person


@pytest.fixture(scope="module")
def users_python() -> Iterator[str]:
    """An interpreter that an ordinary user can start."""
    if os.getuid() != 0:
        pytest.skip("the tests are run by an ordinary user already")
    with tempfile.TemporaryDirectory(prefix="ordinary-python-") as folder:
        Path(folder).chmod(0o755)
        python = find_users_python(Path(folder))
        if python is None:
            pytest.skip("no other user can start an interpreter of this version here")
        yield python


@pytest.fixture(params=["who runs the tests", "an ordinary user"])
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    is_other = request.param == "an ordinary user"
    uid, python = (USER, request.getfixturevalue("users_python")) if is_other else (os.getuid(), sys.executable)
    with folder_of(uid, python) as made:
        yield made


def use(person: Person, command: Command, code: str, *options: str) -> tuple[bool, str, str]:
    """Run the code, or have a model reply with it; whether it succeeded, what it printed, and what was said around."""
    if command == "run":
        words = ("moss", "run", "notebook.py", "--code", "-", *options)
        done = person.start(*words, typed=code, base_url="http://127.0.0.1:9/v1")
        return done.returncode == 0, done.stdout, done.stderr
    with ModelServer([f"<moss>\n{code}\n</moss>", "Done."]) as server:
        done = person.start("ask", "notebook.py", "write the greeting down", *options, base_url=server.base_url)
        body = server.requests[-1].body
    assert (done.returncode, done.stdout) == (0, "Done.\n"), done.stderr
    (output,) = [each["content"] for each in body["messages"] if str(each["content"]).startswith("<moss-output")]
    assert ('status="ok"' in output) != ("allow it with" in output)  # the model is told, too
    return 'status="ok"' in output, output, done.stderr


@pytest.mark.parametrize("command", ["run", "ask"])
def test_an_ordinary_file_works_after_following_its_hints_one_by_one(person: Person, command: Command, greeter: str):
    code = person.code(greeter)
    options: list[str] = []
    tried: list[str] = []
    is_done, printed, said = use(person, command, code)
    while not is_done:
        assert len(options) < 4, said
        ((function, hint),) = re.findall(
            r"(\w+)\(\) tried .*: allow it with (--allow-.+), or mark it @on_host\.$", said, re.M
        )
        tried.append(function)
        options += shlex.split(hint)
        is_done, printed, said = use(person, command, code, *options)
    assert tried == ["fetch", "remember", "wish", "report"]
    assert options == [
        "--allow-net",
        f"--allow-write={person.data}",
        f"--allow-read={person.wish}",
        f"--allow-write={person.notes.parent}",
    ]
    assert re.search(r"^\d tea$", printed, re.MULTILINE)
    assert set(person.notes.read_text().splitlines()) == {"good morning"}
    assert person.notes.stat().st_uid == person.uid
    granted = f"net, read {person.wish}, write {person.data}, write {person.notes.parent}]"
    assert f"code runs confined, allowed: {granted}" in said
