"""What nodes promise, between real processes; then what is particular to files in a folder."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ghostos.contracts.store import Claim
from ghostos.core.clock import utc_now
from ghostos.core.task import Owner
from ghostos.drivers.nodes.datagrams import MAX_BYTES, decode, encode
from ghostos.drivers.nodes.files import FileNodes
from ghostos.drivers.store.lock_files import LockFile, find_lock
from ghostos.drivers.store.owner import current_owner, is_alive
from ghostos.drivers.store.sql import SqlStore, open_store
from ghostos.errors import UsageError

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="nodes of a folder are for Linux")

DEADLINE_S = 60

NODE = """
import asyncio, json, sys
from dataclasses import replace
from pathlib import Path
from ghostos.contracts.store import Claim
from ghostos.drivers.nodes.files import FileNodes
from ghostos.drivers.store.owner import current_owner
from ghostos.drivers.store.sql import open_store

runtime, boot_id = Path(sys.argv[1]), sys.argv[2]
owner = replace(current_owner(), boot_id=boot_id) if boot_id else current_owner()

def say(*words):
    print(json.dumps(words), flush=True)

async def main():
    store = open_store(runtime / "ghostos.db", owner=owner)
    node = FileNodes(runtime / "nodes", store=store, owner=owner)
    await node.join(lambda task_ids: say("wake", *task_ids))
    say("joined", owner.key)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, *arguments = line.split()
        if command == "announce":
            node.announce(arguments)
        elif command == "claim":
            claim = await store.claim(arguments[0], lease_s=3600)
            say("claimed", isinstance(claim, Claim))
        elif command == "close":
            await node.close()
            say("closed")

asyncio.run(main())
"""

AS_NOBODY = """
import os, sys
from pathlib import Path
from ghostos.drivers.store.lock_files import LockFile, find_lock, take_unlocked
from ghostos.drivers.store.owner import parse_owner

folder, owner = Path(sys.argv[1]), parse_owner(sys.argv[2])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
print(find_lock(folder, owner), [lock.name for lock in take_unlocked(folder)])
try:
    LockFile.make(folder, owner=owner)
except OSError as exc:
    print(type(exc).__name__)
"""


class Child:
    """A process that has joined."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def told(self, *words: str) -> list[str]:
        """The rest of the next line that it says which begins like this."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := await self.process.stdout.readline():
                said = json.loads(line)
                if said[: len(words)] == list(words):
                    return said[len(words) :]
        raise AssertionError(f"it ended without {words}")

    def order(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(words).encode() + b"\n")

    async def kill(self) -> None:
        """As `kill -9` does; it stays a zombie no longer than asyncio takes to look."""
        self.process.kill()
        await self.process.wait()


class Heard:
    """What a node of this process was woken for."""

    def __init__(self) -> None:
        self._wakes: asyncio.Queue[list[str]] = asyncio.Queue()

    def __call__(self, task_ids) -> None:
        self._wakes.put_nowait(list(task_ids))

    async def until(self, *task_ids: str) -> None:
        """Wait for a wake with exactly these, leaving out those before it."""
        async with asyncio.timeout(DEADLINE_S):
            while await self._wakes.get() != list(task_ids):
                pass

    def so_far(self) -> list[list[str]]:
        return [self._wakes.get_nowait() for _ in range(self._wakes.qsize())]


StartChild = Callable[..., Awaitable[Child]]
Join = Callable[..., Awaitable[tuple[FileNodes, Heard]]]


@pytest.fixture
def runtime(tmp_path) -> Path:
    return tmp_path / "runtime"


@pytest.fixture
def real_store(runtime):
    """On the real clock, as the other processes are."""
    store = open_store(runtime / "ghostos.db")
    yield store
    store.close()


@pytest.fixture
async def start(runtime) -> AsyncIterator[StartChild]:
    children: list[Child] = []

    async def start_one(boot_id: str = "") -> Child:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", NODE, str(runtime), boot_id),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        children.append(Child(process))
        await children[-1].told("joined")
        return children[-1]

    yield start_one
    for child in children:
        if child.process.returncode is None:
            child.process.kill()
        await child.process.communicate()


@pytest.fixture
async def join(runtime, real_store) -> AsyncIterator[Join]:
    async with AsyncExitStack() as stack:

        async def join_one(folder: Path = runtime / "nodes", **arguments) -> tuple[FileNodes, Heard]:
            heard = Heard()
            node = FileNodes(folder, store=real_store, **arguments)
            await node.join(heard)
            stack.push_async_callback(node.close)
            return node, heard

        yield join_one


def of_other_container(owner: Owner | None = None) -> str:
    """A boot id of this machine with another pid namespace."""
    return f"{(owner or current_owner()).boot_id.partition('/')[0]}/1"


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what nothing tells of: files that come and go, processes that end in their own time."""
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def claimed_by(child: Child, store: SqlStore, records) -> str:
    """A task that a child holds."""
    task = await store.create_task(records.task())
    await store.post_event(records.event(task))
    child.order("claim", task.id)
    assert await child.told("claimed") == [True]
    return task.id


