"""The filter of system calls, interpreted for every number, and tried on this kernel."""

import errno
import platform
import struct
from pathlib import Path

import pytest

from ghostos_container import Container
from ghostos_moss import PyContext, load_source
from ghostos_moss._process._seccomp import build_filter
from ghostos_moss._process._syscalls import ALLOWED, COLUMNS, CONDITIONAL

GOLDEN = Path(__file__).with_name("fixtures_seccomp")
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
FOREIGN = 0x40000003  # 32-bit x86
PID = 4321
HIGHEST = 1023
HIGH_HALF = 1 << 32

# What must never be allowed, whatever the table says: numbers on x86-64 and aarch64, from the kernel's own lists.
DANGEROUS = {
    "getxattr": (191, 8),
    "listxattr": (194, 11),
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
    "setsockopt": (54, 208),
    "recvmmsg": (299, 243),
    "memfd_create": (319, 279),
    "seccomp": (317, 277),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setgroups": (116, 159),
    "setresuid": (117, 147),
    "capset": (126, 91),
    "setrlimit": (160, 164),
    "inotify_init1": (294, 26),
    "mlock": (149, 228),
    "landlock_restrict_self": (446, 446),
    "clone3": (435, 435),
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

# Call: arguments by index, and whether they are allowed.
ARGUMENTS = [
    ("clone", {0: 0x11}, False),  # fork
    ("clone", {0: 0x3D0F00 | 0x10000000}, False),  # in a new user namespace
    ("clone", {0: 0x3D0F00 | 0x40000000}, False),
    ("clone", {0: 0x10000 | 0x80}, False),
    ("clone", {0: HIGH_HALF}, False),
    ("fcntl", {1: 4}, True),
    ("fcntl", {1: 1030}, True),
    ("fcntl", {1: 8}, False),  # F_SETOWN
    ("fcntl", {1: 10}, False),
    ("fcntl", {1: 15}, False),
    ("fcntl", {1: 1024}, False),  # F_SETLEASE
    ("fcntl", {1: 1026}, False),
    ("fcntl", {1: 1031}, False),
    ("ioctl", {1: 0x5401}, True),
    ("ioctl", {1: 0x5412}, False),  # TIOCSTI
    ("ioctl", {1: 0x541C}, False),
    ("ioctl", {1: HIGH_HALF | 0x5412}, False),
    ("kill", {0: PID}, True),
    ("kill", {0: PID + 1}, False),
    ("kill", {0: 0}, False),
    ("kill", {0: 0xFFFFFFFF}, False),
    ("kill", {0: 1}, False),
    ("tgkill", {0: PID}, True),
    ("tgkill", {0: PID - 1}, False),
    ("prctl", {0: 15}, True),
    ("prctl", {0: 1}, False),  # PR_SET_PDEATHSIG
    ("prctl", {0: 4}, False),
    ("prctl", {0: 22}, False),
    ("prctl", {0: 28}, False),
    ("prctl", {0: 0x59616D61}, False),  # PR_SET_PTRACER
    ("prlimit64", {2: 0}, True),
    ("prlimit64", {0: PID, 2: 0}, True),
    ("prlimit64", {0: PID - 1, 2: 0}, False),
    ("prlimit64", {2: 0x7F00}, False),
    ("prlimit64", {2: HIGH_HALF}, False),  # a pointer whose low half is zero
    ("sendto", {4: 0}, True),
    ("sendto", {4: 0x7F00}, False),
    ("sendto", {4: HIGH_HALF}, False),
    ("socketpair", {0: 1, 1: 1}, True),
    ("socketpair", {0: 1, 1: 0x80801}, True),
    ("socketpair", {0: 1, 1: 5}, True),
    ("socketpair", {0: 1, 1: 2}, False),  # datagrams
    ("socketpair", {0: 1, 1: 0x80802}, False),
    ("socketpair", {0: 2, 1: 1}, False),
    ("socketpair", {0: 30, 1: 5}, False),  # TIPC
]


def interpret(program: bytes, *, arch: int, number: int, arguments: dict[int, int]) -> str:
    """What a classic BPF program answers for one call; it must end, and read nothing but the call."""
    data = struct.pack("<iIQ6Q", number, arch, 0, *(arguments.get(at, 0) for at in range(6)))
    code = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    accumulator = at = 0
    while True:
        kind, if_true, if_false, value = code[at]
        at += 1
        if kind == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif kind == 0x54:
            accumulator &= value
        elif kind == 0x06:
            known = {0x7FFF0000: "allowed", 0x80000000: "killed", 0x7FC00000: "reported"}
            return known.get(value) or errno.errorcode[value & 0xFFFF]
        elif kind in {0x15, 0x35}:
            at += if_true if (accumulator == value if kind == 0x15 else accumulator >= value) else if_false
        else:
            raise AssertionError(hex(kind))


def verdicts(machine: str) -> dict[str, list[int]]:
    """All numbers by what happens to a call with zeros for arguments."""
    program, found = build_filter(machine, pid=PID), dict[str, list[int]]()
    for number in range(HIGHEST + 1):
        verdict = interpret(program, arch=ARCHITECTURES[machine], number=number, arguments={})
        found.setdefault(verdict, []).append(number)
    return found


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_every_number_has_the_verdict_that_was_reviewed(machine):
    lines = "".join(f"{verdict}: {_ranges(numbers)}\n" for verdict, numbers in sorted(verdicts(machine).items()))
    assert lines == (GOLDEN / f"{machine}.txt").read_text()


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("name", DANGEROUS)
def test_what_is_dangerous_is_refused_whatever_its_arguments(machine, name):
    number = DANGEROUS[name][COLUMNS[machine]]
    program = build_filter(machine, pid=PID)
    for value in (0, 1, PID, 0xFFFFFFFF, HIGH_HALF, 2**64 - 1):
        if number is not None:
            arguments = dict.fromkeys(range(6), value)
            answer = interpret(program, arch=ARCHITECTURES[machine], number=number, arguments=arguments)
            assert answer in {"EPERM", "ENOSYS"}


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize(("name", "arguments", "is_allowed"), ARGUMENTS)
def test_arguments_decide_where_a_call_is_safe_only_with_some(machine, name, arguments, is_allowed):
    program, number = build_filter(machine, pid=PID), CONDITIONAL[name][COLUMNS[machine]]
    answer = interpret(program, arch=ARCHITECTURES[machine], number=number, arguments=arguments)
    assert answer == ("allowed" if is_allowed else "EPERM")


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("run", [False, True])
def test_a_thread_is_reported_before_it_starts(machine, run):
    call = {"arch": ARCHITECTURES[machine], "number": CONDITIONAL["clone"][COLUMNS[machine]]}
    arguments = {0: 0x3D0F00}  # pthread_create
    assert interpret(build_filter(machine, pid=PID, run=run), **call, arguments=arguments) == "reported"


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_another_architecture_is_killed_and_another_table_of_numbers_does_not_exist(machine):
    program = build_filter(machine, pid=PID)
    assert interpret(program, arch=FOREIGN, number=0, arguments={}) == "killed"
    if machine == "x86_64":
        for number in (0x40000000, 0x40000000 + 59, 0x400001FF):
            assert interpret(program, arch=ARCHITECTURES[machine], number=number, arguments={}) == "ENOSYS"


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_no_number_stands_in_the_table_twice(machine):
    column = COLUMNS[machine]
    numbers = [each[column] for each in (*ALLOWED.values(), *CONDITIONAL.values()) if each[column] is not None]
    assert len(numbers) == len(set(numbers))


PAST_ALL_FILTERS = {335, 336}
"""uretprobe and uprobe on x86-64: newer kernels do not filter them, and kill who calls them without being probed."""
PROBE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in {numbers}:
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6)
    print(number, result, ctypes.get_errno())
"""


def test_this_kernel_refuses_what_the_table_leaves_out(process_executor, write_module):
    machine = platform.machine()
    expected = verdicts(machine)
    numbers = [*({*expected["EPERM"]} - PAST_ALL_FILTERS), *expected["ENOSYS"][:200]]
    source = load_source(write_module("from ghostos_moss import Moss"))
    session = process_executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    found: dict[int, tuple[int, int]] = {}
    for start in range(0, len(numbers), 60):  # within the cap of output
        for line in session.run(PROBE.format(numbers=numbers[start : start + 60])).std_output.splitlines():
            number, result, code = map(int, line.split())
            found[number] = result, code
    session.close()
    refused = {number: (-1, getattr(errno, verdict)) for verdict in ("EPERM", "ENOSYS") for number in expected[verdict]}
    assert found == {number: refused[number] for number in numbers}


def _ranges(numbers: list[int]) -> str:
    parts: list[str] = []
    start = numbers[0]
    for number, following in zip(numbers, [*numbers[1:], -1], strict=True):
        if following != number + 1:
            parts.append(str(start) if start == number else f"{start}-{number}")
            start = following
    return " ".join(parts)
