"""Contents of saved files on the disk: each once, and never another one than was saved."""

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ghostos.contracts.asset_files import AssetFiles
from ghostos.drivers.assets.files import FileAssets
from ghostos.errors import AssetError, AssetLostError, WorkspaceReadOnlyError

CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40

WRITER = """
import sys
from pathlib import Path
from ghostos.drivers.assets.files import FileAssets

files, content = FileAssets(Path(sys.argv[1])), sys.argv[2].encode() * 200_000
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    for path in Path(sys.argv[1]).glob("*/[0-9a-f]*"):
        path.unlink(missing_ok=True)
    sha256 = files.save(content)
print(sha256)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runtime" / "assets"


@pytest.fixture(params=["normal", "full"])
def files(request: pytest.FixtureRequest, folder: Path) -> AssetFiles:
    return FileAssets(folder, max_bytes=1_000_000, durability=request.param)


def listed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_content_lies_under_its_hash_for_its_owner_alone(files, folder):
    sha256 = files.save(CONTENT)
    assert sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert files.read(sha256) == CONTENT
    assert listed(folder) == [files.path_of(sha256)] == [folder / sha256[:2] / sha256]
    assert files.path_of(sha256).stat().st_mode & 0o777 == 0o600


def test_the_same_content_is_written_once(files, folder):
    sha256 = files.save(CONTENT)
    before = files.path_of(sha256).stat()
    assert files.save(bytes(CONTENT)) == sha256
    after = files.path_of(sha256).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert files.save(CONTENT + b"!") != sha256
    assert len(listed(folder)) == 2


def test_what_is_missing_is_named(files):
    sha256 = files.save(CONTENT)
    files.path_of(sha256).unlink()
    with pytest.raises(AssetLostError, match="is not there") as caught:
        files.read(sha256)
    assert caught.value.path == files.path_of(sha256)


@pytest.mark.parametrize("damage", [CONTENT[:-1], CONTENT + b"!", b"", CONTENT.replace(b"\x10", b"\x11")])
def test_another_content_is_never_given_out_and_saving_heals(files, damage):
    sha256 = files.save(CONTENT)
    files.path_of(sha256).write_bytes(damage)
    with pytest.raises(AssetLostError, match="another content"):
        files.read(sha256)
    assert files.save(CONTENT) == sha256
    assert files.read(sha256) == CONTENT


def test_a_link_in_its_place_is_not_followed_and_saving_takes_its_place(files, tmp_path):
    sha256 = files.save(CONTENT)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(CONTENT)
    files.path_of(sha256).unlink()
    files.path_of(sha256).symlink_to(elsewhere)
    with pytest.raises(AssetLostError):
        files.read(sha256)
    files.save(CONTENT)
    assert not files.path_of(sha256).is_symlink()
    assert elsewhere.read_bytes() == CONTENT


def test_a_pipe_in_its_place_keeps_nobody_waiting(files):
    sha256 = files.save(CONTENT)
    files.path_of(sha256).unlink()
    os.mkfifo(files.path_of(sha256))
    with pytest.raises(AssetLostError):
        files.read(sha256)


@pytest.mark.parametrize("name", ["", "../../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_what_is_no_hash_leads_nowhere(files, name):
    with pytest.raises(AssetLostError, match="no SHA-256"):
        files.read(name)


def test_too_large_and_empty_are_refused_and_leave_nothing(files, folder):
    with pytest.raises(AssetError, match=r"1,000,001 bytes; 1,000,000 are the limit"):
        files.save(bytes(1_000_001))
    with pytest.raises(AssetError, match="empty"):
        files.save(b"")
    assert not folder.exists()
    files.save(bytes(1_000_000))


def test_what_was_saved_under_a_higher_limit_is_still_read(files, folder):
    sha256 = FileAssets(folder, max_bytes=2_000_000).save(bytes(1_500_000))
    assert len(files.read(sha256)) == 1_500_000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_named(files, folder):
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    with pytest.raises(WorkspaceReadOnlyError):
        files.save(CONTENT)


def test_a_write_that_fails_leaves_nothing_half_done(files, folder):
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    (folder / sha256[:2] / sha256).mkdir(parents=True)
    with pytest.raises(Exception, match="cannot be used"):
        files.save(CONTENT)
    assert listed(folder) == []


def test_processes_that_save_the_same_at_the_same_time_get_one_whole_file(folder):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), "same"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        reading = FileAssets(folder)
        sha256 = hashlib.sha256(b"same" * 200_000).hexdigest()
        seen: list[bytes] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                try:
                    seen.append(reading.read(sha256)[:4])
                except AssetLostError as exc:
                    assert "is not there" in exc.happened  # never half of it

        reader = threading.Thread(target=read)
        reader.start()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = {process.communicate(timeout=60)[0].strip() for process in processes}
        done.set()
        reader.join(10)
        assert told == {sha256}
        assert set(seen) <= {b"same"}
        assert listed(folder) == [reading.path_of(sha256)]
        assert reading.read(sha256) == b"same" * 200_000
    finally:
        for process in processes:
            process.kill()
            process.wait(10)