@contextmanager
def short(folder: Path) -> Generator[str]:
    """A way to a folder that fits into the address of a socket."""
    descriptor = os.open(folder, os.O_RDONLY)
    yield f"/proc/self/fd/{descriptor}"
    os.close(descriptor)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.exists() else []


async def test_what_one_announces_all_others_hear(start, join):
    first, second = await start(), await start()
    node, heard = await join()
    first.order("announce", "t1", "t2", "t1")
    await heard.until("t1", "t2")
    assert await second.told("wake", "t1", "t2") == []
    node.announce(["t3"])
    assert await first.told("wake", "t3") == []
    assert await second.told("wake", "t3") == []
    assert ["t3"] not in heard.so_far()


async def test_a_commit_that_nobody_announced_is_noticed(start, join, real_store, records):
    child = await start()
    _, heard = await join()
    await claimed_by(child, real_store, records)
    await heard.until()


async def test_own_commits_are_not_foreign_and_others_are(start, real_store, records):
    child = await start()
    task = await real_store.create_task(records.task())
    before = await real_store.foreign_commits()
    await real_store.post_event(records.event(task))
    assert await real_store.foreign_commits() == before
    child.order("claim", task.id)
    await child.told("claimed")
    after = await real_store.foreign_commits()
    assert after != before
    assert await real_store.foreign_commits() == after


async def test_a_dead_process_is_buried_and_its_tasks_are_free(start, join, runtime, real_store, records):
    child = await start(of_other_container())
    _, heard = await join()
    task_id = await claimed_by(child, real_store, records)
    owner = replace(current_owner(), pid=child.process.pid, boot_id=of_other_container())
    (row,) = [node for node in await real_store.list_nodes() if node.owner != current_owner()]
    assert await real_store.claim(task_id) == "held"
    assert is_alive(row.owner, nodes=runtime / "nodes")
    await heard.until()  # for the claim
    await child.kill()
    await heard.until()  # for the death
    assert owner.pid == row.owner.pid
    assert isinstance(await real_store.claim(task_id), Claim)
    assert [node.owner for node in await real_store.list_nodes()] == [current_owner()]
    assert all(name.startswith(f"{os.getpid()}-") for name in names(runtime / "nodes"))


async def test_a_lock_says_of_a_process_of_another_container_whether_it_lives(start, runtime, real_store):
    child = await start(of_other_container())
    (row,) = await real_store.list_nodes()
    assert is_alive(row.owner, nodes=runtime / "nodes")
    await child.kill()
    assert not is_alive(row.owner, nodes=runtime / "nodes")
    assert is_alive(row.owner), "without the folder it is in doubt"
    shutil.rmtree(runtime / "nodes")
    assert is_alive(row.owner, nodes=runtime / "nodes"), "without a file, too"


