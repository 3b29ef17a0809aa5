"""A filter of system calls: a worker may make those of a table; all others fail. See seccomp(2).

It closes the ways that Landlock does not know: UDP and unix sockets, changing modes and owners, starting programs, new
namespaces, tracing, io_uring. Threads are started when they were counted; see `ghostos_moss._process._thread_limits`.
Kernels that have Landlock remember which calls are always allowed: those cost nothing.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ghostos_moss._process._syscalls import ALLOWED, COLUMNS, CONDITIONAL, FOR_NET, FOR_RUN, NEWER_THAN_ANY
from ghostos_moss._process._system import SystemCallError, call_system, set_process_option

__all__ = ["build_filter", "install_filter", "is_supported"]

_X86_64: Final = "x86_64"
_AUDIT_ARCH: Final = {_X86_64: 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP: Final = {_X86_64: 317, "aarch64": 277}
_X32_BIT: Final = 0x40000000

_CLONE_THREAD: Final = 0x00010000
_NEW_NAMESPACES: Final = 0x7E020080  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID and NET, and CLONE_NEWTIME
_PROCESS_OPTIONS: Final = (3, 15, 16, 21, 23, 38, 39, 0x53564D41)
"""PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP, PR_CAPBSET_READ, PR_SET_ and PR_GET_NO_NEW_PRIVS,
PR_SET_VMA (the name of a piece of memory)."""
_FILE_COMMANDS: Final = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032, 1034)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, locks of both kinds, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS: none
that has signals sent to others."""
_DEVICE_COMMANDS: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_AF_UNIX: Final = 1
_INTERNET: Final = (2, 10)  # AF_INET, AF_INET6
_PAIR_TYPES: Final = tuple(kind | flags for kind in (1, 5) for flags in (0, 0x800, 0x80000, 0x80800))
"""Streams and sequenced packets, with SOCK_NONBLOCK and SOCK_CLOEXEC: datagrams could be sent to anybody's address."""

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW: Final = 0x7FFF0000
_ASK: Final = 0x7FC00000  # SECCOMP_RET_USER_NOTIF
_KILL_PROCESS: Final = 0x80000000
_REFUSE: Final = 0x00050000 | errno.EPERM
_MISSING: Final = 0x00050000 | errno.ENOSYS

_PID: Final = struct.Struct("I")
_ANY_PID: Final = 0xFFFFFFF1  # no process has it, and no other value of the program is it
_SET_MODE_FILTER: Final = 1
_FLAGS: Final = 1 | 1 << 3 | 1 << 4  # SECCOMP_FILTER_FLAG_TSYNC, NEW_LISTENER and TSYNC_ESRCH
_ALL_BITS: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Instruction:
    code: int
    value: int
    if_true: int = 0
    if_false: int = 0


@dataclass(frozen=True, slots=True)
class _Test:
    """A claim about an argument: these bits of its low half are one of the values; its high half counts where it must.

    Attributes:
        index: Of the argument.
        values: Any of them.
        mask: The bits that are looked at.
        is_wide: Whether the high half must be zero: pointers. Other arguments are ints, whose high half nobody reads.
    """

    index: int
    values: tuple[int, ...]
    mask: int = _ALL_BITS
    is_wide: bool = False


def is_supported() -> bool:
    """Whether there is a filter for this kind of processor."""
    return platform.machine() in _AUDIT_ARCH


def build_filter(machine: str, *, pid: int, net: bool = False, run: bool = False) -> bytes:
    """Return the program, as the kernel takes it.

    Args:
        machine: `x86_64` or `aarch64`.
        pid: The process that it is for: it may signal itself alone.
        net: Whether it may use the network.
        run: Whether it may start programs. They get this filter, too.
    """
    return _build_template(machine, net=net, run=run).replace(_PID.pack(_ANY_PID), _PID.pack(pid))


