"""A task's worker between two sessions: what it keeps, what it forgets, and when it is a new one."""

import errno
import os
import signal
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from ghostos_container import Container
from ghostos_moss import Injection, Permissions, ProcessExecutor, PyContext, load_source
from ghostos_moss._process._kept_workers import KeptWorkers
from ghostos_moss.errors import CallbackGoneError, CompileError

BELLS = """
    from abc import ABC, abstractmethod
    from collections.abc import Callable

    class Bell(ABC):
        @abstractmethod
        def subscribe(self, callback: Callable[[int], object]) -> None:
            '''Call it at each ring.'''

        @abstractmethod
        def count(self) -> int: ...
"""
AGENT = """
    from {bells} import Bell
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        bell: Bell
        total: int = 0
"""
WHO = "import os\nprint(os.getpid())"


@pytest.fixture
def bells(write_module):
    library = __import__(write_module(BELLS))

    class Ringing(library.Bell):
        def __init__(self):
            self.callbacks = []
            self.asked = 0

        def subscribe(self, callback):
            self.callbacks.append(callback)

        def count(self):
            self.asked += 1
            return self.asked

    class Forgetful(Ringing):
        def subscribe(self, callback):
            """Takes it, and keeps it not."""

    library.bell, library.forgetful = Ringing(), Forgetful()
    return library


@pytest.fixture
def keeper(process_executor):
    """Keeps workers as it does by default; the zygote is that of all tests."""
    return process_executor


@pytest.fixture
def target(write_module, bells):
    return Path(load_source(write_module(textwrap.dedent(AGENT).format(bells=bells.__name__))).filename)


@pytest.fixture
def open_task(keeper, bells, target, tmp_path):
    sessions = []

    def open_it(*, task="task", executor=keeper, bell=None, **arguments):
        container = Container()
        container.set(bells.Bell, bell or bells.bell)
        arguments = {"pycontext": PyContext(), "injections": {}, "scratch": tmp_path / task, **arguments}
        sessions.append(executor.open(load_source(str(target)), container=container, **arguments))
        return sessions[-1]

    yield open_it
    for session in sessions:
        session.close()


def run(session, code, **arguments):
    result = session.run(textwrap.dedent(code), **arguments)
    assert result.error is None
    return result.std_output


def use(open_task, code: str = WHO, **arguments: Any):
    """What code prints in a session of its own."""
    session = open_task(**arguments)
    try:
        return run(session, code)
    finally:
        session.close()


def test_the_next_session_of_a_task_gets_its_worker_with_what_it_has_imported(open_task):
    first = use(open_task, WHO + "\nimport colorsys")
    assert use(open_task, WHO + "\nimport sys; assert 'colorsys' in sys.modules") == first


@pytest.mark.parametrize(
    "code",
    [
        "left = 1",
        "moss.total = 5\nmoss.extra = 1",
        "import os; os.environ['LEFT'] = 'left'; os.environ.pop('HOME')",
        "import os; os.mkdir('sub'); os.chdir('sub')",
        "import sys; sys.path.insert(0, '/left'); sys.stdout = None; sys.stderr.close()",
        "import builtins; builtins.print = None; builtins.open = None; builtins.left = 1",
        "moss.__class__.total = 9\nimport sys; sys.modules[__name__] = None",
        "import os, ctypes; ctypes.CDLL(None).setenv(b'LEFT', b'1', 1); os.umask(0)",
        "import sys; sys.meta_path.insert(0, object()); sys.path_hooks.clear(); sys.setrecursionlimit(60)",
    ],
)
def test_a_session_finds_nothing_of_the_earlier_ones_but_what_was_stored(open_task, code):
    look = """
    import os, sys, builtins
    print(sorted(name for name in [*globals(), *dir(builtins), *vars(moss)] if name in ("left", "extra")))
    print(moss.total, "LEFT" in os.environ, os.environ["HOME"] == os.getcwd(), "/left" in sys.path)
    import ctypes
    print(ctypes.CDLL(None).getenv(b"LEFT"), os.umask(0) > 0)
    print(object in map(type, sys.meta_path), len(sys.path_hooks) > 0, sys.getrecursionlimit() > 60)
    """
    assert use(open_task, look, task="untouched") == "[]\n0 False True False\n0 True\nFalse True True\n"
    pid = use(open_task)
    use(open_task, code)
    assert use(open_task, look) == "[]\n0 False True False\n0 True\nFalse True True\n"
    assert use(open_task) == pid  # it was the same worker all the time