async def test_a_lock_that_is_held_outweighs_a_boot_id_that_is_not_this_machines(start, runtime, real_store):
    child = await start("00000000/1")
    (row,) = await real_store.list_nodes()
    assert is_alive(row.owner, nodes=runtime / "nodes")
    await child.kill()
    assert not is_alive(row.owner, nodes=runtime / "nodes")
    shutil.rmtree(runtime / "nodes")
    assert not is_alive(row.owner, nodes=runtime / "nodes"), "it was another start of this machine"


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(["unshare", "--pid", "--fork", "true"], check=False, capture_output=True).returncode != 0,
    reason="this system makes no pid namespaces for us",
)
async def test_a_process_in_a_pid_namespace_of_its_own_is_seen_to_live_and_to_die(start, runtime, real_store):
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c", NODE, str(runtime), ""),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child = Child(process)
    await child.told("joined")
    (row,) = await real_store.list_nodes()
    assert row.owner.pid == 1
    assert row.owner.boot_id != current_owner().boot_id
    assert is_alive(row.owner, nodes=runtime / "nodes")
    await child.kill()
    await until(lambda: not is_alive(row.owner, nodes=runtime / "nodes"))  # a moment after the one who started it


async def test_whoever_joins_removes_what_the_dead_have_left_and_nothing_else(start, join, runtime, real_store):
    dead, alive = await start(), await start(of_other_container())
    await dead.kill()
    await join()
    owners = {node.owner.pid for node in await real_store.list_nodes()}
    assert owners == {os.getpid(), alive.process.pid}
    assert {int(name.split("-")[0]) for name in names(runtime / "nodes")} == owners


async def test_a_row_without_files_is_removed_where_its_process_is_dead(start, join, runtime, real_store):
    dead, alive = await start(), await start()
    await dead.kill()
    shutil.rmtree(runtime / "nodes")
    await join()
    assert {node.owner.pid for node in await real_store.list_nodes()} == {os.getpid(), alive.process.pid}


async def test_nodes_of_one_process_are_nodes_to_each_other(join, real_store):
    first, _ = await join()
    second, heard = await join()
    first.announce(["t1"])
    await heard.until("t1")
    await second.close()
    await first.close()
    assert await real_store.list_nodes() == []


async def test_who_leaves_is_gone_without_a_trace(start, runtime, real_store):
    child = await start()
    child.order("close")
    await child.told("closed")
    assert names(runtime / "nodes") == []
    assert await real_store.list_nodes() == []


async def test_what_is_announced_last_is_told_before_leaving(join):
    node, _ = await join()
    _, heard = await join()
    node.announce(["t1"])
    await node.close()
    await node.close()
    node.announce(["t2"])
    await heard.until("t1")
    assert ["t2"] not in heard.so_far()


async def test_a_node_joins_once(join, real_store, runtime):
    node, heard = await join()
    with pytest.raises(UsageError, match="joined before"):
        await node.join(heard)
    await FileNodes(runtime / "nodes", store=real_store).close()


async def test_fifty_nodes_hear_each_other(join, start):
    child = await start()
    nodes = [await join() for _ in range(49)]
    child.order("announce", "from-child")
    for _, heard in nodes:
        await heard.until("from-child")
    nodes[0][0].announce(["from-first"])
    for _, heard in nodes[1:]:
        await heard.until("from-first")
    assert await child.told("wake", "from-first") == []


async def test_whoever_is_told_more_than_it_has_room_for_looks_at_everything(join):
    node, _ = await join()
    _, heard = await join()
    for number in range(2000):  # more than any queue of the kernel holds; nobody listens meanwhile
        node.announce([f"t{number}"])
        node._tell()
    await heard.until()


