"""The host's side of the zygote: starting it, and having workers made."""

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._frames import Answer, Failure, FrameError, FrameSocket, PeerClosedError, Request
from ghostos_moss._process._orders import CONFINE, FORK, MAX_NEVER_BYTES, READY, STOP_SIGNAL
from ghostos_moss.errors import ConfinementError

__all__ = ["WorkerProcess", "Zygote"]

_PROCESS_GROUP: Final = 4  # PIDFD_SIGNAL_PROCESS_GROUP
_START_TIMEOUT_S: Final = 30.0
_MAX_ANSWER_BYTES: Final = 4096
_END_TIMEOUT_S: Final = 3.0
_SEND_TIMEOUT: Final = struct.pack("ll", 2, 0)
"""Seconds and microseconds: a worker that does not read for so long is given up, as nothing else may wait for it."""
_ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",  # each thread's arena would count 64 MiB of address space
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # looking for them takes a tenth of the start
}


@dataclass(slots=True)
class WorkerProcess:
    """A confined process, and the host's ends of what leads to it.

    Attributes:
        pid: Its number.
        frames: For requests.
        output: Reads what it writes to stdout and stderr. Does not block.
    """

    pid: int
    frames: FrameSocket
    output: int
    _handle: int

    def kill(self) -> None:
        """End it at once, and the programs that it started. Harmless when it has ended, and from any thread."""
        self._signal(signal.SIGKILL)
        self._signal_all(signal.SIGKILL)

    def interrupt(self) -> None:
        """Ask it to end its run. As harmless."""
        self._signal(STOP_SIGNAL)

    def pause(self) -> None:
        """Halt it where it is, with the programs that it started. As harmless."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on, with them. As harmless."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """Signal its process group: what it starts is not permitted to leave that."""
        try:
            signal.pidfd_send_signal(self._handle, number, None, _PROCESS_GROUP)
        except ProcessLookupError:  # none of them is left
            return
        except OSError:  # a kernel before 6.9 does not know the flag, or it was released
            self._signal_all_by_number(number)

    def _signal_all_by_number(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self._handle, 0)  # while it lives its number is nobody else's
            os.killpg(self.pid, number)
        except OSError:  # ended, or released already
            return

    def _signal(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self._handle, number)
        except (ProcessLookupError, OSError):  # ended, or released already
            return

    def release(self) -> None:
        """End it and close what led to it. Once."""
        self.kill()
        self.frames.close()
        os.close(self.output)
        handle, self._handle = self._handle, -1
        os.close(handle)


class _NoWorkerError(ConfinementError):
    """The zygote goes on, and so do the workers that there are."""


class _Ordered:
    """A worker that the zygote was told to make, and the host's ends of what will lead to it."""

    def __init__(self, control: socket.socket) -> None:
        self._connection, theirs = socket.socketpair()
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        self._output, writer = os.pipe2(os.O_CLOEXEC)
        try:
            socket.send_fds(control, [FORK], [theirs.fileno(), writer])
        except BaseException:
            self.give_up()
            raise
        finally:
            theirs.close()
            os.close(writer)
        os.set_blocking(self._output, False)

    def receive(self, control: socket.socket) -> WorkerProcess:
        """Wait until it is made. Once; in the order in which workers were ordered.

        Raises:
            _NoWorkerError: The zygote cannot make it.
            ConfinementError: The zygote has ended.
        """
        is_made = False
        try:
            answer, handles, _, _ = socket.recv_fds(control, _MAX_ANSWER_BYTES, 1)
            is_made = bool(handles)
        except OSError as exc:
            raise _no_zygote(str(exc)) from exc
        finally:
            if not is_made:
                self.give_up()
        if answer and not is_made:  # a number alone: the handle was one more descriptor than this process may have
            reason = os.strerror(errno.EMFILE) if answer.isdigit() else answer.decode(errors="replace")
            raise _NoWorkerError("the zygote", f"no process can be made: {reason}")
        if not is_made:
            raise _no_zygote("it ended")
        return WorkerProcess(int(answer), FrameSocket(self._connection), self._output, handles[0])

    def give_up(self) -> None:
        """Close what leads to it: it ends by that."""
        self._connection.close()
        os.close(self._output)


