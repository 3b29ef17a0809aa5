"""A user's machine in small, where a trap for the host can be laid: Python, code, data, workspaces and servers."""

import os
import pty
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.abuse.harness import Scene, as_user, open_scene

from ghostos.testing import ModelServer

TIMEOUT_S: Final = 60.0
TIMED_OUT: Final = -1
"""Exit status of what did not end in time."""
_VERSION: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"

AGENT = '''
from ghostos_moss import Moss as Parent
from ghostos_moss import SelfUpdater, on_host


class Moss(Parent):
    updater: SelfUpdater
    count: int = 0


@on_host
def greet() -> str:
    """Runs on the host, with what it imports there."""
    import greeting
    import helper

    return f"{greeting.TEXT} {helper.NAME}"


def total() -> int:
    return 3


# <moss-hide>
def test_total():
    assert total() == 3


# </moss-hide>
'''
"""Executed on the host at each start, for its marked function."""

PLAIN = "def plus(a: int, b: int) -> int:\n    return a + b\n"
"""Never executed on the host."""

SETTINGS = '[services.openai]\nbase_url = "{url}"\nmax_retries = 0\ntimeout_s = 5\n'


@dataclass(frozen=True)
class Shown:
    """What a command came to: its exit status, and all that it wrote."""

    status: int
    text: str