@lru_cache
def _build_template(machine: str, *, net: bool, run: bool) -> bytes:
    """The program for a process whose number is to be filled in: building it takes longer than forking."""
    rules: dict[str, tuple[_Test, ...]] = {
        "clone": (_Test(0, (_CLONE_THREAD, 0) if run else (_CLONE_THREAD,), mask=_CLONE_THREAD | _NEW_NAMESPACES),),
        "fcntl": (_Test(1, _FILE_COMMANDS),),
        "ioctl": (_Test(1, _DEVICE_COMMANDS),),
        "kill": (_Test(0, (_ANY_PID,)),),
        "prctl": (_Test(0, _PROCESS_OPTIONS),),
        "prlimit64": (_Test(0, (0, _ANY_PID)), _Test(2, (0,), is_wide=True)),  # reading its own limits, not setting any
        "sendto": () if net else (_Test(4, (0,), is_wide=True),),  # to the other end, not to an address
        "socket": (_Test(0, _INTERNET if net else ()),),
        "socketpair": (_Test(0, (_AF_UNIX,)), _Test(1, _PAIR_TYPES)),
        "tgkill": (_Test(0, (_ANY_PID,)),),
    }
    column = COLUMNS[machine]
    program = [*_prologue(machine)]
    for numbers in (*ALLOWED.values(), *(FOR_NET.values() if net else ()), *(FOR_RUN.values() if run else ())):
        number = numbers[column]
        if number is not None:
            program += [_Instruction(_EQUAL, number, 0, 1), _return(_ALLOW)]
    for name, tests in rules.items():
        verdict = _ASK if name == "clone" else _ALLOW
        program += _when(CONDITIONAL[name][column], tests, verdict=verdict)
    program += [_Instruction(_AT_LEAST, NEWER_THAN_ANY, 0, 1), _return(_MISSING), _return(_REFUSE)]
    return b"".join(struct.pack("HBBI", each.code, each.if_true, each.if_false, each.value) for each in program)


def install_filter(*, net: bool, run: bool) -> int:
    """Confine this process, all its threads, for good. As `build_filter` says.

    Returns:
        A descriptor that reports threads that are about to start, for who answers.

    Raises:
        SystemCallError: The kernel has no filters, or refuses this one: it does where such reports of this process go
            to another program already.
    """
    machine = platform.machine()
    if machine not in _AUDIT_ARCH:
        raise SystemCallError("seccomp", errno.ENOSYS)
    program = build_filter(machine, pid=os.getpid(), net=net, run=run)
    code = ctypes.create_string_buffer(program, len(program))
    size = struct.calcsize("HBBI")
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // size, ctypes.addressof(code)))
    set_process_option("no_new_privs", 38, 1)
    return call_system("seccomp", _SECCOMP[machine], _SET_MODE_FILTER, _FLAGS, header)


def _prologue(machine: str) -> Iterable[_Instruction]:
    yield _Instruction(_LOAD, _ARCH_AT)
    yield _Instruction(_EQUAL, _AUDIT_ARCH[machine], 1, 0)
    yield _return(_KILL_PROCESS)
    yield _Instruction(_LOAD, _NUMBER_AT)
    if machine == _X86_64:
        yield _Instruction(_AT_LEAST, _X32_BIT, 0, 1)
        yield _return(_MISSING)


def _when(number: int, tests: Sequence[_Test], *, verdict: int) -> list[_Instruction]:
    """Give the verdict on a call if all tests hold, and refuse it otherwise."""
    body: list[_Instruction] = []
    for test in tests:
        if test.is_wide:
            body += [_Instruction(_LOAD, _argument_at(test.index) + 4), _Instruction(_EQUAL, 0, 1, 0), _return(_REFUSE)]
        body.append(_Instruction(_LOAD, _argument_at(test.index)))
        if test.mask != _ALL_BITS:
            body.append(_Instruction(_AND, test.mask))
        for at, value in enumerate(test.values):
            body.append(_Instruction(_EQUAL, value, len(test.values) - at, 0))
        body.append(_return(_REFUSE))
    body.append(_return(verdict))
    return [_Instruction(_EQUAL, number, 0, len(body)), *body]


def _argument_at(index: int) -> int:
    """Where the low half of an argument lies; both kinds of processor are little-endian."""
    return _ARGUMENTS_AT + 8 * index


def _return(value: int) -> _Instruction:
    return _Instruction(_RETURN, value)
