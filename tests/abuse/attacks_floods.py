"""More than anybody can take: output, messages, values, calls, texts; and what the host knows."""

import os

from tests.abuse.harness import (
    Attack,
    broke,
    either,
    flooded,
    grew,
    kept_much,
    leaked,
    ran_on,
    rang_too_often,
    said,
)

LINK = """
import gc, struct, time
import msgspec
from ghostos_moss._process._link import Link
link = next(each for each in gc.get_objects() if type(each) is Link)
connection = link._frames._socket
def send(body):
    connection.sendall(struct.pack("<I", len(body)) + body)
"""

FORGE = """
import types
import ghostos_moss._process._worker as worker
def forge(**parts):
    reply = dict(status="ok", returns=None, returns_text="", error=None, notes=[], changed={}, removed=[], refused=None)
    reply.update(parts)
    real = worker.msgspec
    def answer(_):
        worker.msgspec = real  # once: what comes after it is looked at
        return reply
    worker.msgspec = types.SimpleNamespace(to_builtins=answer)
"""

LOUD = "print('x' * 3_000_000)"
FLOODS = (
    Attack(name="stdout", code="for number in range(200_000): print('line', number)", effect=flooded),
    Attack(name="one long line", code=LOUD, effect=flooded),
    Attack(name="stderr", code="import sys\nfor _ in range(100): sys.stderr.write('x' * 30_000)", effect=flooded),
    Attack(name="the descriptor", code="for _ in range(100): os.write(1, b'\\xff' * 30_000)", effect=flooded),
    Attack(name="a long message of an exception", code="raise ValueError('x' * 3_000_000)", effect=flooded),
    Attack(
        name="a long name of an exception",
        code="raise type('X' * 3_000_000, (Exception,), {})",
        effect=flooded,
    ),
    Attack(
        name="a long chain of exceptions",
        code="""
        error = None
        for number in range(300):
            following = ValueError('x' * 1000)
            following.__cause__ = error
            error = following
        raise error
        """,
        effect=flooded,
    ),
    Attack(
        name="a long traceback",
        code="def deeper(number):\n    return deeper(number + 1)\n"
        "exec(compile('def f(' + 'x' * 200_000 + '=1): raise ValueError\\nf()', 'x' * 200_000, 'exec'))",
        effect=flooded,
    ),
    Attack(
        name="a long repr",
        code="class Long:\n    def __repr__(self): return 'x' * 3_000_000\ndef run(moss):\n    return Long()\n",
        control=LOUD,
        effect=flooded,
    ),
    Attack(
        name="many notes",
        code="for number in range(5000): setattr(moss, f'value_{number}', object())",
        control="for number in range(5000): print(f'moss.value_{number} cannot be stored, an object is no data')",
        effect=flooded,
    ),
    Attack(
        name="a note of a long name",
        code="setattr(moss, 'n' * 1_000_000, object())",
        control=LOUD,
        effect=flooded,
    ),
    Attack(
        name="a value of 100 MB",
        code="moss.big = 'x' * 100_000_000",
        control="big = 'x' * 100_000_000\ntook_effect()",
        control_effect=said,
        effect=either(kept_much, grew),
    ),
    Attack(
        name="many values",
        code="for number in range(40): setattr(moss, f'value_{number}', 'x' * 1_000_000)",
        control="values = ['x' * 1_000_000 for _ in range(40)]\ntook_effect()",
        control_effect=said,
        effect=kept_much,
    ),
    Attack(
        name="values nested beyond measure",
        code="value = []\nfor _ in range(100_000): value = [value]\nmoss.deep = value",
        control="""
        import json
        value = []
        for _ in range(100_000): value = [value]
        try: json.dumps(value)
        except RecursionError: took_effect()
        """,
        control_effect=said,
        effect=either(broke, ran_on),
    ),
    Attack(
        name="a value that contains itself",
        code="value = []\nvalue.append(value)\nmoss.deep = value",
        control="""
        import json
        value = []
        value.append(value)
        try: json.dumps(value)
        except ValueError: took_effect()
        """,
        control_effect=said,
        effect=either(broke, ran_on),
    ),
    Attack(
        name="a generator without end as the result",
        code="import itertools\ndef run(moss):\n    return itertools.count()\n",
        control="import itertools\nfor _ in itertools.count(): pass",
        control_effect=ran_on,
        effect=either(ran_on, flooded, grew, broke),
        timeout_s=3.0,
    ),
    Attack(
        name="a generator without end for the host",
        code="import itertools\nmoss.bell.ring(itertools.count())",
        control="import itertools\nfor _ in itertools.count(): pass",
        control_effect=ran_on,
        effect=either(ran_on, flooded, grew, broke),
        timeout_s=3.0,
    ),
    Attack(
        name="more host calls than a run may make",
        code="""
        for _ in range(110_000):
            try: moss.bell.ring()
            except Exception: break
        for _ in range(1000):
            try: moss.bell.ring()
            except Exception: pass
        """,
        is_control_off=True,
        effect=rang_too_often,
        timeout_s=40.0,
    ),
    Attack(
        name="iterators that are begun and not read",
        code="""
        kept = []
        try:
            for _ in range(3000): kept.append(moss.bell.chimes())
            took_effect()
        except Exception as error:
            print(type(error).__name__)
        """,
        is_control_off=True,
        effect=said,
    ),
    Attack(
        name="large arguments of host calls, kept for their record",
        code="text = 'x' * 15_000_000\nfor _ in range(40): moss.bell.ring(text)",
        control="kept = ['x' * 15_000_000 + str(number) for number in range(40)]\nimport time\ntime.sleep(0.3)",
        effect=grew,
    ),
    Attack(
        name="a message that is large only when it was read",
        code=LINK + "send(b'\\x94\\x00\\xce\\x00\\x0f\\x42\\x40\\xa4call\\x91\\xdd' + struct.pack('>I', 15 * 1024**2)"
        " + b'\\x80' * (15 * 1024**2))\ntime.sleep(2)",
        control="import msgspec, time\n"
        "kept = msgspec.msgpack.decode(b'\\xdd\\x00\\xf0\\x00\\x00' + b'\\x80' * (15 * 1024**2))\ntime.sleep(0.3)",
        effect=grew,
    ),
    Attack(
        name="a message over the limit",
        code=LINK
        + "connection.sendall(struct.pack('<I', 2**32 - 1))\nfor _ in range(100): connection.sendall(bytes(10**7))",
        control="kept = [bytearray(b'x' * 10**7) for _ in range(100)]\nimport time\ntime.sleep(0.3)",
        control_effect=grew,
        effect=either(grew, ran_on, broke),
    ),
    Attack(
        name="many small messages that nobody asked for",
        code=LINK + "body = msgspec.msgpack.encode([1, 10**7, 'x' * 1000])\nfor _ in range(100_000): send(body)",
        control="kept = ['x' * 5000 + str(number) for number in range(100_000)]\nimport time\ntime.sleep(0.3)",
        control_effect=grew,
        effect=either(grew, ran_on, broke),
    ),
    Attack(
        name="rubbish on every descriptor",
        code="""
        import random
        for fd in range(3, 256):
            for _ in range(20):
                try: os.write(fd, random.randbytes(5000))
                except OSError: break
        """,
        control="""
        import random, socket
        left, right = socket.socketpair()
        right.settimeout(1)
        for fd in range(3, 256):
            try: os.write(fd, random.randbytes(5000))
            except OSError: pass
        if right.recv(10): took_effect()
        """,
        control_effect=said,
        effect=either(grew, ran_on, broke),
    ),
    Attack(
        name="a long error in a forged reply",
        code=FORGE + "forge(status='error', error='x' * 3_000_000)",
        control=LOUD,
        effect=flooded,
    ),
    Attack(
        name="long notes in a forged reply",
        code=FORGE + "forge(notes=['x' * 1000 + str(number) for number in range(3000)])",
        control=LOUD,
        effect=flooded,
    ),
    Attack(
        name="a long result in a forged reply",
        code=FORGE + "forge(returns='x' * 3_000_000, returns_text='x' * 3_000_000)",
        control=LOUD,
        effect=flooded,
    ),
    Attack(
        name="a result that is no data in a forged reply",
        code=FORGE
        + "forge(returns={None: msgspec.msgpack.Ext(5, b'x')}, returns_text='x')".replace(
            "msgspec", "__import__('msgspec')"
        ),
        control="import json\ntry: json.dumps(object())\nexcept TypeError: took_effect()",
        control_effect=said,
        effect=broke,
    ),
    Attack(
        name="long names of values in a forged reply",
        code=FORGE + "forge(changed={'n' * 20_000_000: 1})",
        control="kept = {'n' * 20_000_000: 1}\ntook_effect()",
        control_effect=said,
        effect=kept_much,
        ways=("direct",),
    ),
    Attack(
        name="values that grow from run to run in forged replies",
        code=FORGE + "forge(changed={f'value_{number}': 'x' * 1_000_000 for number in range(7)})",
        then=FORGE + "forge(changed={f'more_{number}': 'x' * 1_000_000 for number in range(7)})",
        control="kept = ['x' * 1_000_000 for _ in range(14)]\ntook_effect()",
        control_effect=said,
        effect=kept_much,
        ways=("direct",),
    ),
    Attack(
        name="folders nested beyond measure",
        code="for _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\n",
        ways=("direct", "command"),  # a ghost's folder is kept
        control="""
        import shutil, tempfile
        made = tempfile.mkdtemp(dir=".")
        os.chdir(made)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        os.chdir("/")
        try: shutil.rmtree(made)
        except (RecursionError, OSError): took_effect()
        """,
        control_effect=said,
        unless_control="this Python removes folders without recursion",
        effect=broke,
    ),
    Attack(
        name="files that nobody can read",
        code="os.mkdir('d', 0)\nos.mkdir('e', 0o500)\nopen('f', 'w').close()\nos.symlink(HOME, 'h')",
        control="os.mkdir('d', 0)\ntook_effect()",
        control_effect=said,
        effect=broke,
    ),
    # What the host knows
    Attack(
        name="which process is the host, by a refusal",
        code="open('/proc/self/environ')",
        control="if os.path.realpath('/proc/self/environ') == f'/proc/{os.getpid()}/environ': took_effect()",
        control_effect=said,
        effect=lambda scene, outcome: f"/proc/{os.getpid()}/" in outcome.output,
        ways=("direct", "ghost"),
    ),
    Attack(name="the host's environment", code="print(dict(os.environ))", effect=leaked),
    Attack(
        name="the host's environment in C",
        code="""
        import ctypes
        environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
        number = 0
        while environ[number]:
            print(environ[number])
            number += 1
        """,
        effect=leaked,
    ),
    Attack(
        name="its own environment as the kernel has it", code="print(open('/proc/self/environ').read())", effect=leaked
    ),
    Attack(
        name="a secret among all objects",
        code="""
        import gc, os, re
        kept = os.environ
        for each in gc.get_objects():
            try: text = str(vars(each) if hasattr(each, "__dict__") else each)[:100_000]
            except Exception: continue
            found = re.findall("canary-[0-9a-f]{16}", text)
            if found: print(found[:1])
        """,
        effect=leaked,
        timeout_s=60.0,
    ),
    Attack(
        name="a secret in its own memory, by the kernel's file",
        code="""
        import re
        memory = open("/proc/self/mem", "rb", 0)
        for line in open("/proc/self/maps"):
            start, end = (int(each, 16) for each in line.split()[0].split("-"))
            if "rw" in line and end - start < 2**27:
                memory.seek(start)
                try: print(re.findall(b"canary-[0-9a-f]{16}", memory.read(end - start))[:1])
                except OSError: continue
        """,
        effect=leaked,
    ),
    Attack(
        name="a secret in its own memory, page by page",
        code="""
        import ctypes, re
        libc = ctypes.CDLL(None, use_errno=True)
        libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
        libc.sbrk.restype = ctypes.c_void_p
        reader, writer = os.pipe()
        environ = ctypes.POINTER(ctypes.c_void_p).in_dll(libc, "environ")
        blocks = ctypes.cast(environ, ctypes.c_void_p).value
        around = {environ[0] or 0, blocks, libc.sbrk(0), id(object()), id([]), id(os)}
        seen = set()
        for middle in around:
            for page in range((middle >> 12) - 4096, (middle >> 12) + 4096):
                if page in seen or page < 0: continue
                seen.add(page)
                if libc.write(writer, page << 12, 4096) != 4096: continue
                found = re.findall(b"canary-[0-9a-f]{16}", os.read(reader, 4096))
                if found: print(found[:1])
        print(len(seen), "pages")
        """,
        effect=leaked,
        timeout_s=60.0,
    ),
    Attack(
        name="an attribute of a host's object",
        code="""
        bell = moss.bell
        for look in (lambda: vars(bell), lambda: getattr(bell, "k" + "ey"), lambda: bell.__dict__,
                     lambda: object.__getattribute__(bell, "key"), lambda: bell.__reduce_ex__(4)):
            try: print(look())
            except Exception as error: print(type(error).__name__)
        """,
        is_control_off=True,
        effect=leaked,
    ),
    Attack(
        name="what the host's functions held when they failed",
        code="""
        try: moss.bell.fail()
        except Exception as error:
            trace = error.__traceback__
            while trace is not None:
                print({name: str(value)[:200] for name, value in trace.tb_frame.f_locals.items() if name == "key"})
                trace = trace.tb_next
        """,
        is_control_off=True,
        effect=leaked,
    ),
    Attack(
        name="a dunder of a host's object, by message",
        code=LINK
        + """
bell = moss.bell._moss_id
for name in ("key", "_log", "__dict__", "__class__", "__init__"):
    attribute = ["call", [bell, "__getattribute__", [["v", name]], {}]]
    for request in (["get", [bell, name]], ["call", [bell, name, [], {}]], attribute):
        try: print(link.request(request[0], *request[1]))
        except Exception as error: print(type(error).__name__)
""",
        control="print(vars(moss.bell))",
        is_control_off=True,
        effect=leaked,
    ),
)
