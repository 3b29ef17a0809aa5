"""What is particular to `process`: where code runs, what it cannot reach, and how it reaches injected objects."""

import contextlib
import os
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from ghostos_container import Container
from ghostos_moss import Injection, PyContext, load_source
from ghostos_moss._process._frames import MAX_FRAME_BYTES, Answer, FrameError, FrameSocket, PeerClosedError, Request
from ghostos_moss.errors import ClosedError, CompileError, ConfinementError, InjectionError

ROBOTS = """
    from abc import ABC, abstractmethod
    from collections.abc import Callable, Iterator
    from enum import Enum
    from pydantic import BaseModel

    class Side(Enum):
        LEFT = "left"
        RIGHT = "right"

    class Pose(BaseModel):
        x: float = 0
        heading: float = 0

    class OutOfRange(Exception):
        pass

    class Move(ABC):
        @abstractmethod
        def spin(self, degrees: float, seconds: float = 1) -> "Move":
            '''Turn on the spot.'''

        @abstractmethod
        def run(self) -> Pose: ...

    class Body(ABC):
        name: str

        @property
        @abstractmethod
        def battery(self) -> int:
            '''Percent.'''

        @abstractmethod
        def new_move(self, run: bool = False) -> Move:
            '''Begin a move.'''

        @abstractmethod
        def turn(self, side: Side, pose: Pose) -> Pose: ...

        @abstractmethod
        def path(self, count: int) -> Iterator[Pose]: ...

        @abstractmethod
        def on_collision(self, callback: Callable[[Pose], int]) -> int: ...

        @abstractmethod
        async def settle(self, pose: Pose) -> Pose: ...

        @abstractmethod
        def moves(self) -> list[Move]: ...

        @abstractmethod
        def fail(self, kind: str) -> None: ...

        @abstractmethod
        def secret_thing(self): ...

        @abstractmethod
        def wait(self, seconds: float) -> None: ...

        @abstractmethod
        def adopt(self, move: Move) -> bool: ...
"""

AGENT = """
    from {robots} import Body, Move, Pose, Side
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        body: Body
        count: int = 0
        last: Pose = Pose()

    def double(number):
        return 2 * number
"""


@pytest.fixture
def robots(write_module):  # noqa: C901 - a body has many methods
    """The library of contracts, imported on this side, with a body for it."""
    name = write_module(ROBOTS)
    library = __import__(name)

    class SpinMove(library.Move):
        def __init__(self):
            self.degrees = 0

        def spin(self, degrees, seconds=1):
            self.degrees += degrees
            return self

        def run(self):
            return library.Pose(heading=self.degrees)

    class Ball(library.Body):
        name = "ball"
        battery = 80

        def __init__(self):
            self.key = "HOST-SECRET"
            self.adopted = []
            self.first = SpinMove()

        def new_move(self, run=False):  # noqa: FBT002 - as its contract has it
            return SpinMove()

        def turn(self, side, pose):
            assert (type(side), type(pose)) == (library.Side, library.Pose)
            return library.Pose(heading=90 if side is library.Side.RIGHT else -90, x=pose.x)

        def path(self, count):
            return (library.Pose(x=at) for at in range(count))

        def on_collision(self, callback):
            return sum(callback(library.Pose(x=at)) for at in range(3))

        async def settle(self, pose):
            return pose

        def moves(self):
            return [self.first, SpinMove()]

        def fail(self, kind):
            raise {"range": library.OutOfRange, "value": ValueError, "own": type("Melted", (Exception,), {})}[kind](
                "no"
            )

        def secret_thing(self):
            return object()

        def wait(self, seconds):
            time.sleep(seconds)

        def adopt(self, move):
            self.adopted.append(move)
            return move is self.first

        def shut_down(self):
            """Not of the contract."""
            raise AssertionError

    library.ball = Ball()
    return library


@pytest.fixture
def open_robot(process_executor, write_module, robots):
    sessions = []

    def open_it(source=AGENT, **arguments):
        container = Container()
        container.set(robots.Body, robots.ball)
        target = load_source(write_module(textwrap.dedent(source).format(robots=robots.__name__)))
        arguments = {"pycontext": PyContext(), "container": container, "injections": {}, **arguments}
        sessions.append(process_executor.open(target, **arguments))
        return sessions[-1]

    yield open_it
    for session in sessions:
        session.close()


@pytest.fixture
def robot(open_robot):
    return open_robot()