def test_a_function_that_an_object_holds_works_between_sessions_and_in_later_ones(open_task, bells):
    use(open_task, "seen = []\nmoss.bell.subscribe(lambda at: (seen.append(at), moss.bell.count(), len(seen))[1:])")
    (callback,) = bells.bell.callbacks
    assert callback(1) == (1, 1)  # it rests, and nobody has a session
    assert callback(2) == (2, 2)
    session = open_task()
    assert callback(3) == (3, 3)
    assert run(session, "print(moss.bell.count())") == "4\n"
    assert session.run("1").calls == ()  # those of others are not its own
    session.close()
    assert callback(4) == (5, 4)


def test_a_function_that_a_test_of_an_edit_hands_over_is_not_taken_for_one_of_the_code(open_task, target, bells):
    target.write_text("from ghostos_moss import Moss as P, SelfUpdater\nclass Moss(P):\n    updater: SelfUpdater\n")
    session = open_task(injections={"bell": bells.bell})
    edit = "def test_bell(moss):\n    moss.bell.subscribe(lambda at: 'of the test')\n"
    run(session, f"moss.bell.subscribe(lambda at: 'of the code')\nmoss.updater.append({edit!r})")
    of_the_code, of_the_test = bells.bell.callbacks
    assert of_the_code(1) == "of the code"
    with pytest.raises(CallbackGoneError):
        of_the_test(1)


def test_an_object_that_an_older_function_holds_is_of_the_class_of_now(open_task, target, bells):
    text = textwrap.dedent(BELLS) + textwrap.dedent(AGENT).replace("from {bells} import Bell\n", "")
    target.write_text(text)
    code = WHO + "\nprint(isinstance(moss.bell, Bell))\nmoss.bell.subscribe(lambda at: moss.bell.count())"
    first, second = (use(open_task, code, injections={"bell": bells.bell}) for _ in range(2))
    assert first == second
    assert first.endswith("True\n")
    assert [callback(1) for callback in bells.bell.callbacks] == [1, 2]


def test_functions_that_nobody_holds_make_room(open_task, bells):
    for _ in range(3):
        use(open_task, "for at in range(600):\n    moss.bell.subscribe(eval('lambda at: 1'))\n", bell=bells.forgetful)


def test_nothing_goes_on_while_nobody_asks_for_anything(open_task, bells):
    session = open_task()
    code = """
    import threading
    def go_on():
        while True:
            moss.bell.count()
    threading.Thread(target=go_on, daemon=True).start()
    """
    run(session, code)
    time.sleep(0.1)  # what was on its way
    asked = bells.bell.asked
    time.sleep(0.3)
    assert bells.bell.asked == asked
    run(session, "import time\ntime.sleep(0.1)")
    assert bells.bell.asked > asked


def test_no_timer_wakes_it(open_task):
    code = """
    import ctypes
    timer = ctypes.c_int()
    call = ctypes.CDLL(None, use_errno=True).timer_create
    print(call(0, None, ctypes.byref(timer)), ctypes.get_errno())
    """
    session = open_task()
    assert run(session, code) == f"-1 {errno.EPERM}\n"


def test_at_rest_it_costs_no_time_and_calls_nobody(open_task, bells):
    busy = """
    import os, threading
    def go_on():
        while True:
            moss.bell.count()
    moss.bell.subscribe(lambda at: threading.Thread(target=go_on, daemon=True).start())
    print(os.getpid())
    """
    worker = psutil.Process(int(use(open_task, busy)))
    bells.bell.callbacks[0](1)
    wait_for(lambda: worker.status() == psutil.STATUS_STOPPED)
    time.sleep(0.1)  # a call that was on its way when it was halted may still arrive
    before, asked = worker.cpu_times(), bells.bell.asked
    time.sleep(0.3)
    assert (worker.cpu_times(), bells.bell.asked) == (before, asked)
    assert int(use(open_task)) != worker.pid  # nor in a later session


