"""Between confined code and the host: marked functions, data by value, calls side by side, callbacks."""

import sys
import threading
import time
from pathlib import Path

import pytest

from ghostos_container import Container
from ghostos_moss import Permissions, ProcessExecutor, PyContext, load_source, remove_tree
from ghostos_moss.errors import CallbackGoneError, InjectionError, PermissionsError

MARKED = """
    import os
    from dataclasses import dataclass
    from ghostos_moss import Moss as Parent, on_host as host

    @dataclass
    class Found:
        pid: int
        text: str

    @host
    def look(text: str, limit: int = 3) -> Found:
        '''Look on the host.'''
        return Found(os.getpid(), text[:limit])

    @host
    async def later(number: int) -> int:
        return number + 1

    @host
    def secret() -> object:
        return object()

    def here() -> int:
        return os.getpid()

    class Moss(Parent):
        count: int = 0
"""
GATE = """
    import asyncio
    import threading
    from abc import ABC, abstractmethod
    from collections.abc import Callable

    class Gate(ABC):
        @abstractmethod
        def hold(self) -> str: ...
        @abstractmethod
        def open(self) -> None: ...
        @abstractmethod
        async def meet(self, count: int) -> int: ...
        @abstractmethod
        def new(self) -> "Gate": ...
        @abstractmethod
        def keep(self, callback: Callable[[int], int]) -> None: ...

    class HostGate(Gate):
        def __init__(self):
            self.opened, self.met, self.kept = threading.Event(), 0, []
            self.all_met = asyncio.Event()
        def hold(self):
            return "opened" if self.opened.wait(20) else "nobody came"
        def open(self):
            self.opened.set()
        async def meet(self, count):
            self.met += 1
            if self.met == count:
                self.all_met.set()
            await asyncio.wait_for(self.all_met.wait(), 20)
            return self.met
        def new(self):
            return HostGate()
        def keep(self, callback):
            self.kept.append(callback)
"""


@pytest.fixture
def open_confined(process_executor, write_module):
    sessions = []

    def open_it(source, *, container=None, injections=None, pycontext=None, **arguments):
        sessions.append(
            process_executor.open(
                load_source(write_module(source)),
                pycontext=pycontext or PyContext(),
                container=container or Container(),
                injections=injections or {},
                **arguments,
            )
        )
        return sessions[-1]

    yield open_it
    for session in sessions:
        session.close()


@pytest.fixture
def gate(write_module):
    """The library, imported here, and an object of it."""
    name = write_module(GATE)
    library = __import__(name)
    return name, library, library.HostGate()


@pytest.fixture
def at_gate(open_confined, gate):
    name, library, host_gate = gate
    container = Container()
    container.set(library.Gate, host_gate)
    source = f"from {name} import Gate\nfrom ghostos_moss import Moss as P\nclass Moss(P):\n    gate: Gate\n"
    return open_confined(source, container=container)


# Functions that run on the host


def test_a_marked_function_runs_on_the_host_and_looks_the_same(open_confined):
    import os

    session = open_confined(MARKED)
    result = session.run(
        "import inspect\nfound = look('tea time', limit=3)\n"
        "print(found.pid, found.text, type(found) is Found, here() == found.pid)\n"
        "print(inspect.signature(look), look.__doc__)\nasync def run(moss):\n    return await later(4)\n"
    )
    assert result.error is None
    first, second = result.std_output.splitlines()
    assert first == f"{os.getpid()} tea True False"
    assert second.startswith("(text: str, limit: int = 3) -> ")
    assert second.endswith("Look on the host.")
    assert result.returns == 5
    assert [(call.method, call.arguments) for call in result.calls] == [("look", "'tea time', limit=3"), ("later", "4")]


def test_what_code_marks_itself_stays_confined(open_confined):
    session = open_confined(MARKED)
    code = "from ghostos_moss import on_host\n@on_host\ndef mine():\n    return open('/etc/shadow').read()\nmine()"
    result = session.run(code)
    assert result.status == "error"
    assert "PermissionError" in result.error
    edited = open_confined(
        "from ghostos_moss import Moss\n",
        pycontext=PyContext(
            code="from ghostos_moss import Moss, on_host\n@on_host\ndef mine():\n    return open('/etc/shadow').read()"
        ),
    )
    assert edited.run("mine()").status == "error"


def test_a_marked_function_gives_data_or_an_error(open_confined):
    result = open_confined(MARKED).run("secret()")
    assert "cannot be handed over" in result.error


# Injected data


def test_a_call_of_a_marked_function_that_cannot_be_made_is_refused_with_its_signature(open_confined):
    session = open_confined(MARKED)
    wanted = "cannot be called like this: {why}; it is look(text: str, limit: int = 3) -> Found"
    for call, why in (
        ("look(q='x')", "missing a required argument: 'text'"),
        ("look('x', 1, 2)", "too many positional arguments"),
        ("look('x', q=2)", "got an unexpected keyword argument 'q'"),
    ):
        checked = session.run(call)
        assert (checked.status, checked.calls) == ("rejected", ())
        assert f"line 1: look {wanted.format(why=why)}" in checked.error
        called = session.run(f"see = look\n{call.replace('look', 'see')}")
        assert (called.status, called.calls) == ("error", ())
        assert called.error.startswith(f"TypeError: look() {wanted.format(why=why)}\n")


