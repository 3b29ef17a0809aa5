"""What an attack is, the place in which it runs, what it came to, and how it is seen whether it had its effect.

An attack's code knows its facts as constants (`SECRET`, `PORT`, ...) and calls `took_effect()` where only it can see
that it succeeded: that writes the scene's token backwards, which stands nowhere else.
"""

import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import Literal

import msgspec
import psutil

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.errors import GhostOSError
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos_container import Container
from ghostos_moss import ProcessExecutor, PyContext, RunResult, load_source
from ghostos_moss._process._session import ProcessSession

Way = Literal["direct", "command", "ghost"]
WAYS: tuple[Way, ...] = ("direct", "command", "ghost")

USER = 65534
GRACE_S = 6.0
"""What a run may take beyond its deadline: the machine may be busy."""
MAX_TEXT = 100_000
"""Characters of everything that a run says."""
MAX_GROWTH_BYTES = 400 * 1024**2
"""What the host may need for one run."""

TARGET = '''
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from ghostos_moss import Moss as Parent


class Bell(ABC):
    @abstractmethod
    def ring(self, text: object = "") -> int: ...

    @abstractmethod
    def echo(self, text: str) -> str: ...

    @abstractmethod
    def wait(self, seconds: float) -> None: ...

    @abstractmethod
    def call(self, back: Callable[[], int]) -> int: ...

    @abstractmethod
    def chimes(self) -> Iterator[int]: ...

    @abstractmethod
    def fail(self) -> None: ...


class Moss(Parent):
    bell: Bell
    count: int = 0


def plus(a: int, b: int) -> int:
    return a + b


class HostBell(Bell):
    """Made on the host: it knows a secret of the host, and notes there how often it was rung."""

    def __init__(self):
        self.key = os.environ.get("ABUSE_CANARY", "")
        self._log = os.open(os.environ["ABUSE_LOG"], os.O_WRONLY | os.O_APPEND)

    def ring(self, text=""):
        return os.write(self._log, b"x")

    def echo(self, text):
        return text

    def wait(self, seconds):
        time.sleep(seconds)

    def call(self, back):
        return back()

    def chimes(self):
        number = 0
        while True:
            yield number
            number += 1

    def fail(self):
        key = self.key
        raise ValueError(f"{len(key)} characters")


def __moss_compile__(compiler):
    compiler.bind(Bell, HostBell())
'''

VICTIM = """
import os, signal, sys, time
def note(number, frame): open(sys.argv[1], "a").write("signal")
signal.signal(signal.SIGURG, note)
print("up", flush=True)
while True: time.sleep(60)
"""
"""A process of the same user, with the host's environment."""