def printed(session, code, **arguments):
    result = session.run(textwrap.dedent(code), **arguments)
    assert result.error is None
    return result.std_output


# Where code runs


def test_code_runs_in_another_process_which_goes_with_its_session(open_robot):
    session = open_robot()
    pid = int(printed(session, "import os\nprint(os.getpid())"))
    assert pid != os.getpid()
    os.kill(pid, 0)
    session.close()
    assert_gone(pid)


def test_a_run_that_fails_costs_the_worker_and_no_value(robot):
    first = printed(robot, "import os\nmoss.count = 5\nprint(os.getpid())")
    assert robot.run("moss.count = 6\n1 / 0").status == "error"
    assert printed(robot, "import os\nprint(moss.count)") == "5\n"
    assert printed(robot, "import os\nprint(os.getpid())") != first


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(3)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes\nctypes.string_at(0)",
    ],
)
def test_code_that_ends_its_process_is_told_so_and_the_next_run_is_fine(robot, code):
    result = robot.run(f"print('before', flush=True)\nmoss.count = 9\n{code}")
    assert (result.status, result.std_output[:7]) == ("error", "before\n")
    assert "The process that ran the code ended" in result.error
    assert "not saved" in result.error
    assert printed(robot, "print(moss.count)") == "0\n"


def test_a_body_that_ends_its_process_is_an_error_of_the_module(open_robot):
    with pytest.raises(CompileError, match="its process ended"):
        open_robot("import os\nos._exit(1)\n")


def test_what_the_body_prints_reaches_nobody(open_robot, capfd):
    session = open_robot(AGENT + "\n    print('loud' * 50_000)\n")
    assert printed(session, "print(1)") == "1\n"
    assert capfd.readouterr() == ("", "")


def test_output_of_python_c_and_descriptors_keeps_its_order(robot):
    code = """
    import ctypes, os, sys, threading
    print("one")
    os.write(1, b"two\\n")
    ctypes.CDLL(None).puts(b"three")
    ctypes.CDLL(None).fflush(None)
    print("four", file=sys.stderr)
    thread = threading.Thread(target=print, args=("five",))
    thread.start(); thread.join()
    ctypes.CDLL(None).puts(b"six")
    """
    assert printed(robot, code) == "one\ntwo\nthree\nfour\nfive\nsix\n"


def test_a_flood_of_output_is_capped_head_and_tail(robot):
    output = printed(robot, "for i in range(300_000): print('line', i)", timeout_s=60)
    assert output.startswith("line 0\n")
    assert output.endswith("line 299999\n")
    assert "lines left out" in output
    assert len(output) < 8000


def test_a_large_value_crosses_whole_and_one_that_is_too_large_is_refused(robot):
    assert printed(robot, "moss.text = 'x' * 900_000\nprint(len(moss.text))") == "900000\n"
    assert len(robot.values()["text"]) == 900_000
    result = robot.run("moss.more = 'x' * 2_000_000")
    assert any("moss.more" in note for note in result.notes)
    assert "more" not in result.pycontext.values


def test_endless_code_is_stopped_at_its_deadline(robot):
    started = time.monotonic()
    result = robot.run("moss.count = 1\nprint('begun', flush=True)\nwhile True: pass", timeout_s=0.3)
    assert time.monotonic() - started < 10
    assert (result.status, result.std_output) == ("interrupted", "begun\n")
    assert "longer than 0.3 s" in result.error
    assert printed(robot, "print(moss.count)") == "0\n"


def test_a_deadline_holds_while_a_host_call_blocks(robot):
    started = time.monotonic()
    result = robot.run("moss.body.wait(20)", timeout_s=0.3)
    assert time.monotonic() - started < 10
    assert result.status == "interrupted"


def test_code_that_swallows_everything_is_stopped_all_the_same(robot):
    code = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    assert robot.run(code, timeout_s=0.3).status == "interrupted"


def test_a_closed_session_says_so_and_closing_stops_a_run(open_robot):
    session = open_robot()
    results = []
    runner = threading.Thread(target=lambda: results.append(session.run("while True: pass")))
    runner.start()
    time.sleep(0.2)
    session.close()
    runner.join(10)
    assert [result.status for result in results] == ["interrupted"]
    with pytest.raises(ClosedError):
        session.run("1")


def test_a_stop_that_comes_too_late_is_not_kept_for_the_next_run(robot):
    printed(robot, "print(1)")
    robot._worker.stop("it was cancelled")
    assert printed(robot, "print(2)") == "2\n"


