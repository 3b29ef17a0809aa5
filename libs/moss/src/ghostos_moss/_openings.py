"""What a module opens while it is imported: connections, devices, files to write, programs. Seen, not run.

A file that the host executes, too, opens such things twice.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ghostos_moss._bindings import read_bindings
from ghostos_moss._source import ModuleSource

__all__ = ["Opening", "find_openings"]

_NAMES: Final[dict[str, str]] = {
    # Databases
    "sqlite3": "connect",
    "sqlite3.dbapi2": "connect",
    "aiosqlite": "connect",
    "duckdb": "connect",
    "psycopg": "connect Connection.connect AsyncConnection.connect",
    "psycopg_pool": "ConnectionPool AsyncConnectionPool",
    "psycopg2": "connect pool.SimpleConnectionPool pool.ThreadedConnectionPool",
    "asyncpg": "connect create_pool",
    "pymysql": "connect Connection",
    "MySQLdb": "connect",
    "mysql.connector": "connect",
    "pyodbc": "connect",
    "oracledb": "connect create_pool",
    "sqlalchemy": "create_engine create_async_engine engine.create_engine",
    "sqlalchemy.ext.asyncio": "create_async_engine",
    "sqlmodel": "create_engine",
    "redis": "Redis StrictRedis from_url Redis.from_url",
    "redis.asyncio": "Redis StrictRedis from_url Redis.from_url",
    "pymongo": "MongoClient AsyncMongoClient",
    "motor.motor_asyncio": "AsyncIOMotorClient",
    "elasticsearch": "Elasticsearch AsyncElasticsearch",
    "shelve": "open",
    "dbm": "open",
    # Networks
    "socket": "socket create_connection create_server socketpair",
    "http.client": "HTTPConnection HTTPSConnection",
    "urllib.request": "urlopen urlretrieve",
    "urllib3": "PoolManager request",
    "requests": "get post put patch delete head options request session Session",
    "httpx": "get post put patch delete head options request stream Client AsyncClient",
    "aiohttp": "ClientSession request",
    "websocket": "create_connection WebSocket WebSocketApp",
    "websockets": "connect serve",
    "websockets.sync.client": "connect",
    "ftplib": "FTP FTP_TLS",
    "smtplib": "SMTP SMTP_SSL LMTP",
    "imaplib": "IMAP4 IMAP4_SSL",
    "poplib": "POP3 POP3_SSL",
    "paramiko": "SSHClient Transport",
    "pika": "BlockingConnection",
    "kafka": "KafkaConsumer KafkaProducer",
    "confluent_kafka": "Consumer Producer",
    "paho.mqtt.client": "Client",
    "zmq": "Context Context.instance",
    # Devices
    "serial": "Serial serial_for_url",
    "usb.core": "find",
    "smbus": "SMBus",
    "smbus2": "SMBus",
    "bleak": "BleakClient BleakScanner",
    "cv2": "VideoCapture",
    "pyaudio": "PyAudio",
    # Programs
    "subprocess": "run Popen call check_call check_output getoutput getstatusoutput",
    "os": "system popen fork spawnl spawnle spawnlp spawnv spawnve spawnvp posix_spawn",
    "multiprocessing": "Process Pool",
}
_OPENERS: Final = frozenset(f"{module}.{name}" for module, names in _NAMES.items() for name in names.split())
_FILES: Final[dict[str, int]] = {
    "open": 1,
    "io.open": 1,
    "codecs.open": 1,
    "gzip.open": 1,
    "bz2.open": 1,
    "lzma.open": 1,
}
"""What opens files, and which argument says how."""
_PATHS: Final = frozenset({"pathlib.Path", "pathlib.PosixPath"})
_WRITES: Final = frozenset({"write_text", "write_bytes", "touch"})
_NOT_ON_IMPORT: Final = frozenset({"__main__", "__test__"})


@dataclass(frozen=True, slots=True)
class Opening:
    """A call at the top level of a module that opens something.

    Attributes:
        line: Of the source.
        call: As its author wrote it, without arguments: `db.connect`.
    """

    line: int
    call: str


def find_openings(source: ModuleSource) -> tuple[Opening, ...]:
    """Return what the body of a module opens whenever it is executed, in the order of its lines.

    Known openers of libraries, by the names that the module imports them under. What functions and methods do, and
    what stands under `if __name__ == "__main__":` or `"__test__"`, is not looked at.
    """
    bindings = read_bindings(source.tree, package=source.package)
    names: dict[str, str] = {}
    for each in bindings.imports:
        if each.attribute is not None:
            names[each.name] = f"{each.module}.{each.attribute}"
        elif not each.is_star:  # `import a.b` binds `a`
            names[each.name] = each.name if each.module.startswith(f"{each.name}.") else each.module
    if all(name != "open" for name, _ in bindings.lines):
        names["open"] = "open"
    found = {Opening(call.lineno, ast.unparse(call.func)) for call in _calls(source.tree.body) if _opens(call, names)}
    return tuple(sorted(found, key=lambda each: (each.line, each.call)))


def _calls(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """The calls that executing statements makes."""
    ahead: list[ast.AST] = [*body]
    while ahead:
        node = ahead.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                ahead += [*node.decorator_list, *node.args.defaults, *(each for each in node.args.kw_defaults if each)]
                continue
            case ast.Lambda():
                ahead += [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
                continue
            case ast.GeneratorExp():
                ahead.append(node.generators[0].iter)  # the rest waits until somebody asks
                continue
            case ast.If(test=test) if _is_not_on_import(test):
                ahead += [test, *node.orelse]
                continue
            case ast.Call():
                yield node
            case _:
                pass
        ahead += ast.iter_child_nodes(node)


def _is_not_on_import(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value=name)]):
            return name in _NOT_ON_IMPORT
        case ast.Compare(left=ast.Constant(value=name), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")]):
            return name in _NOT_ON_IMPORT
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False


def _opens(call: ast.Call, names: dict[str, str]) -> bool:
    name = _resolve(call.func, names)
    if name in _OPENERS:
        return True
    if name in _FILES:
        return _is_for_writing(call, at=_FILES[name])
    match call.func:
        case ast.Attribute(value=ast.Call(func=made), attr=method) if _resolve(made, names) in _PATHS:
            return method in _WRITES or (method == "open" and _is_for_writing(call, at=0))
        case _:
            return False


def _resolve(function: ast.expr, names: dict[str, str]) -> str | None:
    """The whole name of what is called, by the imports of the module."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name) or function.id not in names:
        return None
    return ".".join([names[function.id], *reversed(parts)])


def _is_for_writing(call: ast.Call, *, at: int) -> bool:
    given = call.args[at] if len(call.args) > at else None
    given = next((each.value for each in call.keywords if each.arg == "mode"), given)
    return isinstance(given, ast.Constant) and isinstance(given.value, str) and not {*"wax+"}.isdisjoint(given.value)