class Zygote:
    """Makes workers; its process is started for the first one, again after it has died, and ends with this process.

    One more than is asked for is made ahead: it waits to be told what it may have.

    Args:
        never: Folders that no worker may read, also where Python imports from one that they are in.
        fork_timeout_s: A process that makes no worker for so long is halted, or stuck: it is ended with all workers,
            and the next one starts anew.
    """

    def __init__(self, *, never: Sequence[Path] = (), fork_timeout_s: float = 20.0) -> None:
        self._never = tuple(never)
        self._fork_timeout_s = fork_timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._spare: _Ordered | None = None

    def start(self) -> None:
        """Start the process, if it does not run, and have a worker made ahead.

        Raises:
            ConfinementError: It does not start.
        """
        with self._lock, self._ended_on_error():
            control = self._ensure_started()
            self._spare = self._spare or _order(control)

    def fork(self, plan: WorkerPlan) -> WorkerProcess:
        """Return a new worker, confined.

        Raises:
            ConfinementError: This system cannot confine it; or no process can be had.
        """
        worker = self._take()
        try:
            is_confined = _confine(worker.frames, plan)
        except BaseException:
            worker.release()
            raise
        if is_confined:
            return worker
        worker.release()  # it was made ahead, and something has ended it since: the next is a new one
        worker = self._take()
        if not _confine(worker.frames, plan):
            worker.release()
            raise ConfinementError("the worker", "it ended before it was confined")
        return worker

    def close(self) -> None:
        """End the process, and with it all workers. Harmless twice."""
        with self._lock:
            process, self._process = self._process, None
            home, self._home = self._home, None
            self._hang_up()
        if process is not None:
            try:
                process.wait(_END_TIMEOUT_S)  # it ends all that its workers started, then itself
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if home is not None:
            home.cleanup()

    def _take(self) -> WorkerProcess:
        with self._lock, self._ended_on_error():
            control = self._ensure_started()
            ordered, self._spare = self._spare or _order(control), None
            worker = ordered.receive(control)
            try:
                self._spare = _order(control)
            except BaseException:
                worker.release()
                raise
            return worker

    @contextmanager
    def _ended_on_error(self) -> Generator[None]:
        """End the process if its next answer may not be what is waited for next: nobody is given another's worker."""
        try:
            yield
        except _NoWorkerError:  # it has answered
            raise
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        self._hang_up()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _hang_up(self) -> None:
        control, self._control = self._control, None
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.give_up()
        if control is not None:
            control.close()

    def _ensure_started(self) -> socket.socket:
        if self._process is not None and self._process.poll() is None and self._control is not None:
            return self._control
        self._end()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._send_never(ours)
        self._home = self._home or tempfile.TemporaryDirectory(prefix="ghostos-zygote-")
        with theirs, tempfile.TemporaryFile(dir=self._home.name) as errors:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with a module of ours
                [sys.executable, "-I", "-B", "-X", "utf8", "-m", "ghostos_moss._process._zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**_ENVIRONMENT, "HOME": self._home.name, "TMPDIR": self._home.name},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # the terminal's Ctrl-C is for the host
            )
            theirs.close()  # else it would be missed if the process ended
            ours.settimeout(_START_TIMEOUT_S)
            try:
                is_ready = ours.recv(len(READY)) == READY
            except OSError:
                is_ready = False
            if not is_ready:
                self._end()
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()
                raise _no_zygote(said.rpartition("\n")[2] or "it did not answer")
        ours.settimeout(self._fork_timeout_s)
        return ours

    def _send_never(self, control: socket.socket) -> None:
        told = b"\0".join([b"never", *map(os.fsencode, self._never)])
        if len(told) > MAX_NEVER_BYTES:
            raise _no_zygote("there are too many folders that are never granted")
        control.send(told)


def _order(control: socket.socket) -> _Ordered:
    try:
        return _Ordered(control)
    except OSError as exc:
        raise _no_zygote(str(exc)) from exc


def _confine(frames: FrameSocket, plan: WorkerPlan) -> bool:
    """Have a worker confine itself; False if it is gone.

    Raises:
        ConfinementError: It cannot.
    """
    try:
        frames.send(Request(0, CONFINE, [msgspec.to_builtins(plan)]))
        answer = frames.receive()
    except (PeerClosedError, FrameError):
        return False
    if isinstance(answer, Failure):
        raise ConfinementError(answer.kind, answer.message)
    if not isinstance(answer, Answer):
        raise ConfinementError("the worker", "it did not say that it is confined")
    return True


def _no_zygote(reason: str) -> ConfinementError:
    return ConfinementError("the zygote", f"the process that makes workers does not run: {reason}")