def test_sessions_leave_no_descriptor_no_thread_and_no_process_behind(process_executor, open_robot):
    def use():
        session = open_robot()
        printed(session, "moss.body.on_collision(lambda pose: 1)")
        assert session.run("1 / 0").status == "error"
        printed(session, "moss.count += 1")
        session.close()

    def children():
        zygote = process_executor._zygote._process.pid  # pyright: ignore[reportOptionalMemberAccess]
        return {int(pid) for pid in Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()}

    def descriptors():
        found = set()
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):  # that of this very listing
                found.add(os.readlink(f"/proc/self/fd/{number}"))
        return found

    use()
    others = children()
    before = descriptors()
    earlier = set(threading.enumerate())  # a test before may have left one in a host call that blocks
    pids = set()
    for _ in range(10):
        use()
        pids |= children()
    new = sorted(each.partition(":")[0] for each in descriptors() - before)
    assert new == ["pipe", "socket"]  # which lead to the worker that is made ahead, by now another
    for thread in set(threading.enumerate()) - earlier:
        thread.join(10)
        assert not thread.is_alive()
    spare = max(pids)  # made ahead, for the next session
    for pid in pids - others - {spare}:
        assert_gone(pid)


# Injected objects


def test_a_stand_in_is_an_instance_of_its_contract_with_signature_and_doc(robot):
    code = """
    import inspect
    print(isinstance(moss.body, Body), moss.body)
    print(inspect.signature(moss.body.new_move), "|", moss.body.new_move.__doc__)
    print(isinstance(moss.body.new_move(), Move), moss.body.new_move(True).spin(360, 1).spin(90).run().heading)
    """
    library = printed(robot, "print(Move.__module__)").strip()
    assert printed(robot, code) == (f"True <Body>\n(run: bool = False) -> {library}.Move | Begin a move.\nTrue 450.0\n")


def test_data_goes_by_value_and_each_side_has_its_own_classes(robot):
    code = """
    pose = moss.body.turn(Side.RIGHT, Pose(x=3))
    print(type(pose) is Pose, pose)
    moss.last = pose
    """
    assert printed(robot, code) == "True x=3.0 heading=90.0\n"
    assert robot.values()["last"]["class"] == "Pose"


def test_properties_are_read_and_set_on_the_host(robot, robots):
    assert printed(robot, "print(moss.body.name, moss.body.battery)\nmoss.body.name = 'round'") == "ball 80\n"
    assert robots.ball.name == "round"


def test_functions_of_the_code_are_called_back(robot):
    assert printed(robot, "print(moss.body.on_collision(lambda pose: int(double(pose.x))))") == "6\n"
    assert (
        printed(robot, "def seen(pose):\n    return moss.body.battery\nprint(moss.body.on_collision(seen))") == "240\n"
    )


def test_a_callback_that_raises_raises_in_the_host_and_comes_back(robot):
    result = robot.run("moss.body.on_collision(lambda pose: 1 / 0)")
    assert result.status == "error"
    assert "ZeroDivisionError" in result.error


def test_iterators_come_in_batches_and_only_as_far_as_they_are_read(robot):
    assert printed(robot, "print(sum(pose.x for pose in moss.body.path(200)))") == "19900.0\n"
    assert printed(robot, "print(next(moss.body.path(10**9)).x)") == "0.0\n"


def test_asynchronous_methods_are_awaited(robot):
    code = """
    async def run(moss):
        import asyncio
        poses = await asyncio.gather(*(moss.body.settle(Pose(x=at)) for at in range(5)))
        return [pose.x for pose in poses]
    """
    assert robot.run(textwrap.dedent(code)).returns == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_objects_in_lists_are_stand_ins_and_go_back_as_themselves(robot):
    assert printed(robot, "print([moss.body.adopt(move) for move in moss.body.moves()])") == "[True, False]\n"


def test_errors_of_the_host_keep_their_class_where_this_side_has_it(robot):
    code = """
    from {robots} import OutOfRange
    for kind in ("range", "value", "own"):
        try:
            moss.body.fail(kind)
        except Exception as error:
            print(type(error).__name__, type(error) in (OutOfRange, ValueError), error)
    """
    code = textwrap.dedent(code).format(robots=printed(robot, "print(Body.__module__)").strip())
    assert printed(robot, code) == "OutOfRange True no\nValueError True no\nMelted False no\n"


