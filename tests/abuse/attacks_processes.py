"""Starting, signalling, reading and changing processes, and the limits of one's own."""

from tests.abuse.harness import Attack, killed, said, signalled

C = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def system_call(
    name: str, number: int, arguments: str, *, unless: str = "the kernel has none, or refuses it"
) -> Attack:
    """An attack that is one call of x86-64 which succeeds."""
    return Attack(
        name=name,
        code=f"{C}if libc.syscall({number}, {arguments}) >= 0: took_effect()",
        effect=said,
        unless_control=unless,
    )


PROCESSES = (
    Attack(name="become another program", code="os.execv('/bin/echo', ['echo', TOKEN[::-1]])", effect=said),
    Attack(
        name="start a program",
        code="import subprocess\nprint(subprocess.run(['/bin/echo', TOKEN[::-1]], capture_output=True).stdout)",
        effect=said,
    ),
    Attack(name="start a shell", code="os.system('echo ' + TOKEN[::-1])", effect=said),
    Attack(
        name="start a program with spawn",
        code="os.waitpid(os.posix_spawn('/bin/echo', ['echo', TOKEN[::-1]], {}), 0)",
        effect=said,
    ),
    Attack(
        name="fork",
        code="if os.fork() == 0:\n    took_effect()\n    os._exit(0)\nos.wait()",
        effect=said,
    ),
    Attack(
        name="fork with a terminal",
        code="import pty\npid, fd = pty.fork()\nif pid == 0: os._exit(0)\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="fork by clone, as vfork does",
        code=f"{C}if libc.syscall(56, 0x4000 | 17, 0, 0, 0, 0) == 0:\n    took_effect()\n    os._exit(0)",
        effect=said,
    ),
    Attack(
        name="fork by clone3",
        code=f"""{C}
import struct
given = ctypes.create_string_buffer(struct.pack("<11Q", 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0))
if libc.syscall(435, given, 88) == 0:
    took_effect()
    os._exit(0)
""",
        effect=said,
    ),
    Attack(
        name="fork by a multiprocessing pool",
        code="""
        import multiprocessing
        context = multiprocessing.get_context("fork")
        process = context.Process(target=took_effect)
        process.start()
        process.join()
        """,
        effect=said,
    ),
    Attack(
        name="call the kernel as a program of 32 bits",
        code="""
        import ctypes, mmap
        memory = mmap.mmap(-1, 4096, prot=7)
        memory.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
        if function() == os.getpid(): took_effect()
        """,
        effect=said,
        unless_control="the kernel runs no programs of 32 bits",
    ),
    Attack(
        name="call the kernel by its x32 numbers",
        code=f"{C}if libc.syscall(0x40000000 + 57) == 0:\n    took_effect()\n    os._exit(0)",
        effect=said,
        unless_control="the kernel has no x32 numbers",
    ),
    Attack(
        name="many threads",
        code="""
        import threading
        threading.stack_size(32768)
        release = threading.Event()
        threads = [threading.Thread(target=release.wait, daemon=True) for _ in range(2100)]
        for thread in threads: thread.start()
        print(len(threads), "threads")
        took_effect()
        os._exit(0)
        """,
        effect=said,
        unless_control="this machine does not have as many threads",
    ),
    Attack(
        name="threads that start threads",
        code="""
        import threading
        threading.stack_size(32768)
        release = threading.Event()
        def grow():
            for _ in range(50):
                if threading.active_count() > 600:
                    took_effect()
                    os._exit(0)
                threading.Thread(target=grow, daemon=True).start()
            release.wait()
        grow()
        """,
        effect=said,
        unless_control="this machine does not have as many threads",
    ),
    Attack(
        name="more memory than it may have",
        code="block = bytearray(6 * 1024**3)\ntook_effect()",
        control="import mmap\nblock = mmap.mmap(-1, 6 * 1024**3)\ntook_effect()",
        effect=said,
        unless_control="this machine gives nobody 6 GiB",
    ),
    Attack(
        name="more memory than it may have, mapped",
        code="import mmap\nblock = mmap.mmap(-1, 6 * 1024**3)\ntook_effect()",
        effect=said,
        unless_control="this machine gives nobody 6 GiB",
    ),
    Attack(
        name="memory of a file that has no name",
        code="fd = os.memfd_create('x')\nos.write(fd, b'x')\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="larger files than it may have",
        code="os.truncate(os.open('f', 66, 384), 2**30)\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="trace its parent",
        code=f"{C}if libc.ptrace(0x4206, os.getppid(), None, None) == 0: took_effect()",
        effect=said,
        unless_control="this machine lets nobody trace a parent",
    ),
    Attack(
        name="trace another process",
        code=f"{C}if libc.ptrace(0x4206, VICTIM, None, None) == 0: took_effect()",
        effect=said,
        unless_control="this machine lets nobody trace another process",
    ),
    Attack(
        name="read another process",
        code=f"""{C}
into = ctypes.create_string_buffer(8)
class Piece(ctypes.Structure): _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]
ours, theirs = Piece(ctypes.addressof(into), 8), Piece(0x1000, 8)
libc.process_vm_readv(VICTIM, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)
if ctypes.get_errno() == 14: took_effect()  # no such address there: it was looked for
""",
        effect=said,
        unless_control="this machine lets nobody read another process",
    ),
    Attack(
        name="signal its parent", code="import signal\nos.kill(os.getppid(), signal.SIGURG)\ntook_effect()", effect=said
    ),
    Attack(
        name="signal everybody",
        code="import signal\nos.kill(-1, signal.SIGURG)",
        effect=signalled,
        control_prefix=("unshare", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", '"$@"; exit', "sh"),
        unless_control="there are no process namespaces to try it in",
    ),
    Attack(
        name="signal its group",
        code="import signal\nsignal.signal(signal.SIGURG, signal.SIG_IGN)\nos.killpg(0, signal.SIGURG)\ntook_effect()",
        effect=said,
    ),
    Attack(name="kill another process", code="import signal\nos.kill(VICTIM, signal.SIGKILL)", effect=killed),
    Attack(
        name="kill another process by its first thread",
        code=f"{C}import signal\nlibc.syscall(234, VICTIM, VICTIM, 9)\nlibc.syscall(200, VICTIM, 9)",
        effect=killed,
    ),
    Attack(
        name="kill another process with a value",
        code=f"{C}libc.sigqueue(VICTIM, 9, None)",
        effect=killed,
    ),
    Attack(
        name="kill a process whose number has the own one's low half",
        code=f"{C}libc.syscall(62, ctypes.c_long(VICTIM | (1 << 40)), 9)\nlibc.syscall(62, ctypes.c_long(VICTIM), 9)",
        effect=killed,
    ),
    Attack(name="kill another worker", code="import signal\nos.kill(SIBLING, signal.SIGKILL)", effect=killed),
    Attack(
        name="kill by a descriptor of the process",
        code="import signal\nsignal.pidfd_send_signal(os.pidfd_open(VICTIM), signal.SIGKILL)",
        effect=killed,
    ),
    Attack(
        name="have the kernel signal another process",
        code="""
        import fcntl, socket, signal
        left, right = socket.socketpair()
        fcntl.fcntl(left, 8, VICTIM)
        fcntl.fcntl(left, 10, signal.SIGKILL)
        fcntl.fcntl(left, fcntl.F_SETFL, os.O_ASYNC)
        right.send(b"x")
        """,
        effect=killed,
    ),
    Attack(
        name="a namespace of its own",
        code=f"{C}if libc.unshare(0x10000000) == 0: took_effect()",
        effect=said,
        unless_control="this machine gives nobody namespaces",
    ),
    Attack(
        name="enter a namespace",
        code=f"{C}if libc.setns(os.pidfd_open(os.getppid()), 0x40000000) == 0: took_effect()",
        effect=said,
        unless_control="only root may",
    ),
    Attack(
        name="raise a limit",
        code="import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="set a limit of its parent",
        code="import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="read a limit of its parent",
        code="import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CORE)\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="become another user",
        code="os.setuid(12345)\ntook_effect()",
        effect=said,
        unless_control="only root may",
    ),
    Attack(
        name="leave its session",
        code="if os.getpid() == os.getpgid(0): os.setpgid(0, os.getpgid(os.getppid()))\nos.setsid()\ntook_effect()",
        effect=said,
    ),
    Attack(name="outlive its parent", code=f"{C}if libc.prctl(1, 0) == 0: took_effect()", effect=said),
    Attack(name="let itself be traced", code=f"{C}if libc.prctl(4, 1) == 0: took_effect()", effect=said),
    Attack(
        name="be as important as it likes", code="os.setpriority(os.PRIO_PROCESS, 0, 5)\ntook_effect()", effect=said
    ),
    Attack(
        name="choose its processors",
        code="os.sched_setaffinity(0, os.sched_getaffinity(0))\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="start a program that has no name",
        code="""
        fd = os.memfd_create("x", 0)
        os.write(fd, f"#!/bin/sh\\necho {TOKEN[::-1]}\\n".encode())
        os.execve(fd, ["x"], {})
        """,
        effect=said,
    ),
    Attack(
        name="start a program of its own",
        code="""
        fd = os.open("program", os.O_CREAT | os.O_WRONLY, 0o700)
        os.write(fd, f"#!/bin/sh\\necho {TOKEN[::-1]}\\n".encode())
        os.close(fd)
        os.execv("./program", ["program"])
        """,
        effect=said,
    ),
    system_call("shared memory of System V", 29, "0, 4096, 0o1600"),
    system_call("a queue of messages", 240, "b'abuse', 0o100, 0o600, None"),
    system_call("keys of the kernel", 250, "0, -3, 1"),
    system_call(
        "programs in the kernel",
        321,
        "0, ctypes.create_string_buffer(b'\\1\\0\\0\\0\\4\\0\\0\\0\\4\\0\\0\\0\\1' + bytes(60)), 72",
    ),
    system_call(
        "counters of the processor", 298, "ctypes.create_string_buffer(b'\\1\\0\\0\\0\\x70' + bytes(107)), 0, -1, -1, 0"
    ),
    system_call("faults of memory in its own hands", 323, "1"),
    system_call("messages of the kernel", 103, "3, ctypes.create_string_buffer(64), 64"),
    system_call("compare two processes", 312, "os.getpid(), VICTIM, 2, 0, 0"),
    system_call("another personality", 135, "0x0040000"),
    system_call(
        "a file by its handle",
        303,
        "-100, SECRET.encode(), ctypes.create_string_buffer(b'\\x80' + bytes(200)), ctypes.byref(ctypes.c_int()), 0",
    ),
)