class House:
    """One user's folders, those of a scene and more, with two servers that speak a model's protocol.

    Attributes:
        home: The user's, with a workspace of their own and its key in `.local/share/ghostos`.
        project: Where commands start; `agents` in it has `agent.py`, its `helper.py`, and `plain.py`.
        library: Another folder of code, on PYTHONPATH, with `greeting.py`.
        later: Below the data, and not there yet.
        environment: The Python that runs GhostOS; its site-packages are the user's.
        data: What is granted.
        workspace: The one that is named to commands. It sends requests to the user's models.
        mark: Made by code that ran with the user's rights.
        models: The user's server. It replies with the code of `codes`, in order, then with `words`.
        thieves: Somebody else's.
        variables: Of the environment of every command, beside the usual ones; facts in braces.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        base = scene.base
        self.base, self.home, self.project, self.library = base, base / "home", base / "project", base / "library"
        self.environment, self.data, self.workspace = base / "environment", base / "data", scene.workspace
        self.agents, self.own, self.later = (
            self.project / "agents",
            self.home / ".local/share/ghostos",
            base / "data/later",
        )
        self.agent, self.plain, self.helper = (self.agents / f"{name}.py" for name in ("agent", "plain", "helper"))
        self.packages = self.environment / "lib" / _VERSION / "site-packages"
        self.users_packages = self.home / ".local" / "lib" / _VERSION / "site-packages"
        self.mark = base / "log" / "ran-with-the-users-rights"
        self.codes: list[str] = []
        self.variables: Mapping[str, str] = {}
        self.words = "Done."
        self.models = ModelServer(repeat=lambda _: self._reply())
        self.thieves = ModelServer(repeat="Thanks.")
        self._furnish()

    @property
    def python(self) -> Path:
        """The interpreter that runs GhostOS."""
        return self.environment / "bin" / "python"

    def facts(self) -> dict[str, str]:
        """What confined code knows; options and variables name them in braces."""
        places = {name.upper(): str(value) for name, value in vars(self).items() if isinstance(value, Path)}
        payload = f"try: open({str(self.mark)!r}, 'a').write('x')\nexcept OSError: pass\n"
        stolen = SETTINGS.format(url=self.thieves.base_url)
        secret = str(self.home / "secret.txt")
        return {**places, "PAYLOAD": payload, "STOLEN": stolen, "SECRET": secret, "TOKEN": self.scene.token}

    def code(self, text: str) -> str:
        """Code with its facts before it."""
        facts = "".join(f"{name} = {value!r}\n" for name, value in self.facts().items())
        return f"import os\n{facts}{textwrap.dedent(text)}"

    def run(
        self,
        *words: str,
        typed: str = "",
        workspace: Path | None = None,
        folder: Path | None = None,
        on_terminal: bool = False,
    ) -> Shown:
        """Run the command `ghostos` as the user.

        Args:
            words: What follows its name; facts in braces.
            typed: Its input.
            workspace: Which one it is to use; None: the one that it finds.
            folder: Where it is started; None: in the project.
            on_terminal: What it writes goes to a terminal.
        """
        chosen = ["--workspace", str(workspace)] if workspace else []
        facts = self.facts()
        program = str(self.environment / "bin" / "ghostos")
        command = [program, *(word.format(**facts) for word in words), *chosen]
        return self.start(command, typed=typed, folder=folder, on_terminal=on_terminal)

    def run_code(self, text: str, *options: str, target: Path | None = None, on_terminal: bool = False) -> Shown:
        """Run code in a target, with its facts, by `ghostos moss run` in the named workspace."""
        words = ("moss", "run", str(target or self.agent), "--code", "-", *options)
        return self.run(*words, typed=self.code(text), workspace=self.workspace, on_terminal=on_terminal)

    def ask(self, *words: str, target: Path | None = None, folder: Path | None = None) -> Shown:
        """Say something to a target, in the workspace that is found where the command starts."""
        return self.run("ask", str(target or self.plain), "go on", *words, folder=folder)

    def start(
        self, command: Sequence[str], *, typed: str = "", folder: Path | None = None, on_terminal: bool = False
    ) -> Shown:
        """Run any command as the user; see `run`."""
        facts = self.facts()
        environment = {
            "PATH": f"{self.environment / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
            "TERM": "xterm",
            "PYTHONPATH": str(self.library),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENAI_API_KEY": self.scene.canary,
            **{name: value.format(**facts) for name, value in self.variables.items()},
        }
        reader, writer = pty.openpty() if on_terminal else os.pipe()
        process = subprocess.Popen(
            [*as_user(self.scene.uid), *command],
            stdin=subprocess.PIPE,
            stdout=writer,
            stderr=writer,
            env=environment,
            cwd=folder or self.project,
        )
        os.close(writer)
        output = bytearray()
        listener = threading.Thread(target=_read_all, args=(reader, output), daemon=True)
        listener.start()
        status = TIMED_OUT
        with process, suppress(subprocess.TimeoutExpired):
            try:
                process.communicate(typed.encode(), timeout=TIMEOUT_S)
                status = process.returncode
            finally:
                process.kill()
        listener.join()
        return Shown(status, output.decode(errors="replace"))

    def point(self, workspace: Path, url: str) -> None:
        """Have a workspace send requests to a server."""
        (workspace / "configs").mkdir(parents=True, exist_ok=True)
        (workspace / "configs" / "ghostos.toml").write_text(SETTINGS.format(url=url))

    def give_to_user(self) -> None:
        """All that was made here is theirs."""
        if os.getuid() != self.scene.uid:
            subprocess.run(["chown", "-hR", f"{self.scene.uid}:{self.scene.uid}", str(self.base)], check=True)

    def _reply(self) -> str:
        return f"<moss>\n{self.codes.pop(0)}\n</moss>" if self.codes else self.words

    def _furnish(self) -> None:
        for folder in (self.agents, self.library, self.data, self.packages, self.environment / "bin", self.own):
            folder.mkdir(parents=True)
        self._make_python()
        self.agent.write_text(AGENT)
        self.plain.write_text(PLAIN)
        self.helper.write_text("NAME = 'you'\n")
        (self.library / "greeting.py").write_text("TEXT = 'hello'\n")
        (self.data / "table.csv").write_text("a,b\n1,2\n")
        self.scene.secrets["own keys"] = f"secret-own-{self.scene.token}"
        (self.own / ".env").write_text(f"SECRET={self.scene.secrets['own keys']}\n")

    def _make_python(self) -> None:
        """An environment with what this one has, which the user may write."""
        python = os.path.realpath(self.scene.python)
        home = f"home = {os.path.dirname(python)}\ninclude-system-site-packages = true\n"
        (self.environment / "pyvenv.cfg").write_text(home)
        self.python.symlink_to(python)
        everything = f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
        (self.packages / "everything.pth").write_text(everything)
        program = self.environment / "bin" / "ghostos"
        start = "import sys\nfrom ghostos.cli.main import run\nsys.exit(run())\n"
        program.write_text(f"#!{self.python}\n{start}")
        program.chmod(0o755)


def _read_all(reader: int, output: bytearray) -> None:
    with suppress(OSError), open(reader, "rb", buffering=0) as file:  # a terminal ends in an error
        while data := file.read(65536):
            output += data


@contextmanager
def open_house(*, uid: int | None = None, python: str = sys.executable) -> Generator[House]:
    """Make a house, with its servers open, and take it away."""
    with open_scene(uid=uid, python=python) as scene:
        house = House(scene)
        with house.models, house.thieves:
            house.point(house.workspace, house.models.base_url)
            house.point(house.own, house.models.base_url)
            house.give_to_user()
            yield house


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