@pytest.mark.parametrize("call", ["look(3)", "await later('x')"])
def test_what_a_marked_function_raises_is_said_to_be_in_it(open_confined, call):
    failed = open_confined(MARKED).run(call)
    name = "look" if "look" in call else "later"
    assert failed.error.splitlines()[:3][1:] == [f"  line 1: {call}", f"  in {name} of the module"]


def test_injected_data_goes_by_value_with_the_classes_of_each_side(open_confined):
    hook = "def __moss_compile__(compiler):\n        compiler.injects(limits={'speed': [1, 2.5]}, found=Found(1, 'x'))"
    session = open_confined(f"{MARKED}\n    {hook}\n")
    result = session.run("moss.limits['speed'].append(3)\nprint(moss.limits, moss.found == Found(1, 'x'))")
    assert result.std_output == "{'speed': [1, 2.5, 3]} True\n"
    assert session.values() == {"count": 0}
    with pytest.raises(InjectionError, match="cannot be given to confined code"):
        open_confined(MARKED, injections={"odd": [threading.Lock()]})


@pytest.mark.parametrize(
    "hook",
    [
        "prepare = lambda compiler: compiler.injects(size=3)\n    __moss_compile__ = prepare",
        "if True:\n        def __moss_compile__(compiler): compiler.injects(size=3)",
        "__moss_compile__: object = lambda compiler: compiler.injects(size=3)",
    ],
)
def test_a_hook_for_the_host_is_seen_however_its_name_is_bound(open_confined, hook):
    assert open_confined(f"{MARKED}\n    {hook}\n").run("print(moss.size)").std_output == "3\n"


# Calls side by side


def test_asynchronous_calls_run_at_the_same_time(at_gate):
    code = """
import asyncio
async def run(moss):
    return await asyncio.gather(*(moss.gate.meet(50) for _ in range(50)))
"""
    assert at_gate.run(code, timeout_s=30).returns == [50] * 50


def test_a_call_that_blocks_holds_no_other_call(at_gate):
    code = """
import threading
held = []
waiting = threading.Thread(target=lambda: held.append(moss.gate.hold()))
waiting.start()
moss.gate.open()
waiting.join()
print(held)
"""
    assert at_gate.run(code, timeout_s=30).std_output == "['opened']\n"


def test_objects_that_nobody_holds_are_let_go(at_gate):
    assert (
        at_gate.run("for _ in range(12_000):\n    moss.gate.new()\nprint('done')", timeout_s=120).std_output == "done\n"
    )
    held = "kept = [moss.gate.new() for _ in range(11_000)]"
    assert "holds 10,000 objects of the host already" in at_gate.run(held, timeout_s=120).error


def test_a_callback_works_between_runs_and_says_when_its_process_has_ended(at_gate, gate):
    _, _, host_gate = gate
    at_gate.run("moss.gate.keep(lambda number: number + 1)")
    (callback,) = host_gate.kept
    assert callback(4) == 5
    at_gate.run("1 / 0")  # costs the worker
    with pytest.raises(CallbackGoneError):
        callback(4)


# Permissions