@pytest.mark.parametrize(
    "start",
    [
        "threading.Thread(target=go_on, daemon=True).start()",
        "_thread.start_new(go_on, ())",
        "_thread.start_new(time.sleep, (60,))",
    ],
)
def test_one_in_which_a_thread_goes_on_is_not_kept(open_task, bells, start):
    code = f"""
    import _thread, os, threading, time
    def go_on():
        while True:
            moss.bell.count()
    {start}
    print(os.getpid())
    """
    pid = int(use(open_task, code))
    wait_for(lambda: not psutil.pid_exists(pid))


def test_a_thread_that_has_not_begun_counts(open_task):
    code = """
    import _thread, sys
    from ghostos_moss._process._thread_states import get_thread_state, has_others
    before, known = sys.getswitchinterval(), [get_thread_state()]
    none = has_others(known)
    sys.setswitchinterval(60)  # it cannot begin as long as this thread goes on
    _thread.start_new_thread(int, ())
    begun, some = len(sys._current_frames()), has_others(known)
    sys.setswitchinterval(before)
    print(none, begun, some)
    """
    assert use(open_task, code) == "False 1 True\n"


def test_threads_that_end_do_not_cost_the_worker(open_task):
    code = """
    import asyncio, os, threading, time
    threading.Thread(target=time.sleep, args=[0.05]).start()
    async def run(moss):
        await asyncio.to_thread(time.sleep, 0.01)
    print(os.getpid())
    """
    assert use(open_task, code) == use(open_task)


def test_a_worker_of_which_nothing_is_left_after_an_error_a_deadline_or_a_cancel(open_task):
    for code, timeout_s in (("1 / 0", None), ("while True: pass", 0.05)):
        session = open_task()
        before = run(session, WHO)
        assert session.run(code, timeout_s=timeout_s).status in ("error", "interrupted")
        session.close()
        assert use(open_task) != before


def test_other_files_other_rights_and_another_folder_are_for_another_worker(open_task, target, tmp_path, monkeypatch):
    seen = [use(open_task)]

    def is_new():
        seen.append(use(open_task, **arguments))
        return seen[-1] not in seen[:-1]

    arguments: dict[str, Any] = {}
    assert not is_new()
    target.write_text(target.read_text() + "\nADDED = 1\n")
    assert is_new()
    (target.parent / "beside.py").write_text("X = 1\n")
    assert is_new()
    (target.parent / "beside.py").write_text("X = 22\n")
    assert is_new()
    os.utime(target.parent / "beside.py", ns=(1, 1))
    assert is_new()
    (tmp_path / "data.txt").write_text("one")
    arguments = {"permissions": Permissions(read=[str(tmp_path / "data.txt")])}
    assert is_new()
    (tmp_path / "data.txt").rename(tmp_path / "old.txt")
    (tmp_path / "data.txt").write_text("two")  # as an editor saves: the old right is to the old file
    assert use(open_task, f"print(open({str(tmp_path / 'data.txt')!r}).read())", **arguments) == "two\n"
    monkeypatch.setenv("GIVEN", "1")
    arguments = {"permissions": Permissions(env=["GIVEN"])}
    assert is_new()
    monkeypatch.setenv("GIVEN", "2")
    assert is_new()
    (tmp_path / "task").rename(tmp_path / "moved")
    assert is_new()
    assert use(open_task, "open('mine', 'w').write('x')\nprint('written')", **arguments) == "written\n"


def test_it_has_the_module_of_now(open_task, target):
    (target.parent / "beside.py").write_text("X = 1\n")
    code = "import beside\nprint(beside.X)"
    assert use(open_task, code) == "1\n"
    (target.parent / "beside.py").write_text("X = 2\n")
    assert use(open_task, code) == "2\n"


