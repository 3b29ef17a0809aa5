"""The zygote: a process that has imported what workers need, and forks one when it is told to.

It is started by exec with an environment of its own, so it holds nothing of the host. It stays single-threaded and
imports nothing of the user's. Run as `python -I -B -m ghostos_moss._process._zygote DESCRIPTOR`.
"""

import errno
import gc
import os
import resource
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from ghostos_moss._process._confine import WorkerPlan, confine, die_with_parent, give_up_privileges, prepare_to_confine
from ghostos_moss._process._frames import Answer, Failure, FrameError, FrameSocket, PeerClosedError, Request
from ghostos_moss._process._orders import CONFINE, MAX_NEVER_BYTES, READY
from ghostos_moss._process._python_reach import PythonReach
from ghostos_moss._process._streams import WorkerStreams
from ghostos_moss._process._system import SystemCallError, set_process_option
from ghostos_moss._process._thread_limits import ThreadLimits, hand_over
from ghostos_moss._process._warm_up import rehearse, warm_up
from ghostos_moss._process._worker import serve

__all__ = ["main"]

_MAX_ORDER_BYTES: Final = 64
_DESCRIPTORS: Final = 2
_READ_BYTES: Final = 4096
_PR_SET_CHILD_SUBREAPER: Final = 36
_QUIET_S: Final = 0.03
"""A worker that is not needed so long after it was made was made ahead, and has time."""