def test_programs_end_with_the_worker_that_started_them(open_confined):
    session = open_confined("import subprocess\nfrom ghostos_moss import Moss\n", permissions=Permissions(run=True))
    code = "print(subprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout)\n"
    code += "print(subprocess.Popen(['sleep', '60']).pid)"
    said, pid = session.run(code).std_output.split()
    assert said == "hi"
    session.close()
    deadline = time.monotonic() + 10
    while _is_running(int(pid)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_variable_that_one_module_may_see_is_not_in_what_other_workers_are_made_of(write_module, monkeypatch):
    canary = "canary-" + "variable"
    monkeypatch.setenv("FOR_ONE", canary)
    executor = ProcessExecutor()
    asking = "from ghostos_moss import Moss, Permissions\n__moss_permissions__ = Permissions(env=['FOR_ONE'])\n"

    def open_it(source):
        source = load_source(write_module(source))
        return executor.open(source, pycontext=PyContext(), container=Container(), injections={})

    one = open_it(asking)
    zygote = executor._zygote._process
    assert zygote is not None
    assert not _holds(zygote.pid, canary.encode())
    assert _holds(zygote.pid, b"ghostos_moss._process._zygote")  # what is there is found
    other = open_it("from ghostos_moss import Moss\n")
    seen = [session.run("import os\nprint(os.environ.get('FOR_ONE'))").std_output for session in (one, other)]
    assert seen == [f"{canary}\n", "None\n"]
    one.close()
    other.close()
    executor.close()


def _holds(pid, text):
    """Whether a text stands in the writable memory of a process."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            place, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            first, last = (int(part, 16) for part in place.split("-"))
            memory.seek(first)
            if text in memory.read(last - first):
                return True
    return False


def test_path_grants_leave_out_what_is_never_granted_and_where_code_lies(write_module, tmp_path):
    never, data = tmp_path / "workspace", tmp_path / "data"
    never.mkdir()
    data.mkdir()
    (never / "key").write_text("secret")
    (data / "a.txt").write_text("tea")
    executor = ProcessExecutor(never=[never])
    source = load_source(write_module("from ghostos_moss import Moss\n"))

    def attempt(code, **permissions):
        session = executor.open(
            source, pycontext=PyContext(), container=Container(), injections={}, permissions=Permissions(**permissions)
        )
        result = session.run(code)
        session.close()
        return result

    read_all = {"read": [str(tmp_path)]}
    assert attempt(f"print(open({str(data / 'a.txt')!r}).read())", **read_all).std_output == "tea\n"
    assert attempt(f"open({str(never / 'key')!r}).read()", **read_all).status == "error"
    assert attempt(f"open({str(data / 'b.txt')!r}, 'w').close()", **read_all).status == "error"
    assert attempt(f"open({str(data / 'b.txt')!r}, 'w').close()", write=[str(data)]).status == "ok"
    for permissions in (
        {"read": [str(never)]},
        {"write": [str(tmp_path / "importable")]},
        {"read": [str(tmp_path / "no")]},
    ):
        with pytest.raises(PermissionsError):
            attempt("1", **permissions)
    executor.close()


def test_calls_and_callbacks_are_nested_only_so_deep(at_gate, gate):
    _, _, host_gate = gate
    host_gate.keep = lambda callback: callback(0)  # calls back at once
    code = "def again(number):\n    moss.gate.keep(again)\n    return 0\nmoss.gate.keep(again)\n"
    result = at_gate.run(code, timeout_s=60)
    assert result.status == "error"
    assert "nested deeper than 64" in result.error
    for _ in range(3):
        assert at_gate.run("print(1)").std_output == "1\n"


def test_what_code_may_write_is_nothing_that_python_imports_next(write_module, tmp_path, monkeypatch):
    data, packages = tmp_path / "data", tmp_path / "packages"
    for folder in (data, packages, packages / "__pycache__"):
        folder.mkdir()
    (data / "way").symlink_to(packages)
    executor = ProcessExecutor(never=[data / "kept" / "workspace"])
    source = load_source(write_module("from ghostos_moss import Moss\n"))

    def attempt(path):
        permissions = Permissions(write=[str(path)])
        executor.open(
            source, pycontext=PyContext(), container=Container(), injections={}, permissions=permissions
        ).close()

    attempt(data)
    for entry, path in (
        (data / "later", data),  # not there yet
        (data / "way", data),  # a link that could be replaced
        (packages, packages / "__pycache__"),  # empty
    ):
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(entry))
            with pytest.raises(PermissionsError, match="code that is imported"):
                attempt(path)
    with pytest.raises(PermissionsError, match="code that is imported"):
        attempt(Path(sys.executable).parent)
    executor.close()


# What is said of a refusal, and what is left behind


def test_a_refusal_is_told_on_one_line_with_the_real_path_and_an_option_to_copy(open_confined, tmp_path):
    session = open_confined("from ghostos_moss import Moss\n")

    def hint(code):
        return session.run(code).error.splitlines()[-1]

    secret = tmp_path / "a secret.txt"
    secret.write_text("tea")
    assert hint(f"import os\nos.symlink({str(secret)!r}, 'way')\nopen('way')") == (
        f"The code tried to read {secret}: allow it with --allow-read='{secret}'."
    )
    forged = "/x\nThe code tried: \x1b[2J\u202e$(rm)"
    assert hint(f"raise PermissionError(13, 'no', {forged!r})") == (
        r"The code tried to read /x\nThe code tried: \x1b[2J\u202e$(rm): allow it with "
        r"--allow-read='/x\nThe code tried: \x1b[2J\u202e$(rm)'."
    )


def test_a_refusal_of_what_is_the_systems_behind_a_link_says_that_it_is_never_granted(open_confined):
    session = open_confined("from ghostos_moss import Moss\n")
    code = "import os\nos.symlink('/proc/self/environ', 'self')\nopen('self')"
    of_the_system = session.run(code).error.splitlines()[-1]
    assert of_the_system.endswith("/self, which is never granted.")
    assert "/proc/" not in of_the_system  # it would be another process here


def test_a_folder_of_any_depth_is_removed_and_no_link_is_followed(tmp_path):
    precious, root = tmp_path / "precious", tmp_path / "root"
    (precious / "in").mkdir(parents=True)
    (root / "a" / "b" / "c").mkdir(parents=True)
    for folder in (root, root / "a", root / "a" / "b" / "c"):
        (folder / "way").symlink_to(precious)
        (folder / "file").touch()
    for folder in (root / "locked", root / "a" / "locked"):
        folder.mkdir()
        folder.chmod(0)
    remove_tree(root)
    assert not root.exists()
    root.symlink_to(precious)
    with pytest.raises(OSError, match="directory"):
        remove_tree(root)
    assert (precious / "in").is_dir()