def test_sessions_without_a_folder_of_their_own_have_workers_of_their_own(open_task):
    pid = int(use(open_task, scratch=None))
    wait_for(lambda: not psutil.pid_exists(pid))


def test_one_that_died_at_rest_is_replaced(open_task, bells):
    pid = use(open_task, WHO + "\nmoss.bell.subscribe(lambda at: 1)")
    os.kill(int(pid), signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(int(pid)))
    assert use(open_task) != pid
    with pytest.raises(CallbackGoneError):
        bells.bell.callbacks[0](1)


def test_what_was_broken_in_it_does_not_keep_a_module_from_opening(open_task):
    pid = use(open_task, WHO + "\nimport ghostos_moss._compiler as c\nc.MossCompiler.compile = None")
    assert use(open_task) != pid


def test_an_error_of_the_module_itself_stays_one(open_task, target):
    use(open_task)
    target.write_text("1 / 0\n")
    with pytest.raises(CompileError, match="division by zero"):
        open_task()


def test_two_sessions_of_one_task_at_once_do_not_share_one(open_task):
    use(open_task)
    first, second = open_task(), open_task()
    assert run(first, WHO) != run(second, WHO)


def test_a_session_that_is_closed_while_it_runs_leaves_no_worker(open_task):
    session = open_task()
    pid = int(run(session, WHO))
    running = threading.Thread(target=session.run, args=("import time\nprint('on')\ntime.sleep(60)",))
    running.start()
    time.sleep(0.2)
    session.close()
    running.join(10)
    wait_for(lambda: not psutil.pid_exists(pid))


def test_objects_are_told_of_each_session_and_their_numbers_are_not_used_again(
    open_task, write_module, tmp_path, keeper
):
    told = []

    class Listener(Injection):
        def on_injection(self, runtime, name):
            told.append(f"+{name}")

        def on_destroy(self):
            told.append("-")

        def ask(self) -> int:
            return 1

    for _ in range(2):
        use(
            open_task,
            "print(moss.ear.ask())\nmoss.bell.subscribe(lambda at: moss.ear.ask())",
            injections={"ear": Listener()},
        )
    assert told == ["+ear", "-"] * 2


def test_an_object_of_an_earlier_session_cannot_be_reached_from_a_later_one(open_task, bells):
    class Old:
        def ask(self) -> int:
            return 1

    use(open_task, "moss.bell.subscribe(lambda at: moss.old.ask())", injections={"old": Old()})
    session = open_task(injections={"new": Old()})
    with pytest.raises(RuntimeError, match="there is no object"):
        bells.bell.callbacks[0](1)
    assert run(session, "print(moss.new.ask())") == "1\n"


@pytest.fixture
def own_executor(keeper):
    made = []

    def make(**arguments):
        made.append(ProcessExecutor(**arguments))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_it_is_ended_when_nobody_comes_back_or_too_many_are_kept(open_task, own_executor):
    executor = own_executor(keep_s=0.3, most_kept=2)
    pids = [int(use(open_task, task=f"task{at}", executor=executor)) for at in range(3)]
    wait_for(lambda: not psutil.pid_exists(pids[0]))  # the oldest, at once
    assert all(map(psutil.pid_exists, pids[1:]))
    wait_for(lambda: not any(map(psutil.pid_exists, pids)))
    wait_for(lambda: executor._kept._sweeper is None)
    assert int(use(open_task, task="task2", executor=executor)) not in pids


def test_none_is_kept_when_that_is_switched_off(open_task, own_executor):
    for executor in (own_executor(keep_s=0), own_executor(most_kept=0)):
        pid = int(use(open_task, executor=executor))
        wait_for(lambda pid=pid: not psutil.pid_exists(pid))


def test_closing_the_executor_ends_all(open_task, own_executor):
    executor = own_executor()
    pid = int(use(open_task, executor=executor))
    executor.close()
    assert not psutil.pid_exists(pid)
    executor.close()


def test_nothing_is_left_of_a_keeper_that_was_never_used():
    KeptWorkers(keep_s=1, most=1).close()


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
