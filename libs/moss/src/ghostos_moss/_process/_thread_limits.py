"""How many threads a worker may have. Nothing of the system counts them for one process of a user who has others.

The filter of a worker reports each attempt to start one, and holds it until it is answered; see "user-space
notification" in seccomp(2). The zygote counts, and answers. Threads that begin at the same moment are counted before
they are there: a worker may come to twice its limit, and never beyond.
"""

import array
import errno
import fcntl
import os
import select
import socket
import struct
from typing import Final

__all__ = ["ThreadLimits", "hand_over"]

_RECEIVE: Final = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
_ANSWER: Final = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
_REPORT_BYTES: Final = 80  # struct seccomp_notif
_NUMBER: Final = struct.Struct("Q")  # of a report: it begins with that
_VERDICT: Final = struct.Struct("QqiI")  # struct seccomp_notif_resp
_GO_ON: Final = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
_LIMIT: Final = struct.Struct("Q")
_DESCRIPTORS: Final = 2
_STATE_BYTES: Final = 1024
_COUNT_AT: Final = 17
"""Of the number of threads in /proc/PID/stat, behind the name in brackets; see proc_pid_stat(5)."""


def hand_over(listener: int, *, count: int, most: int, to: socket.socket) -> None:
    """Send what reports this process's threads to who answers, with what says how many there are; keep nothing of it.

    Args:
        listener: From `install_filter`.
        count: An open `/proc/self/stat`: nobody else can open that of a process that is not dumpable.
        most: Threads that it may have.
        to: From `ThreadLimits.expect`.
    """
    try:
        socket.send_fds(to, [_LIMIT.pack(most)], [listener, count])
    finally:
        os.close(listener)
        os.close(count)
        to.close()


class ThreadLimits:
    """Answers workers that are about to start a thread.

    Args:
        poll: Says when one of them has something to say. What it says goes to `serve`.
    """

    def __init__(self, poll: select.epoll) -> None:
        self._poll = poll
        self._expected: dict[int, socket.socket] = {}
        self._limits: dict[int, tuple[int, int]] = {}

    def expect(self) -> socket.socket:
        """Return where a worker hands its reports over: its end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._expected[ours.fileno()] = ours
        self._poll.register(ours, select.EPOLLIN)
        return theirs

    def serve(self, descriptor: int, event: int) -> None:
        """Answer; or let go of a worker that has ended. Of what is not a worker's nothing is done."""
        if (expected := self._expected.pop(descriptor, None)) is not None:
            self._poll.unregister(descriptor)
            with expected:
                self._take(expected)
        elif (limit := self._limits.get(descriptor)) is not None:
            count, most = limit
            if event & select.EPOLLIN:
                _answer(descriptor, count=count, most=most)
            elif event & select.EPOLLHUP:  # nobody is left whose threads these were
                del self._limits[descriptor]
                self._poll.unregister(descriptor)
                os.close(descriptor)
                os.close(count)

    def _take(self, expected: socket.socket) -> None:
        """A worker whose reports cannot be had here gets no thread: its system says that there is no such call."""
        told, descriptors, _, _ = socket.recv_fds(expected, _LIMIT.size, _DESCRIPTORS)
        if len(descriptors) == _DESCRIPTORS:
            listener, count = descriptors
            self._limits[listener] = count, *_LIMIT.unpack(told)
            self._poll.register(listener, select.EPOLLIN)
        else:  # the system has dropped what was more than this process may have
            for each in descriptors:
                os.close(each)


def _answer(listener: int, *, count: int, most: int) -> None:
    report = array.array("B", bytes(_REPORT_BYTES))
    try:
        _ioctl(listener, _RECEIVE, report)
        (number,) = _NUMBER.unpack_from(report)
        may = _read_count(count) < most
        verdict = _VERDICT.pack(number, 0, 0, _GO_ON) if may else _VERDICT.pack(number, 0, -errno.EAGAIN, 0)
        _ioctl(listener, _ANSWER, verdict)
    except OSError as exc:
        if exc.errno != errno.ENOENT:  # who asked was killed, or interrupted and asks again
            raise


def _ioctl(descriptor: int, request: int, data: "array.array[int] | bytes") -> None:
    while True:
        try:
            fcntl.ioctl(descriptor, request, data)
        except InterruptedError:  # a worker has ended: a signal says so
            continue
        return


def _read_count(stat: int) -> int:
    return int(os.pread(stat, _STATE_BYTES, 0).rpartition(b")")[2].split()[_COUNT_AT])
