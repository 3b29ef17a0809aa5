"""Going on for ever."""

from tests.abuse.harness import Attack, ran_on, rang_unrecorded

S = 1.0

HANGS = (
    Attack(name="a busy loop", code="while True: pass", effect=ran_on, timeout_s=S),
    Attack(
        name="a loop that swallows everything",
        code="while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="a pattern that takes for ever",
        code="import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(name="a number that takes for ever", code="x = 3 ** (10 ** 9)", effect=ran_on, timeout_s=S),
    Attack(
        name="a call in C that takes for ever",
        code="import ctypes\nctypes.PyDLL(None).sleep(1000)",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(name="sleep", code="import time\ntime.sleep(1000)", effect=ran_on, timeout_s=S),
    Attack(
        name="a lock that nobody releases",
        code="import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="handlers that ignore every signal",
        code="""
        import signal
        for number in range(1, 65):
            try: signal.signal(number, lambda *_: None)
            except (OSError, ValueError): pass
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        while True:
            try:
                while True: pass
            except BaseException: pass
        """,
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="a function for the exit",
        code="import atexit, time\natexit.register(time.sleep, 1000)",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="a thread that is waited for at the exit",
        code="import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="stop itself by a signal",
        code="import signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="read from the keyboard",
        code="import select\nselect.select([], [], [], None)",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="a host call that blocks",
        code="moss.bell.wait(8)",
        effect=ran_on,
        is_control_off=True,
        timeout_s=2 * S,
    ),
    Attack(
        name="host calls that block, one for each thread that serves them",
        code="""
        import threading
        for _ in range(40): threading.Thread(target=moss.bell.wait, args=(4,), daemon=True).start()
        moss.bell.wait(4)
        """,
        effect=ran_on,
        is_control_off=True,
        timeout_s=2 * S,
    ),
    Attack(
        name="a callback that does not return",
        code="import time\nmoss.bell.call(lambda: time.sleep(1000))",
        effect=ran_on,
        is_control_off=True,
        timeout_s=2 * S,
    ),
    Attack(
        name="calls and callbacks without end",
        code="def again(): return moss.bell.call(again)\nwhile True:\n    try: again()\n    except BaseException: pass",
        effect=ran_on,
        is_control_off=True,
        timeout_s=2 * S,
    ),
    Attack(
        name="an iterator of the host without end",
        code="for number in moss.bell.chimes(): pass",
        effect=ran_on,
        is_control_off=True,
        timeout_s=2 * S,
    ),
    Attack(
        name="a repr that does not return",
        code="class Slow:\n    def __repr__(self):\n        while True: pass\ndef run(moss):\n    return Slow()\n",
        control="while True: pass",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="a message that does not return",
        code="class Slow(Exception):\n    def __str__(self):\n        while True: pass\nraise Slow",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="no answer, on a connection that stays open",
        code="""
        import gc, threading, time
        from ghostos_moss._process._link import Link
        Link._send = lambda *_: time.sleep(1000)
        """,
        control="import time\ntime.sleep(1000)",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="half of a message",
        code="""
        for fd in range(3, 256):
            try: os.write(fd, b"\\xff\\xff\\x0f\\x00half")
            except OSError: pass
        import time
        time.sleep(1000)
        """,
        control="import time\ntime.sleep(1000)",
        effect=ran_on,
        timeout_s=S,
    ),
    Attack(
        name="a worker that stops between two runs, and a long message to it",
        code="""
        import signal, threading, time
        threading.Thread(target=lambda: (time.sleep(0.2), os.kill(os.getpid(), signal.SIGSTOP)), daemon=True).start()
        """,
        then="import time\nTEXT = '" + "x" * 600_000 + "'\n",
        control="import signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        effect=ran_on,
        timeout_s=S,
        ways=("direct",),
    ),
    Attack(
        name="a worker that does not read what it asks for",
        code="""
        import struct, time
        import msgspec
        from ghostos_moss._process._link import Link
        import gc
        link = next(each for each in gc.get_objects() if type(each) is Link)
        Link._read_one = lambda *_: time.sleep(1000)
        for number in range(4):
            asked = [moss.bell._moss_id, "echo", [["v", "x" * 10**6]], {}]
            body = msgspec.msgpack.encode([0, 10**6 + number, "call", asked])
            with link._frames._sending: link._frames._socket.sendall(struct.pack("<I", len(body)) + body)
        time.sleep(0.3)
        """,
        then="print(1)",
        control="import time\ntime.sleep(1000)",
        effect=ran_on,
        timeout_s=S,
        ways=("direct",),
    ),
    Attack(
        name="output that goes on after the answer",
        code="""
        import threading, time
        def flood():
            while True: os.write(1, b"\\xff" * 65536)
        for _ in range(4): threading.Thread(target=flood, daemon=True).start()
        time.sleep(0.5)
        """,
        control="while True: os.write(1, b'x')",
        effect=ran_on,
        timeout_s=S,
        ways=("direct",),
    ),
    Attack(
        name="host calls after the run that nobody records",
        code="""
        import threading, time
        bell = moss.bell
        threading.Thread(target=lambda: (time.sleep(0.2), bell.ring()), daemon=True).start()
        """,
        then="import time\ntime.sleep(0.5)",
        control="import threading\nthreading.Timer(0.2, moss.bell.ring).start()",
        is_control_off=True,
        effect=rang_unrecorded,
        timeout_s=5.0,
        ways=("direct",),
    ),
)