PARENT_OF_CONTROL = """
import signal, subprocess, sys
def note(number, frame): open(sys.argv[1], "a").write("signal")
signal.signal(signal.SIGURG, note)
sys.exit(subprocess.run([sys.executable, "-c", sys.stdin.read()], stdin=subprocess.DEVNULL).returncode & 0xFF)
"""
"""Stands between this process and a control: attacks on a parent hit it."""


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        status: Of the result; `running` when it did not end in time, `broken` when the host failed.
        output: All that the run said: output, result, error, notes.
        grown_bytes: By how much the host's memory grew meanwhile; of a control, what it took.
        values_bytes: Size of the stored values with their names.
        calls: How many host calls were recorded.
    """

    status: str
    output: str = ""
    grown_bytes: int = 0
    values_bytes: int = 0
    calls: int = 0


@dataclass
class Scene:
    """A user's files, servers and another process of theirs, all of them for one attack.

    Attributes:
        base: Holds everything.
        uid: Whose it is.
        python: The interpreter of that user.
        token: Written backwards by code that had its effect.
        canary: In the environment and in an object of the host.
        secrets: What stands in files, attributes, links and databases.
        sibling: Another worker, where there is one.
        is_sibling_gone: Whether it ended while the attack ran.
        host: The process that runs the attack, where its number is known.
    """

    base: Path
    uid: int
    python: str = sys.executable
    token: str = field(default_factory=lambda: token_hex(12))
    canary: str = field(default_factory=lambda: f"canary-{token_hex(8)}")
    secrets: dict[str, str] = field(default_factory=dict)
    sibling: int = 0
    is_sibling_gone: bool = False
    host: int = 0

    def __post_init__(self) -> None:
        self._make_files()
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(self.base / "home" / "unix"))
        self.unix.listen()
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0abuse-{self.token}")
        self.abstract.listen()
        self.datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.datagram.bind(str(self.base / "home" / "datagram"))
        self._own()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.free_port: int = free.getsockname()[1]
        self.is_answered = False
        self.victim = subprocess.Popen(
            [*as_user(self.uid), self.python, "-I", "-S", "-c", VICTIM, str(self.signalled)],
            env={"ABUSE_CANARY": self.canary},
            stdout=subprocess.PIPE,
        )
        assert self.victim.stdout is not None
        self.victim.stdout.readline()
        self.before = self.look()

    @property
    def target(self) -> Path:
        return self.base / "target" / f"attacked_{self.token}.py"

    @property
    def workspace(self) -> Path:
        return self.base / "workspace"

    @property
    def log(self) -> Path:
        """One byte for each call of the bell."""
        return self.base / "log" / "rung"

    @property
    def signalled(self) -> Path:
        return self.base / "log" / "signalled"

    def close(self) -> None:
        for server in (self.tcp, self.udp, self.unix, self.abstract, self.datagram):
            server.close()
        self.victim.kill()
        assert self.victim.stdout is not None
        self.victim.stdout.close()
        self.victim.wait()
        subprocess.run(["rm", "-rf", str(self.base)], check=True)  # deeper than Python can go

    def environment(self) -> dict[str, str]:
        """Of the host."""
        return {"ABUSE_CANARY": self.canary, "ABUSE_LOG": str(self.log)}

    def facts(self, *, is_control: bool) -> dict[str, object]:
        """What an attack's code knows."""
        home, beside = self.base / "home", self.target.parent
        site = self.base / "site-packages" if is_control else Path(sysconfig.get_paths()["purelib"])
        return {
            "TOKEN": self.token,
            "HOME": str(home),
            "SECRET": str(home / "secret.txt"),
            "KEYS": str(self.workspace / ".env"),
            "DATABASE": str(self.workspace / "runtime" / "other.db"),
            "DOTFILE": str(beside / ".env"),
            "DATA": str(beside / "data.csv"),
            "SOURCE": str(beside / "other.py"),
            "BESIDE": str(beside),
            "TARGET": str(self.target),
            "SITE": str(site),
            "NEW": f"abuse_{self.token}.py",
            "PORT": self.tcp.getsockname()[1],
            "UDP_PORT": self.udp.getsockname()[1],
            "FREE_PORT": self.free_port,
            "UNIX": str(home / "unix"),
            "ABSTRACT": f"\0abuse-{self.token}",
            "DATAGRAM": str(home / "datagram"),
            "VICTIM": self.victim.pid,
            "SIBLING": self.victim.pid if is_control else self.sibling or self.victim.pid,
            "HOST": self.victim.pid if is_control else self.host or self.victim.pid,
        }

    def code(self, text: str, *, is_control: bool = False) -> str:
        """An attack's code with its facts before it."""
        facts = "".join(f"{name} = {value!r}\n" for name, value in self.facts(is_control=is_control).items())
        function = "import os\ndef took_effect(): os.write(1, (TOKEN[::-1] + '\\n').encode())\n"
        return f"{facts}{function}{textwrap.dedent(text)}"

    def look(self) -> dict[str, object]:
        """The state of everything that code must not change."""
        found: dict[str, object] = {}
        places = [self.base / name for name in ("home", "workspace", "target", "site-packages")]
        for path in [each for place in places for each in (place, *sorted(place.rglob("*")))]:
            if path.name == "__pycache__" or "__pycache__" in path.parts or self._is_the_products(path):
                continue
            stat = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            attributes = {
                name: os.getxattr(path, name, follow_symlinks=False)
                for name in os.listxattr(path, follow_symlinks=False)
            }
            times = stat.st_mtime_ns if path.is_file() else 0
            found[str(path)] = (stat.st_mode, stat.st_uid, times, stat.st_nlink if path.is_file() else 0, content)
            found[f"{path}:attributes"] = attributes
        return found

    def _is_the_products(self, path: Path) -> bool:
        """Whether a file of the workspace is one that the product itself writes."""
        return path.is_relative_to(self.workspace) and str(path) not in self._mine

    def _make_files(self) -> None:
        for name in ("home", "workspace/runtime", "workspace/configs", "target", "site-packages", "log"):
            (self.base / name).mkdir(parents=True)
        places = {
            "home": "home/secret.txt",
            "keys": "workspace/.env",
            "dotfile": "target/.env",
            "data": "target/data.csv",
        }
        for name, place in places.items():
            self.secrets[name] = f"secret-{name}-{token_hex(8)}"
            (self.base / place).write_text(f"SECRET={self.secrets[name]}\n")
        self.secrets["attribute"] = f"secret-attribute-{token_hex(8)}"
        try:
            os.setxattr(self.base / "home/secret.txt", "user.note", self.secrets["attribute"].encode())
        except OSError:  # a file system without them: the control says so
            self.secrets.pop("attribute")
        self.secrets["link"] = f"secret-link-{token_hex(8)}"
        (self.base / "home/link").symlink_to(f"/nowhere/{self.secrets['link']}")
        self.secrets["database"] = f"secret-database-{token_hex(8)}"
        with sqlite3.connect(self.workspace / "runtime" / "other.db") as database:
            database.execute("create table said (text)")
            database.execute("insert into said values (?)", (self.secrets["database"],))
        database.close()
        (self.base / "target/other.py").write_text("x = 1\n")
        self.target.write_text(TARGET)
        self.log.touch()
        self._mine = {str(self.workspace), str(self.workspace / ".env"), str(self.workspace / "runtime/other.db")}

    def _own(self) -> None:
        if os.getuid() == self.uid:
            return
        for folder, _, files in os.walk(self.base):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.chown(path, self.uid, self.uid, follow_symlinks=False)

    @contextmanager
    def knocking(self) -> Generator[None]:
        """Try all the while whether somebody listens at the free port."""
        done = threading.Event()

        def knock() -> None:
            while not done.wait(0.05):
                with socket.socket() as caller:
                    if caller.connect_ex(("127.0.0.1", self.free_port)) == 0:
                        self.is_answered = True
                        return

        knocker = threading.Thread(target=knock, daemon=True)
        knocker.start()
        try:
            yield
        finally:
            done.set()
            knocker.join()


