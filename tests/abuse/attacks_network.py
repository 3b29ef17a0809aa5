"""Reaching anybody by any kind of socket."""

from tests.abuse.harness import Attack, arrived, either, said

NETWORK = (
    Attack(
        name="connect by TCP",
        code="import socket\nsocket.create_connection(('127.0.0.1', PORT), 2).send(b'x')",
        effect=arrived,
    ),
    Attack(
        name="connect by asyncio",
        code="import asyncio\nasyncio.run(asyncio.wait_for(asyncio.open_connection('127.0.0.1', PORT), 2))",
        effect=arrived,
    ),
    Attack(
        name="ask by HTTP",
        code="import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{PORT}', timeout=1)",
        effect=arrived,
    ),
    Attack(
        name="connect by C",
        code="""
        import ctypes, struct
        libc = ctypes.CDLL(None)
        address = struct.pack("<H", 2) + struct.pack(">H", PORT) + bytes([127, 0, 0, 1]) + bytes(8)
        libc.connect(libc.socket(2, 1, 0), address, 16)
        """,
        effect=arrived,
    ),
    Attack(
        name="TCP with the first data (fast open)",
        code="import socket\nsocket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', PORT))",
        effect=arrived,
    ),
    Attack(
        name="multipath TCP",
        code="import socket\nsocket.socket(2, 1, 262).connect(('127.0.0.1', PORT))",
        effect=arrived,
        unless_control="the kernel has no multipath TCP",
    ),
    Attack(
        name="listen by TCP",
        code="""
        import socket
        server = socket.create_server(("127.0.0.1", FREE_PORT))
        server.settimeout(3)
        server.accept()
        took_effect()
        """,
        effect=either(arrived, said),
    ),
    Attack(
        name="listen without binding",
        code="""
        import socket
        server = socket.socket()
        server.listen()
        took_effect()
        """,
        effect=said,
    ),
    Attack(
        name="send by UDP",
        code="import socket\nsocket.socket(2, 2).sendto(b'x', ('127.0.0.1', UDP_PORT))",
        effect=arrived,
    ),
    Attack(
        name="send by UDP on IPv6",
        code="import socket\nsocket.socket(10, 2).sendto(b'x', ('::ffff:127.0.0.1', UDP_PORT))",
        effect=arrived,
        unless_control="this machine has no IPv6",
    ),
    Attack(
        name="connect to a unix socket",
        code="import socket\nsocket.socket(1, 1).connect(UNIX)",
        effect=arrived,
    ),
    Attack(
        name="connect to an abstract unix socket",
        code="import socket\nsocket.socket(1, 1).connect(ABSTRACT)",
        effect=arrived,
    ),
    Attack(
        name="connect half of a pair",
        code="import socket\nleft, right = socket.socketpair(1, 2)\nleft.connect(DATAGRAM)\nleft.send(b'x')",
        effect=arrived,
    ),
    Attack(
        name="send from half of a pair to a path",
        code="import socket\nsocket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', DATAGRAM)",
        effect=arrived,
    ),
    Attack(
        name="send a message from half of a pair of any kind to a path",
        code="""
        import socket
        for kind in (2, 1, 5):
            try:
                left, right = socket.socketpair(1, kind)
                left.sendmsg([b"x"], [], 0, DATAGRAM)
            except OSError:
                continue
        """,
        effect=arrived,
    ),
    Attack(
        name="look up a name", code="import socket\nif socket.getaddrinfo('localhost', 80): took_effect()", effect=said
    ),
    Attack(
        name="ask the kernel by netlink",
        code="import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="raw packets",
        code="import socket\nping = bytes([8, 0, 247, 255] + [0] * 4)\n"
        "socket.socket(2, 3, 1).sendto(ping, ('127.0.0.1', 0))\ntook_effect()",
        effect=said,
        unless_control="only root may send raw packets",
    ),
    Attack(
        name="packets of the link",
        code="import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)\ntook_effect()",
        effect=said,
        unless_control="only root may",
    ),
    Attack(
        name="virtual machine sockets",
        code="import socket\nsocket.socket(socket.AF_VSOCK, 1)\ntook_effect()",
        effect=said,
        unless_control="the kernel has none",
    ),
    Attack(
        name="the kernel's ciphers",
        code="import socket\nsocket.socket(socket.AF_ALG, 5, 0)\ntook_effect()",
        effect=said,
        unless_control="the kernel has none",
    ),
    Attack(
        name="io_uring",
        code="""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(425, 4, ctypes.create_string_buffer(120)) >= 0: took_effect()
        """,
        effect=said,
        unless_control="the kernel has no io_uring, or refuses it",
    ),
)