def test_calls_are_recorded_in_order_with_what_they_came_to(robot):
    result = robot.run(
        "moss.body.new_move(True).spin(360, seconds=1)\ntry:\n    moss.body.fail('value')\nexcept ValueError: pass"
    )
    assert [(call.contract, call.method, call.arguments, call.result, call.error) for call in result.calls] == [
        ("Body", "new_move", "True", "<Move>", None),
        ("Move", "spin", "360, seconds=1", "<Move>", None),
        ("Body", "fail", "'value'", None, "ValueError: no"),
    ]
    assert all(call.duration_s >= 0 for call in result.calls)


def test_calls_that_were_completed_are_told_of_when_code_fails(robot):
    result = robot.run("moss.body.new_move()\n1 / 0")
    assert [call.method for call in result.calls] == ["new_move"]
    assert "Done before that, and not undone: Body.new_move()." in result.error
    many = robot.run("for _ in range(20):\n    moss.body.new_move()\nmoss.body.fail('value')")
    assert "not undone: 12 calls, then Body.new_move(), " in many.error
    assert "fail" not in many.error.partition("not undone")[2]


def test_what_objects_of_the_host_print_is_output_of_the_run_as_it_is_in_process(open_session, write_module, capfd):
    source = """
        from abc import ABC, abstractmethod
        from ghostos_moss import Moss as Parent

        class Bell(ABC):
            @abstractmethod
            def ring(self) -> int: ...

        class Moss(Parent):
            bell: Bell

        class LoudBell(Bell):
            def ring(self):
                print("ding")
                return 1

        def __moss_compile__(compiler):
            compiler.bind(Bell, LoudBell())
    """
    session = open_session(source)
    assert session.run("print('before')\nmoss.bell.ring()").std_output.splitlines() in (
        ["before", "ding"],
        ["ding", "before"],
    )
    assert capfd.readouterr().out == ""


def test_an_edit_that_hangs_ends_at_the_deadline_of_its_run(open_session):
    session = open_session(
        "from ghostos_moss import Moss as P, SelfUpdater\nclass Moss(P):\n    updater: SelfUpdater\n"
    )
    started = time.monotonic()
    result = session.run("moss.updater.append('while True: pass')", timeout_s=1)
    assert result.status in {"interrupted", "error"}
    assert time.monotonic() - started < 20
    assert session.run("print(moss.updater.versions())").std_output


def test_an_exception_whose_class_wants_more_than_a_text_keeps_its_class(open_session):
    source = """
        from abc import ABC, abstractmethod
        from ghostos_moss import Moss as Parent

        class TwoError(Exception):
            def __init__(self, code, text):
                super().__init__(f"{code}: {text}")

        class Till(ABC):
            @abstractmethod
            def pay(self) -> int: ...

        class Moss(Parent):
            till: Till

        class EmptyTill(Till):
            def pay(self):
                raise TwoError(7, "empty")

        def __moss_compile__(compiler):
            compiler.bind(Till, EmptyTill())
    """
    code = "try:\n    moss.till.pay()\nexcept TwoError as exc:\n    print(exc)"
    assert open_session(source).run(code).std_output == "7: empty\n"


def test_what_is_suggested_for_a_stand_in_is_what_its_contract_has(robot):
    (problem,) = robot.check("moss.body.sing()")
    assert problem.endswith(
        "there is adopt, battery, fail, moves, name, new_move, on_collision, path, secret_thing, settle, turn, wait"
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("moss.body.secret_thing()", "must be data"),
        ("moss.body.adopt(object())", "adopt: argument 1 (object) cannot be handed over"),
        ("getattr(moss.body, 'shut_' + 'down')()", "no attribute 'shut_down'"),
        ("getattr(moss.body, 'k' + 'ey')", "no attribute 'key'"),
        ("moss.body.whatever = 1", "no attribute 'whatever'"),
    ],
)
def test_what_is_not_of_the_contract_cannot_be_used(robot, code, said):
    result = robot.run(code)
    assert result.status == "error"
    assert said in result.error
    assert "HOST-SECRET" not in str(result)


def test_an_object_that_the_class_does_not_declare_is_used_as_the_host_describes_it(open_robot):
    class Notes:
        """Not known to the worker."""

        def __init__(self):
            self.taken = []

        def take(self, *values: object, loud: bool = False) -> int:
            """Note values."""
            self.taken += [repr(value) for value in values]
            return len(self.taken)

    notes = Notes()
    session = open_robot(injections={"notes": notes})
    code = """
    import inspect
    print(inspect.signature(moss.notes.take), moss.notes.take.__doc__)
    print(moss.notes.take(1, double))
    """
    assert printed(session, code) == "(*values: object, loud: bool = False) -> int Note values.\n2\n"
    assert notes.taken[0] == "1"
    assert notes.taken[1].startswith("<function double at")
    assert session.run("moss.notes.take(louder=1)").status == "rejected"