async def test_what_a_wake_up_raises_ends_nothing(runtime, real_store, join, caplog):
    loop = asyncio.get_running_loop()
    woken = [loop.create_future(), loop.create_future()]

    def fail(task_ids) -> None:
        next(future for future in woken if not future.done()).set_result(list(task_ids))
        raise RuntimeError("odd")

    failing = FileNodes(runtime / "nodes", store=real_store)
    await failing.join(fail)
    node, _ = await join()
    for number, future in enumerate(woken):
        node.announce([f"t{number}"])
        assert await asyncio.wait_for(future, DEADLINE_S) == [f"t{number}"]
    await failing.close()
    assert "was not looked at" in caplog.text


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\xff\x00garbage", b"null", b'{"a": 1}', b"[1, 2]", b'["' + b"x" * MAX_BYTES + b'"]', b"[" * 5000],
)
async def test_a_datagram_that_is_none_of_ours_makes_a_node_look_and_no_more(join, runtime, datagram):
    _, heard = await join()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        (name,) = [name for name in names(runtime / "nodes") if name.endswith(".sock")]
        with short(runtime / "nodes") as folder:
            sender.sendto(datagram, f"{folder}/{name}")
    await heard.until()
    other, _ = await join()
    other.announce(["t1"])
    await heard.until("t1")


def test_a_datagram_is_bounded_and_means_everything_where_it_would_not_be():
    ids = [f"{number:036}" for number in range(100)]
    assert decode(encode(ids)) == ids
    assert len(encode(ids)) <= MAX_BYTES
    for many in ([*ids, "one"], ["x" * 65], ["\x00" * 64] * 100):
        assert encode(many) == b"[]"


@pytest.mark.parametrize("replacement", ["file", "link", "folder", "nothing", "socket"])
async def test_a_node_whose_socket_was_replaced_makes_a_new_one(join, runtime, tmp_path, replacement):
    node, _ = await join()
    victim = tmp_path / "victim"
    (own,) = (runtime / "nodes").glob("*.sock")
    _, heard = await join()
    replaced = next(path for path in (runtime / "nodes").glob("*.sock") if path != own)
    replaced.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outside:
        with short(tmp_path) as folder:
            outside.bind(f"{folder}/{'victim' if replacement == 'link' else 'x'}")
        outside.setblocking(False)
        match replacement:
            case "file":
                replaced.write_text("precious")
            case "link":
                replaced.symlink_to(victim)
            case "folder":
                replaced.mkdir()
            case "socket":
                os.rename(tmp_path / "x", replaced)
            case _:
                pass
        node.announce(["lost"])
        known = {own, replaced}
        await until(lambda: set((runtime / "nodes").glob("*.sock")) - known)
        if replacement == "link":
            with pytest.raises(BlockingIOError):
                outside.recv(100)
    node.announce(["t1"])
    await heard.until("t1")


async def test_a_folder_that_was_removed_is_made_again(join, start, runtime):
    child = await start()
    node, heard = await join()
    shutil.rmtree(runtime / "nodes")
    await until(lambda: len([name for name in names(runtime / "nodes") if name.endswith(".sock")]) == 2)
    child.order("announce", "t1")
    await heard.until("t1")
    node.announce(["t2"])
    assert await child.told("wake", "t2") == []


async def test_a_workspace_that_was_removed_does_not_come_back(join, runtime, real_store, caplog):
    node, _ = await join()
    shutil.rmtree(runtime)
    await until(lambda: "not found by others" in caplog.text)
    node.announce(["t1"])
    assert not runtime.exists()


async def test_a_process_that_is_stopped_for_good_only_costs_its_own_mail(join, start):
    child = await start()
    node, heard = await join()
    os.kill(child.process.pid, signal.SIGSTOP)
    for number in range(50):
        node.announce([f"t{number}"])
        node._tell()
    other, _ = await join()
    other.announce(["t1"])
    await heard.until("t1")
    os.kill(child.process.pid, signal.SIGCONT)
    assert await child.told("wake") != ["never"]