Effect = Callable[[Scene, Outcome], bool]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Something that code must not be able to do.

    Attributes:
        name: A claim's subject.
        code: What does it.
        effect: Whether it was done, seen from the host.
        then: Code of a second run in the same session; the outcome is that of this one.
        control: Other code for the control, where this one would be endless or needs a host.
        control_effect: Another way to see that the control had its effect.
        is_control_off: The control runs on `moss` as the code does, with `--sandbox off`.
        control_prefix: Program that starts the control.
        unless_control: Why the control may fail on some machines: then the attack is skipped.
        timeout_s: Deadline of the run; a control that is to go on is watched for as long.
        ways: Those in which it can run.
    """

    name: str
    code: str
    effect: Effect
    then: str = ""
    control: str = ""
    control_effect: Effect | None = None
    is_control_off: bool = False
    control_prefix: tuple[str, ...] = ()
    unless_control: str = ""
    timeout_s: float = 20.0
    ways: tuple[Way, ...] = WAYS


# Effects


def said(scene: Scene, outcome: Outcome) -> bool:
    """Whether the code reached the place at which it says so."""
    return scene.token[::-1] in outcome.output


def leaked(scene: Scene, outcome: Outcome) -> bool:
    """Whether one of the secrets came out."""
    return any(secret in outcome.output for secret in (scene.canary, *scene.secrets.values()))


def changed(scene: Scene, outcome: Outcome) -> bool:
    """Whether a file, a folder, a mode, a time or an attribute is another."""
    new = Path(sysconfig.get_paths()["purelib"]) / f"abuse_{scene.token}.py"
    if new.exists():
        new.unlink()
        return True
    return scene.look() != scene.before


def arrived(scene: Scene, outcome: Outcome) -> bool:
    """Whether anything came in at a server, or somebody answered at the free port."""
    servers = [scene.tcp, scene.udp, scene.unix, scene.abstract, scene.datagram]
    return scene.is_answered or bool(select.select(servers, [], [], 0.1)[0])


def killed(scene: Scene, outcome: Outcome) -> bool:
    """Whether the other process, or the sibling, is gone."""
    time.sleep(0.1)
    return scene.victim.poll() is not None or scene.is_sibling_gone


def signalled(scene: Scene, outcome: Outcome) -> bool:
    """Whether a process that notes signals got one."""
    time.sleep(0.1)
    return scene.signalled.exists()


def ran_on(scene: Scene, outcome: Outcome) -> bool:
    """Whether the run went on after its deadline."""
    return outcome.status == "running"


def flooded(scene: Scene, outcome: Outcome) -> bool:
    """Whether more came out than anybody wants to read."""
    return len(outcome.output) > MAX_TEXT


def grew(scene: Scene, outcome: Outcome) -> bool:
    """Whether the host needed much memory."""
    return outcome.grown_bytes > MAX_GROWTH_BYTES


def kept_much(scene: Scene, outcome: Outcome) -> bool:
    """Whether values beyond all limits were stored."""
    return outcome.values_bytes > 9 * 1024**2


def broke(scene: Scene, outcome: Outcome) -> bool:
    """Whether the host failed, rather than the code."""
    return outcome.status == "broken"


def rang_too_often(scene: Scene, outcome: Outcome) -> bool:
    """Whether more host calls were made than a run may make."""
    return scene.log.stat().st_size > 100_000


def rang_unrecorded(scene: Scene, outcome: Outcome) -> bool:
    """Whether a host call was made of which no result tells."""
    return scene.log.stat().st_size > outcome.calls


def either(*effects: Effect) -> Effect:
    """Whether one of several."""
    return lambda scene, outcome: any(effect(scene, outcome) for effect in effects)


# Scenes and controls


def as_user(uid: int) -> list[str]:
    """What a command for that user begins with."""
    return [] if uid == os.getuid() else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


@contextmanager
def open_scene(*, uid: int | None = None, python: str = sys.executable) -> Generator[Scene]:
    """Make a scene, and take it away."""
    base = Path(tempfile.mkdtemp(prefix="abuse-"))
    base.chmod(0o755)
    scene = Scene(base, os.getuid() if uid is None else uid, python)
    try:
        yield scene
    finally:
        scene.close()


def find_users_python(folder: Path) -> str | None:
    """Return an interpreter that an ordinary user can start and that has what this one has; None where there is none.

    Args:
        folder: Readable by everybody: where this one lies out of reach, an environment with the system's is made there.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for found in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        python = found
        if found != sys.executable and os.path.exists(found):
            packages = folder / "lib" / version / "site-packages"
            packages.mkdir(parents=True, exist_ok=True)
            (packages / "all.pth").write_text(f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n")
            (folder / "pyvenv.cfg").write_text(f"home = {os.path.dirname(found)}\n")
            python = str(folder / "bin" / os.path.basename(found))
            os.makedirs(os.path.dirname(python), exist_ok=True)
            Path(python).unlink(missing_ok=True)
            os.symlink(found, python)
        tried = subprocess.run(
            [*as_user(USER), "/bin/sh", "-c", '"$0" -I -c "import ghostos, ghostos_moss"', python],
            capture_output=True,
            cwd="/",
            check=False,
        )
        if tried.returncode == 0:
            return python
    return None


def run_control(attack: Attack, scene: Scene) -> Outcome:
    """Run the same unconfined; what is still running in the end is stopped."""
    text = scene.code(attack.control or attack.code, is_control=True)
    command = [sys.executable, "-I", "-c", PARENT_OF_CONTROL, str(scene.signalled)]
    environment = {"PATH": os.environ["PATH"], **scene.environment()}
    if attack.is_control_off:
        command = [sys.executable, "-m", "ghostos", "moss", "run", str(scene.target), "--code", "-"]
        command += ["--sandbox", "off", "--timeout", "100", "--workspace", str(scene.workspace)]
        environment["HOME"] = str(scene.base / "own")
    with scene.knocking():
        return watch(
            [*attack.control_prefix, *command],
            text,
            env=environment,
            cwd=str(scene.base / "log"),
            timeout_s=attack.timeout_s + (2 if attack.is_control_off else 0.5),
        )


def watch(
    command: list[str], typed: str, *, env: dict[str, str], cwd: str, timeout_s: float, is_alone: bool = False
) -> Outcome:
    """Run a command in a session of its own, to its end or for that long.

    Args:
        command: What to run.
        typed: Its input.
        env: Its environment.
        cwd: Its folder.
        timeout_s: It is killed then.
        is_alone: Only the command is killed; otherwise all that it started, in the end.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as source:
        source.write(typed.encode())
        source.seek(0)
        process = subprocess.Popen(
            command, stdin=source, stdout=output, stderr=output, env=env, cwd=cwd, start_new_session=True
        )
        with watching_memory(process.pid, with_children=not is_alone) as memory:
            try:
                status = str(process.wait(timeout_s))
            except subprocess.TimeoutExpired:
                status = "running"
            if is_alone:
                process.kill()
            else:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return Outcome(status, output.read(10 * MAX_TEXT).decode(errors="replace"), grown_bytes=memory.most)


class Memory:
    """The most that was seen."""

    most = 0


@contextmanager
def watching_memory(pid: int, *, with_children: bool = False) -> Generator[Memory]:
    """Look every few milliseconds by how much a process grows."""
    process, found, done = psutil.Process(pid), Memory(), threading.Event()
    first = process.memory_info().rss

    def look() -> None:
        while not done.wait(0.01):
            try:
                everybody = [process, *(process.children(recursive=True) if with_children else ())]
                found.most = max(found.most, max(each.memory_info().rss for each in everybody) - first)
            except psutil.NoSuchProcess:
                continue

    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    try:
        yield found
    finally:
        done.set()
        looker.join()


# Ways to run an attack


def run_directly(executor: ProcessExecutor, attack: Attack, scene: Scene) -> Outcome:
    """Run in a session, beside another one; then see that all is as it was."""
    with _open(executor, scene) as beside, _open(executor, scene) as session:
        zygote = executor._zygote._process
        assert zygote is not None
        scene.sibling = int(beside.run("import os\nprint(os.getpid())").std_output)
        assert session.run("moss.count = 7").status == "ok"
        outcome = _run_guarded(session, attack, scene)
        if outcome.status not in ("running", "broken"):
            after = session.run("def run(moss): return [moss.count, plus(2, 3)]", timeout_s=20)
            assert (after.status, after.returns) == ("ok", [7, 5]), (after.status, after.error, after.returns)
        assert executor._zygote._process is zygote
        assert zygote.poll() is None
        again = beside.run("import os\nprint(os.getpid(), plus(2, 3))")
        scene.is_sibling_gone = again.std_output != f"{scene.sibling} 5\n"
        is_broken = _close(session)
        if is_broken:
            outcome = replace(outcome, status="broken")
    children = Path(f"/proc/{zygote.pid}/task/{zygote.pid}/children")
    await_none(lambda: children.read_text().split()[1:])  # one is made ahead, for the next session
    return outcome


@contextmanager
def _open(executor: ProcessExecutor, scene: Scene) -> Generator[ProcessSession]:
    source = load_source(scene.target.stem)
    session = executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    assert isinstance(session, ProcessSession)
    try:
        yield session
    finally:
        _close(session)


def _close(session: ProcessSession) -> bool:
    """Close a session; whether that failed."""
    scratch = Path(session._scratch.name)
    try:
        session.close()
    except Exception:  # noqa: BLE001 - whatever an attack made of it
        subprocess.run(["rm", "-rf", str(scratch)], check=True)
        return True
    return scratch.exists()


def _run_guarded(session: ProcessSession, attack: Attack, scene: Scene) -> Outcome:
    """Run in a thread that may hang; if it does, its worker is killed."""
    ended: list[RunResult | Exception] = []

    def run() -> None:
        try:
            ended.append(session.run(scene.code(attack.code), timeout_s=attack.timeout_s))
            if attack.then:
                time.sleep(0.5)
                ended.append(session.run(attack.then, timeout_s=attack.timeout_s))
        except Exception as exc:  # noqa: BLE001 - of the host, whatever it is
            ended.append(exc)

    runner = threading.Thread(target=run, daemon=True)
    with watching_memory(os.getpid()) as memory:
        runner.start()
        runner.join((2 if attack.then else 1) * attack.timeout_s + GRACE_S)
    if runner.is_alive():
        assert session._worker is not None
        session._worker._process.kill()
        runner.join(20)
        assert not runner.is_alive()
        return Outcome("running", grown_bytes=memory.most)
    last = ended[-1]
    if isinstance(last, Exception):
        return Outcome("broken", repr(last), grown_bytes=memory.most)
    assert last.status != "rejected", last.error
    return Outcome(
        last.status if _is_json(last.returns) else "broken",
        "\n".join((last.std_output, last.returns_text, last.error or "", *last.notes)),
        grown_bytes=memory.most,
        values_bytes=len(last.pycontext.model_dump_json()),
        calls=sum(len(each.calls) for each in ended if isinstance(each, RunResult)),
    )


def _is_json(value: object) -> bool:
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError):
        return False
    return True


def run_by_command(attack: Attack, scene: Scene) -> Outcome:
    """Run `ghostos moss run` in a process, as the scene's user."""
    command = [*as_user(scene.uid), scene.python, "-m", "ghostos", "moss", "run", str(scene.target), "--code", "-"]
    command += ["--timeout", str(attack.timeout_s), "--workspace", str(scene.workspace), "--json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(scene.base / "own"), **scene.environment()}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    with scene.knocking():
        outcome = watch(
            command,
            scene.code(attack.code),
            env=environment,
            cwd=str(scene.base / "log"),
            timeout_s=attack.timeout_s + GRACE_S + 5,
            is_alone=True,
        )
    if outcome.status not in ("0", "1"):
        return outcome
    try:
        told = json.loads(outcome.output[outcome.output.index("{") : outcome.output.rindex("}") + 1])
    except ValueError:
        return replace(outcome, status="broken")
    assert told["status"] != "rejected", told["error"]
    output = "\n".join((told["std_output"], str(told["returns"]), told["error"] or ""))
    return replace(outcome, status=told["status"], output=output, calls=len(told["calls"]))


def find_children() -> set[int]:
    """Return what lives of all that this process started; orphans that have ended are let go of."""
    found: set[int] = set()
    for each in psutil.Process().children(recursive=True):
        try:
            if each.status() != psutil.STATUS_ZOMBIE:
                found.add(each.pid)
            elif "_zygote" not in " ".join(each.cmdline()) and each.ppid() == os.getpid():
                os.waitpid(each.pid, os.WNOHANG)
        except (psutil.NoSuchProcess, ChildProcessError):
            continue
    return found


def run_by_ghost(attack: Attack, scene: Scene) -> Outcome:
    """Run as the code of a scripted model's reply, in a live ghost's turn; in the next, see that all is as it was."""
    settings = f"version = 1\n[code]\ntimeout_s = {attack.timeout_s}\n"
    (scene.workspace / "configs" / "ghostos.toml").write_text(settings)
    codes: list[str] = []
    model = ScriptedModel([lambda _: f"<moss>\n{codes.pop()}\n</moss>" if codes else "Done."] * 12)
    container = make_app_container(scene.workspace, providers=[use_model(model)])
    matrix = get_ghostos(container).create_matrix("abuse")
    try:
        conversation = matrix.sync(MossAgent(str(scene.target)), thread="attacked")

        def say(code: str) -> tuple[str, str]:
            codes.append(code)
            _, receiver = conversation.talk("go on")
            with receiver:
                for _ in receiver.recv():
                    continue
            last = [message for message in conversation.history() if message.type == "output"][-1]
            data = last.data if isinstance(last.data, dict) else {}
            return str(data.get("status")), last.content

        assert say("moss.count = 7")[0] == "ok"
        started = time.monotonic()
        try:
            with watching_memory(os.getpid()) as memory:
                status, output = say(scene.code(attack.code))
        except GhostOSError as exc:
            return Outcome("broken", repr(exc))
        if time.monotonic() - started > attack.timeout_s + GRACE_S:
            status = "running"
        assert status != "rejected", output
        assert say("print(moss.count, plus(2, 3))") == ("ok", "7 5")
        return Outcome(status, output, grown_bytes=memory.most)
    finally:
        matrix.close()
        container.shutdown()


def await_none(look: Callable[[], Collection[object]]) -> None:
    """Wait until nothing is found any more.

    Raises:
        AssertionError: Something stays.
    """
    deadline = time.monotonic() + 10
    while found := look():
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