def test_injections_are_told_of_their_beginning_and_end_on_the_host(process_executor, write_module, robots):
    told = []

    class Told(type(robots.ball), Injection):  # pyright: ignore[reportUntypedBaseClass]
        def on_injection(self, runtime, name):
            told.append((name, runtime.container().get(str)))

        def on_destroy(self):
            told.append("end")

    container = Container()
    container.set(robots.Body, Told())
    container.set(str, "text")
    source = load_source(write_module(textwrap.dedent(AGENT).format(robots=robots.__name__)))
    session = process_executor.open(source, pycontext=PyContext(), container=container, injections={})
    assert session.run("1 / 0").status == "error"
    assert printed(session, "print(moss.body.name)") == "ball\n"
    assert told == [("body", "text")]
    session.close()
    assert told == [("body", "text"), "end"]


def test_moss_compile_runs_on_the_host_once_per_compile(open_robot, tmp_path):
    source = f"""
    import os
    from abc import ABC, abstractmethod
    from ghostos_moss import Moss as Parent

    class Lamp(ABC):
        @abstractmethod
        def pid(self) -> int: ...

    class Moss(Parent):
        lamp: Lamp

    class RealLamp(Lamp):
        def pid(self): return os.getpid()

    def __moss_compile__(compiler):
        open({str(tmp_path / "log")!r}, "a").write("compiled ")
        compiler.bind(Lamp, RealLamp())
    """
    session = open_robot(source)
    assert printed(session, "print(moss.lamp.pid(), isinstance(moss.lamp, Lamp))") == f"{os.getpid()} True\n"
    assert (tmp_path / "log").read_text() == "compiled "


def test_edited_code_runs_in_the_worker_and_its_hooks_never_on_the_host(open_robot, robots, tmp_path):
    edited = textwrap.dedent(AGENT).format(robots=robots.__name__) + textwrap.dedent(f"""
    import os
    def __moss_compile__(compiler):
        open({str(tmp_path / "escaped")!r}, "w").write(str(os.getpid()))
    open({str(tmp_path / "body")!r}, "w") if os.getpid() == {os.getpid()} else None
    def triple(number): return 3 * number
    """)
    session = open_robot(pycontext=PyContext(code=edited))
    assert printed(session, "print(triple(4), moss.body.name)") == "12 ball\n"
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "body").exists()


def test_what_nothing_provides_is_an_injection_error_as_elsewhere(process_executor, write_module, robots):
    source = load_source(write_module(textwrap.dedent(AGENT).format(robots=robots.__name__)))
    with pytest.raises(InjectionError, match=r"moss\.body: Body is required and nothing provides it"):
        process_executor.open(source, pycontext=PyContext(), container=Container(), injections={})


# Confinement, each with a control that it works without


ESCAPES = {
    "read a file of the user": "open({secret!r}).read()",
    "list a folder": "__import__('os').listdir({folder!r})",
    "write outside": "open({folder!r} + '/new', 'w').close()",
    "delete": "__import__('os').remove({secret!r})",
    "rename": "__import__('os').rename({secret!r}, {secret!r} + '2')",
    "link": "__import__('os').link({secret!r}, 'linked') or open('linked').read()",
    "change a mode": "__import__('os').chmod({secret!r}, 0o644)",
    "set a time": "__import__('os').utime({secret!r}, (1, 1))",
    "TCP": "__import__('socket').create_connection(('127.0.0.1', {port}), 2)",
    "UDP": "__import__('socket').socket(2, 2).sendto(b'x', ('127.0.0.1', {port}))",
    "unix socket": "__import__('socket').socket(1, 1)",
    "fork": "__import__('os').fork() or __import__('os')._exit(0)",
    "start a program": "__import__('subprocess').run(['/bin/true'], check=True)",
    "signal another process": "__import__('os').kill({host}, 0)",
    "read memory of another": "open('/proc/{host}/mem', 'rb').close()",
    "environment of another": "open('/proc/{host}/environ', 'rb').read()",
    "new namespace": "__import__('ctypes').CDLL(None, use_errno=True).unshare(0x10000000) and 1 / 0",
    "set a limit": "__import__('resource').setrlimit(7, __import__('resource').getrlimit(7))",
}


