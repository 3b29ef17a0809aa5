"""The zygote: a process that has imported what workers need, and forks one when it is told to.

It is started by exec with an environment of its own, so it holds nothing of the host. It stays single-threaded and
imports nothing of the user's. Run as `python -I -B -m ghostos_moss._process._zygote DESCRIPTOR`.
"""

import gc
import os
import signal
import socket
import sys
from typing import Final, NoReturn

import msgspec

from ghostos_moss._process._confine import WorkerPlan, confine, die_with_parent, give_up_privileges
from ghostos_moss._process._frames import Answer, Failure, FrameSocket
from ghostos_moss._process._orders import READY
from ghostos_moss._process._streams import WorkerStreams
from ghostos_moss._process._system import SystemCallError
from ghostos_moss._process._warm_up import warm_up
from ghostos_moss._process._worker import serve

__all__ = ["main"]

_MAX_ORDER_BYTES: Final = 1024 * 1024


def main() -> None:
    """Serve orders on the descriptor that the command line names, until the host is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    warm_up()
    give_up_privileges()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the host's affair
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no worker stays as a zombie
    gc.collect()
    gc.freeze()  # what is shared with the workers stays shared
    control.send(READY)
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, _MAX_ORDER_BYTES, 2)
        if not order:
            os._exit(0)
        _fork(control, order, descriptors)


def _fork(control: socket.socket, order: bytes, descriptors: list[int]) -> None:
    connection, output = descriptors
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_worker(zygote, control=control, order=order, connection=connection, output=output)
    os.close(connection)
    os.close(output)
    process = os.pidfd_open(pid)
    socket.send_fds(control, [str(pid).encode()], [process])
    os.close(process)


def _become_worker(zygote: int, *, control: socket.socket, order: bytes, connection: int, output: int) -> NoReturn:
    frames: FrameSocket | None = None
    try:
        die_with_parent(zygote)
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        streams = WorkerStreams(output, keep=(connection,))
        frames = FrameSocket(socket.socket(fileno=connection))
        plan = msgspec.msgpack.decode(order, type=WorkerPlan)
        try:
            confine(plan)
        except SystemCallError as exc:
            frames.send(Failure(0, exc.layer, os.strerror(exc.errno or 0), {}))
            os._exit(1)
        frames.send(Answer(0, None))
        serve(frames, streams)
    finally:
        os._exit(0)  # never back into the zygote's loop, whatever was raised


if __name__ == "__main__":
    main()
