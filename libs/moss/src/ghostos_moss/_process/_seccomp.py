"""A filter of system calls: what leads out of a worker fails with EPERM. See seccomp(2), and seccomp_filter.rst.

This is a deny-list: it closes the ways that Landlock does not know (UDP and unix sockets, changing modes and owners,
starting programs, new namespaces, tracing, io_uring).
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ghostos_moss._process._system import SystemCallError, call_system, set_process_option

__all__ = ["build_filter", "install_filter", "is_supported"]

_X86_64: Final = "x86_64"
_AARCH64: Final = "aarch64"
_AUDIT_ARCH: Final = {_X86_64: 0xC000003E, _AARCH64: 0xC00000B7}

# Name: number on x86-64, number on aarch64 (None where it does not exist); asm/unistd_64.h and asm-generic/unistd.h.
_DENIED: Final[dict[str, tuple[int | None, int | None]]] = {
    # programs, processes
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    # namespaces, mounts, the system
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "open_tree_attr": (467, 467),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "vhangup": (153, 58),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "lookup_dcookie": (212, 18),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # shared memory and queues that outlive a process
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # the network
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendmmsg": (307, 269),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # what files are, which Landlock does not guard
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "utimensat": (280, 88),
    "futimesat": (261, None),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "mknod": (133, None),
    "mknodat": (259, 33),
}
# Those whose arguments decide.
_CLONE: Final = {_X86_64: 56, _AARCH64: 220}
_CLONE3: Final = 435
_KILL: Final = {_X86_64: (62, 234), _AARCH64: (129, 131)}  # kill, tgkill
_PRLIMIT: Final = {_X86_64: 302, _AARCH64: 261}
_SETRLIMIT: Final = {_X86_64: 160, _AARCH64: 164}
_PRCTL: Final = {_X86_64: 157, _AARCH64: 167}
_IOCTL: Final = {_X86_64: 16, _AARCH64: 29}
_X32_BIT: Final = 0x40000000

_CLONE_THREAD: Final = 0x00010000
_DENIED_OPTIONS: Final = (1, 4, 0x59616D61)  # PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_PTRACER
_DENIED_IOCTLS: Final = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW: Final = 0x7FFF0000
_KILL_PROCESS: Final = 0x80000000
_REFUSE: Final = 0x00050000 | errno.EPERM
_MISSING: Final = 0x00050000 | errno.ENOSYS

_SET_MODE_FILTER: Final = 1
_ALL_THREADS: Final = 1


@dataclass(frozen=True, slots=True)
class _Instruction:
    code: int
    if_true: int
    if_false: int
    value: int


def is_supported() -> bool:
    """Whether there is a filter for this kind of processor."""
    return platform.machine() in _AUDIT_ARCH


def build_filter(machine: str, *, pid: int) -> bytes:
    """Return the program, as the kernel takes it.

    Args:
        machine: `x86_64` or `aarch64`.
        pid: The process that it is for: it may signal and limit itself alone.
    """
    program = [*_prologue(machine)]
    for number in sorted(_numbers(machine)):
        program += [_Instruction(_EQUAL, 0, 1, number), _return(_REFUSE)]
    program += [_Instruction(_EQUAL, 0, 1, _CLONE3), _return(_MISSING)]  # the C library then takes clone
    program += _unless_argument(_CLONE[machine], 0, _Instruction(_HAS_BITS, 1, 0, _CLONE_THREAD))
    for number in _KILL[machine]:
        program += _unless_argument(number, 0, _Instruction(_EQUAL, 1, 0, pid))
    program += _unless_argument(_PRLIMIT[machine], 2, _Instruction(_EQUAL, 1, 0, 0))  # reading limits only
    program += [_Instruction(_EQUAL, 0, 1, _SETRLIMIT[machine]), _return(_REFUSE)]
    program += _if_argument(_PRCTL[machine], 0, _DENIED_OPTIONS)
    program += _if_argument(_IOCTL[machine], 1, _DENIED_IOCTLS)
    program.append(_return(_ALLOW))
    return b"".join(struct.pack("HBBI", each.code, each.if_true, each.if_false, each.value) for each in program)


def install_filter() -> None:
    """Confine this process, all its threads, for good.

    Raises:
        SystemCallError: The kernel has no filters, or refuses this one.
    """
    machine = platform.machine()
    if machine not in _AUDIT_ARCH:
        raise SystemCallError("seccomp", errno.ENOSYS)
    program = build_filter(machine, pid=os.getpid())
    code = ctypes.create_string_buffer(program, len(program))
    size = struct.calcsize("HBBI")
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // size, ctypes.addressof(code)))
    set_process_option("no_new_privs", 38, 1)
    call_system("seccomp", {_X86_64: 317, _AARCH64: 277}[machine], _SET_MODE_FILTER, _ALL_THREADS, header)


def _numbers(machine: str) -> Iterator[int]:
    at = 0 if machine == _X86_64 else 1
    for numbers in _DENIED.values():
        number = numbers[at]
        if number is not None:
            yield number


def _prologue(machine: str) -> list[_Instruction]:
    program = [
        _Instruction(_LOAD, 0, 0, _ARCH_AT),
        _Instruction(_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        _return(_KILL_PROCESS),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine == _X86_64:
        program += [_Instruction(_AT_LEAST, 0, 1, _X32_BIT), _return(_MISSING)]
    return program


def _unless_argument(number: int, index: int, test: _Instruction) -> list[_Instruction]:
    """Refuse a call unless the low half of an argument passes a test, which skips one instruction when it does."""
    return [
        _Instruction(_EQUAL, 0, 4, number),
        _Instruction(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * index),
        test,
        _return(_REFUSE),
        _return(_ALLOW),
    ]


def _if_argument(number: int, index: int, denied: tuple[int, ...]) -> list[_Instruction]:
    """Refuse a call if the low half of an argument is one of these values."""
    tests = [_Instruction(_EQUAL, len(denied) - at, 0, value) for at, value in enumerate(denied)]
    return [
        _Instruction(_EQUAL, 0, len(tests) + 3, number),
        _Instruction(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * index),
        *tests,
        _return(_ALLOW),
        _return(_REFUSE),
    ]


def _return(value: int) -> _Instruction:
    return _Instruction(_RETURN, 0, 0, value)