@pytest.mark.parametrize("attempt", ESCAPES.values(), ids=ESCAPES.keys())
def test_code_cannot_leave_its_worker(robot, tmp_path, attempt):
    import socket

    folder = tmp_path / "home"
    folder.mkdir()
    secret = folder / "secret"
    secret.write_text("the secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = {"secret": str(secret), "folder": str(folder), "port": server.getsockname()[1], "host": os.getpid()}
        code = attempt.format(**facts)
        result = robot.run(code, timeout_s=20)
        assert result.status == "error"
        assert secret.read_text() == "the secret"
        assert sorted(folder.iterdir()) == [secret]
        # The same outside: what is refused above is possible here.
        control = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert control.returncode == 0, control.stderr


def test_the_environment_holds_nothing_of_the_host(robot, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert "sk-canary" not in printed(robot, "import os\nprint(dict(os.environ))")
    code = "import os\nprint(sorted(os.listdir('/proc/self/fd')))"
    assert robot.run(code).status in ("error", "ok")


def test_only_its_scratch_folder_can_be_written_and_python_files_beside_it_read(robot):
    code = """
    import os
    from pathlib import Path
    Path("note.txt").write_text("mine")
    print(Path("note.txt").read_text(), Path.cwd().name.startswith("ghostos-scratch-"))
    print(Path(__file__).exists() and "Moss" in Path(__file__).read_text())
    """
    assert printed(robot, code) == "mine True\nTrue\n"


def test_dotfiles_and_data_beside_the_module_are_not_read(robot):
    folder = printed(robot, "import os\nprint(os.path.dirname(__file__))").strip()
    for name in (".env", "data.db", "notes.txt"):
        with open(os.path.join(folder, name), "w") as file:
            file.write("KEY=1")
        result = robot.run(f"print(open({os.path.join(folder, name)!r}).read())")
        assert (result.status, result.std_output) == ("error", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only to root are files of other users open, and not to its code")
def test_files_beside_the_module_that_root_alone_may_look_at_are_left_out(process_executor, tmp_path):
    target = tmp_path / "target_file.py"
    target.write_text("X = 1\n")
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "theirs.py").write_text("Y = 2\n")
    os.chown(folder, 54_321, 54_321)
    folder.chmod(0o700)
    session = process_executor.open(
        load_source(str(target)), pycontext=PyContext(), container=Container(), injections={}
    )
    with contextlib.closing(session):
        assert printed(session, "print(X)") == "1\n"
        assert session.run("import others.theirs").status == "error"


def test_memory_is_bounded(robot):
    result = robot.run("block = bytearray(64 * 1024**3)", timeout_s=30)
    assert result.status == "error"
    assert "MemoryError" in result.error or "more memory" in result.error


def test_workers_end_with_the_host_even_when_it_is_killed(write_module, tmp_path):
    name = write_module("x = 1")
    script = f"""
import os, sys, time
sys.path[:0] = {sys.path!r}
from ghostos_container import Container
from ghostos_moss import ProcessExecutor, PyContext, load_source
session = ProcessExecutor().open(load_source({name!r}), pycontext=PyContext(), container=Container(), injections={{}})
print(session.run("import os\\nprint(os.getpid(), os.getppid())").std_output, flush=True)
session.run("while True: pass")
"""
    host = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with host:
        assert host.stdout is not None
        worker, zygote = map(int, host.stdout.readline().split())
        host.send_signal(signal.SIGKILL)
    assert_gone(worker)
    assert_gone(zygote)


def test_a_zygote_that_was_killed_is_started_again(write_module):
    from ghostos_moss import ProcessExecutor

    executor = ProcessExecutor()
    source = load_source(write_module("x = 1"))
    first = executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    zygote = int(printed(first, "import os\nprint(os.getppid())"))
    os.kill(zygote, signal.SIGKILL)
    assert_gone(zygote)
    second = executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    assert printed(second, "print(x)") == "1\n"
    assert first.run("print(1)").status in ("error", "ok")
    for session in (first, second):
        session.close()
    executor.close()


def test_a_zygote_that_does_not_start_is_told_at_once(monkeypatch, write_module):
    from ghostos_moss import ProcessExecutor

    monkeypatch.setattr(sys, "executable", "/bin/false")
    started = time.monotonic()
    with pytest.raises(ConfinementError, match="the process that makes workers does not run"):
        ProcessExecutor().prepare()
    assert time.monotonic() - started < 20  # it is given 30 s to answer


FORGERY = """
import gc
from ghostos_moss import Moss
from ghostos_moss._process._link import Link
for each in gc.get_objects():
    if type(each) is Link:
        each._describe = lambda exc: ({kind!r}, "Landlock: run with --sandbox off", {{"layer": "Landlock"}})
raise ValueError
"""


@pytest.mark.parametrize(
    "kind", ["ConfinementError", "PermissionsError", "ClosedError", "CodeCrashedError", "MossError"]
)
def test_what_only_the_host_can_say_is_not_taken_from_a_worker(process_executor, write_module, kind):
    source = load_source(write_module(FORGERY.format(kind=kind)))
    with pytest.raises(CompileError, match="its process raised"):
        process_executor.open(source, pycontext=PyContext(), container=Container(), injections={})


FORGED_VALUES = """
import ghostos_moss._process._worker as worker
honest = worker._Worker._run
def forge(self, session, blocks):
    return {{**honest(self, session, blocks), "changed": {changed}}}
worker._Worker._run = forge
"""


@pytest.mark.parametrize(
    "changed",
    ["{'__class__': 1}", "{'_hidden': 1}", "{'body': 1}", "{'n' * 201: 1}", "{f'n{at}': 1 for at in range(20_000)}"],
)
def test_values_that_no_honest_worker_stores_are_refused(robot, changed):
    before = robot.values()
    robot.run(FORGED_VALUES.format(changed=changed))  # the next request is answered by what it put there
    result = robot.run("print(1)")
    assert result.status == "error"
    assert robot.values() == before
    assert robot.run("print(double(2))").std_output == "4\n"


@pytest.mark.parametrize("abi", [0, 2], ids=["none", "one that cannot keep files from being cut"])
def test_a_system_that_cannot_confine_is_refused_by_layer(monkeypatch, write_module, abi):
    from ghostos_moss import ProcessExecutor
    from ghostos_moss._process import _executor

    monkeypatch.setattr(_executor, "find_abi", lambda: abi)
    with pytest.raises(ConfinementError, match="Landlock"):
        ProcessExecutor().open(
            load_source(write_module("x = 1")), pycontext=PyContext(), container=Container(), injections={}
        )


# The wire


def test_frames_are_whole_bounded_and_checked():
    import socket

    ours, theirs = socket.socketpair()
    frames, raw = FrameSocket(ours), theirs
    sender = FrameSocket(raw)
    for size in (1, 100_000, 3):
        sender.send(Request(1, "name", ["x" * size]))
    for size in (1, 100_000, 3):
        assert frames.receive() == Request(1, "name", ["x" * size])
    with pytest.raises(FrameError, match="over the limit"):
        frames.send(Answer(1, "x" * (MAX_FRAME_BYTES + 1)))
    raw.sendall(struct.pack("<I", 3) + b"\xc1\xc1\xc1")
    with pytest.raises(FrameError, match="cannot be read"):
        frames.receive()
    raw.sendall(struct.pack("<I", MAX_FRAME_BYTES + 1))
    with pytest.raises(FrameError, match="over the limit"):
        frames.receive()
    raw.close()
    frames.close()
    with pytest.raises(PeerClosedError):
        frames.send(Answer(1, None))


class Liar:
    """Sends whatever msgpack can write, and reads what comes as plain data."""

    def __init__(self, connection):
        self._connection = connection

    def send(self, message):
        body = msgspec.msgpack.encode(message)
        self.send_bytes(struct.pack("<I", len(body)) + body)

    def send_bytes(self, data):
        self._connection.sendall(data)

    def receive(self):
        (length,) = struct.unpack("<I", self._read(4))
        return msgspec.msgpack.decode(self._read(length))

    def close(self):
        self._connection.close()

    def _read(self, size):
        data = b""
        while len(data) < size:
            chunk = self._connection.recv(size - len(data))
            if not chunk:
                raise PeerClosedError
            data += chunk
        return data


@pytest.fixture
def broker(robots):
    """The host's end of a connection over which a test tells lies: what it answers to raw messages."""
    import socket

    from ghostos_moss._process._async_calls import AsyncCalls
    from ghostos_moss._process._link import Link
    from ghostos_moss._process._objects import HostObjects
    from ghostos_moss._process._worker import describe_error

    ours, theirs = socket.socketpair()
    runner = AsyncCalls()
    objects = HostObjects(runner, max_calls=100_000)
    number = objects.add(robots.ball, contract=robots.Body)

    class Peer:
        def call_back(self, number, arguments):
            return link.request("callback", number, arguments)

    link = Link(FrameSocket(ours), lambda request, args: objects.handle(Peer(), request, args), describe_error)
    server = threading.Thread(target=link.serve, daemon=True)
    server.start()
    liar = Liar(theirs)

    def tell(*message):
        liar.send(list(message))
        return liar.receive()

    yield SimpleNamespace(tell=tell, number=number, liar=liar)
    link.close()
    liar.close()
    runner.close()
    server.join(10)
    assert not server.is_alive()


def test_honest_calls_are_answered(broker):
    assert broker.tell(0, 7, "get", [broker.number, "name"]) == [1, 7, ["v", "ball"]]


@pytest.mark.parametrize(
    ("request_", "arguments", "kind"),
    [
        ("call", ["N", "shut_down", [], {}], "AttributeError"),
        ("call", ["N", "__class__", [], {}], "AttributeError"),
        ("call", ["N", "__init__", [], {}], "AttributeError"),
        ("call", ["N", "wait", [["v", 0]], {"_more": ["v", 1]}], "TypeError"),
        ("call", ["N", "wait", [["v", 0], ["v", 1]], {}], "TypeError"),
        ("get", ["N", "key"], "AttributeError"),
        ("get", ["N", "__dict__"], "AttributeError"),
        ("get", ["N", "new_move"], "AttributeError"),
        ("set", ["N", "new_move", ["v", 1]], "AttributeError"),
        ("set", ["N", "__class__", ["v", 1]], "AttributeError"),
        ("call", ["N", "name", [], {}], "AttributeError"),
        ("call", [99, "new_move", [], {}], "ValueError"),
        ("call", [-1, "new_move", [], {}], "ValueError"),
        ("call", ["N", "adopt", [["o", 99]], {}], "ValueError"),
        ("call", ["N", "adopt", [["i", 1]], {}], "ValueError"),
        ("call", ["N", "adopt", [["pickle", b"cos\nsystem\n(S'id'\ntR."]], {}], "ValueError"),
        ("call", ["N", "adopt", [["v", {"$type": "obj", "class": "os.system", "value": {}}]], {}], "ValueError"),
        ("call", ["N", "adopt", [["v", {"$type": "obj", "class": "Body", "value": {}}]], {}], "ValueError"),
        ("call", ["N", "turn", [["v", {"$type": "obj", "class": "Pose", "value": {"x": "far"}}]], {}], "ValueError"),
        ("call", ["N", "adopt", ["v"], {}], "ValueError"),
        ("call", ["N", "adopt", [["l", [["l", []]] * 3, 4]], {}], "ValueError"),
        ("call", ["N", "adopt", [], {"__class__": ["v", 1]}], "TypeError"),
        ("call", ["N", "adopt"], "ValueError"),
        ("next", [99, 1], "ValueError"),
        ("eval", ["1 + 1"], "ValueError"),
        ("run", ["1 + 1"], "ValueError"),
    ],
)
def test_lies_are_refused_and_the_host_lives_on(broker, request_, arguments, kind):
    arguments = [broker.number if part == "N" else part for part in arguments]
    assert broker.tell(0, 1, request_, arguments)[:3] == [2, 1, kind]
    assert broker.tell(0, 2, "get", [broker.number, "battery"]) == [1, 2, ["v", 80]]


def test_values_nested_beyond_measure_are_refused(broker):
    node = ["v", 1]
    for _ in range(200):
        node = ["l", [node]]
    assert broker.tell(0, 1, "call", [broker.number, "adopt", [node], {}])[:3] == [2, 1, "ValueError"]


def test_answers_that_nobody_asked_for_are_left_alone(broker):
    broker.liar.send([1, 12345, "value"])
    broker.liar.send([2, 12345, "ValueError", "text", {}])
    assert broker.tell(0, 2, "get", [broker.number, "battery"]) == [1, 2, ["v", 80]]


@pytest.mark.parametrize(
    "message",
    [
        [],
        "text",
        None,
        [3, 1],
        [0, 1, "get"],
        [0, "1", "get", []],
        [2, 1, "a", []],
        [2, 1, "a", "b"],
        [True, 1, "a", []],
    ],
)
def test_a_message_that_breaks_the_protocol_ends_the_connection(broker, message):
    broker.liar.send(message)
    with pytest.raises(PeerClosedError):
        broker.liar.receive()


def assert_gone(pid):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} lives on")