def main() -> None:
    """Serve orders on the descriptor that the command line names, until the host is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _, most_open = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_open, most_open))  # each worker takes one
    warm_up()
    never = control.recv(MAX_NEVER_BYTES).split(b"\0")[1:]
    reach = prepare_to_confine(never=[Path(os.fsdecode(path)) for path in never])
    give_up_privileges()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the host's affair
    set_process_option("child subreaper", _PR_SET_CHILD_SUBREAPER, 1)
    children = _Children()
    gc.collect()
    gc.freeze()  # what is shared with the workers stays shared
    control.send(READY)
    try:
        _serve(control, children, reach)
    except ConnectionError:  # the host is gone, with a worker on its way to it
        children.kill_all()
    os._exit(0)


def _serve(control: socket.socket, children: "_Children", reach: PythonReach) -> None:
    """Make workers for as long as there is a host, then end them."""
    poll = select.epoll()
    poll.register(control, select.EPOLLIN)
    poll.register(children.ended, select.EPOLLIN)
    thread_limits = ThreadLimits(poll)
    while True:
        ready = dict(poll.poll())
        if children.ended in ready:
            children.reap()
        for descriptor, event in ready.items():
            thread_limits.serve(descriptor, event)
        if control.fileno() in ready:
            order, descriptors, _, _ = socket.recv_fds(control, _MAX_ORDER_BYTES, _DESCRIPTORS)
            if not order:
                children.kill_all()
                return
            _fork(control, descriptors, children=children, reach=reach, thread_limits=thread_limits)


class _Children:
    """The workers, and what they started and left behind when they ended: that comes to this process, and is killed.

    What others leave behind while their worker lives comes to that one.
    """

    def __init__(self) -> None:
        self._workers: set[int] = set()
        me = os.getpid()
        self._list_of_all = os.open(f"/proc/{me}/task/{me}/children", os.O_RDONLY | os.O_CLOEXEC)
        self.ended, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def add(self, pid: int) -> None:
        """Keep a worker."""
        self._workers.add(pid)

    def reap(self) -> None:
        """Let go of those that have ended, and end those that nobody is left to end."""
        try:
            os.read(self.ended, _READ_BYTES)
            while True:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                self._workers.discard(pid)
        except (BlockingIOError, ChildProcessError):
            return
        finally:
            _kill(self._list() - self._workers)

    def kill_all(self) -> None:
        """End everything, whatever started it."""
        while children := self._list():
            _kill(children)
            self._workers.clear()
            for pid in children:
                os.waitpid(pid, 0)

    def _list(self) -> set[int]:
        """Read what is open already: there may be no descriptor left."""
        parts = [os.pread(self._list_of_all, _READ_BYTES, 0)]
        while parts[-1]:
            parts.append(os.pread(self._list_of_all, _READ_BYTES, sum(map(len, parts))))
        return {int(each) for each in b"".join(parts).split()}


def _kill(processes: set[int]) -> None:
    for pid in processes:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it ended by itself
            continue


def _fork(
    control: socket.socket,
    descriptors: list[int],
    *,
    children: _Children,
    reach: PythonReach,
    thread_limits: ThreadLimits,
) -> None:
    """Make a worker and tell of it: its number, with a handle of it, or why there is none."""
    handle = -1
    try:
        if len(descriptors) != _DESCRIPTORS:  # the system has dropped what was more than this process may have
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))  # noqa: TRY301 - as where it says so itself
        reach.find_code()  # what was looked for here need not be looked for by each worker
        connection, output = descriptors
        with thread_limits.expect() as reports:
            pid = _fork_worker(control, reach, connection=connection, output=output, reports=reports)
        children.add(pid)
        handle = os.pidfd_open(pid)
        socket.send_fds(control, [str(pid).encode()], [handle])
    except OSError as exc:  # a worker that was made ends: nobody is at the other end
        control.send((exc.strerror or str(exc)).encode())
    finally:
        for each in (*descriptors, handle):
            if each >= 0:
                os.close(each)


def _fork_worker(
    control: socket.socket, reach: PythonReach, *, connection: int, output: int, reports: socket.socket
) -> int:
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        _become_worker(zygote, reach, control=control, connection=connection, output=output, reports=reports)
    with suppress(OSError):  # it has ended by now
        os.setpgid(pid, pid)  # here and there, so that whoever is first can rely on it
    return pid


def _become_worker(
    zygote: int,
    reach: PythonReach,
    *,
    control: socket.socket,
    connection: int,
    output: int,
    reports: socket.socket,
) -> NoReturn:
    try:
        die_with_parent(zygote)
        os.setpgid(0, 0)  # with what it starts, which cannot leave the group: it is halted and ended as one
        set_process_option("child subreaper", _PR_SET_CHILD_SUBREAPER, 1)  # and none of that comes to the zygote yet
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        streams = WorkerStreams(output, keep=(connection, reports.fileno()))
        frames = FrameSocket(socket.socket(fileno=connection))
        _rehearse_until_needed(connection)
        if _confine_as_told(frames, reach, reports=reports):
            serve(frames, streams)
    finally:
        os._exit(0)  # never back into the zygote's loop, whatever was raised


def _rehearse_until_needed(connection: int) -> None:
    if select.select([connection], [], [], _QUIET_S)[0]:
        return
    for _ in rehearse():
        if select.select([connection], [], [], 0)[0]:
            return


def _confine_as_told(frames: FrameSocket, reach: PythonReach, *, reports: socket.socket) -> bool:
    """Wait for the plan and follow it; False if there is none, or it cannot be followed."""
    try:
        request = frames.receive()
    except (PeerClosedError, FrameError):  # the host needs no worker any more
        return False
    if not isinstance(request, Request) or request.name != CONFINE:
        return False
    try:
        plan = msgspec.convert(*request.arguments, type=WorkerPlan)
        count = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
        listener = confine(plan, reach)
        if listener is None:
            os.close(count)
            reports.close()
        else:
            hand_over(listener, count=count, most=plan.limits.threads, to=reports)
    except OSError as exc:
        layer = exc.layer if isinstance(exc, SystemCallError) else "the worker"
        reason = os.strerror(exc.errno) if exc.errno else str(exc)
        frames.send(Failure(0, layer, f"{exc.filename}: {reason}" if exc.filename else reason, {}))
        return False
    frames.send(Answer(0, None))
    return True


if __name__ == "__main__":
    main()