@pytest.mark.parametrize("obstacle", ["file", "link to nowhere"])
async def test_where_there_is_no_place_for_a_folder_commits_are_noticed_all_the_same(
    join, start, runtime, real_store, records, obstacle, caplog
):
    if obstacle == "file":
        (runtime / "nodes").write_text("in the way")
    else:
        (runtime / "nodes").symlink_to(runtime / "no" / "where")
    node, heard = await join()
    child = await start()
    node.announce(["t1"])
    await claimed_by(child, real_store, records)
    await heard.until()
    assert "not found by others" in caplog.text
    assert len([record for record in caplog.records if record.name.startswith("ghostos")]) == 1


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "odd name", "no key", "another's key"])
async def test_what_is_no_lock_file_of_a_node_is_harmless(join, runtime, real_store, kind):
    (runtime / "nodes").mkdir()
    name = "123-456-0123456789ab-01234567"
    lock, sock = (runtime / "nodes" / f"{name}.{suffix}" for suffix in ("lock", "sock"))
    victim = runtime / "victim"
    victim.write_text(current_owner().key)
    sock.write_text("")
    match kind:
        case "link":
            lock.symlink_to(victim)
        case "folder":
            lock.mkdir()
        case "pipe":
            os.mkfifo(lock)
        case "odd name":
            lock = runtime / "nodes" / "x.lock"
            lock.write_text(current_owner().key)
        case "no key":
            lock.write_bytes(b"\xff" * 5000)
        case _:
            lock.write_text(current_owner().key)
    await join()
    assert lock.is_symlink() or lock.exists() != (kind in ("no key", "another's key"))
    assert victim.exists()
    assert [node.owner for node in await real_store.list_nodes()] == [current_owner()]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_lock_file_of_another_user_is_left_alone_and_counts_as_held():
    owner = Owner(pid=7, boot_id=of_other_container(), started=5)
    with tempfile.TemporaryDirectory() as folder:  # where another user can look, too
        os.chmod(folder, 0o755)  # noqa: S103 - nothing secret is in it
        lock = LockFile.make(Path(folder), owner=owner)
        lock.close()  # dead, for those who can look
        command = [sys.executable, "-c", AS_NOBODY, folder, owner.key]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.stdout.splitlines() == ["True []", "PermissionError"], done.stderr
        assert lock.path.exists()
        assert find_lock(Path(folder), owner) is False


async def test_a_clock_that_is_set_back_or_forward_changes_nothing(join, start, real_store, runtime):
    alive = await start(of_other_container())
    for offset in (timedelta(days=-3000), timedelta(days=3000)):
        node, heard = await join(clock=lambda offset=offset: utc_now() + offset)
        alive.order("announce", "t1")
        await heard.until("t1")
        node.announce(["t2"])
        assert await alive.told("wake", "t2") == []
        await node.close()
    assert [node.owner.pid for node in await real_store.list_nodes()] == [alive.process.pid]


@pytest.mark.parametrize("depth", ["a folder with spaces", "x" * 200, "ü" * 100])
async def test_the_path_of_a_workspace_may_be_long_and_odd(tmp_path, depth):
    folder = tmp_path / depth / "deeper and deeper" / "nodes"
    folder.parent.mkdir(parents=True)
    store = open_store(tmp_path / "ghostos.db")
    heard = Heard()
    first, second = FileNodes(folder, store=store), FileNodes(folder, store=store)
    await first.join(lambda _: None)
    await second.join(heard)
    first.announce(["t1"])
    await heard.until("t1")
    await first.close()
    await second.close()
    assert names(folder) == []
    store.close()


async def test_files_of_a_node_are_for_its_owner_alone(join, runtime):
    await join()
    assert stat.S_IMODE((runtime / "nodes").stat().st_mode) == 0o700
    assert len(names(runtime / "nodes")) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in (runtime / "nodes").iterdir())
