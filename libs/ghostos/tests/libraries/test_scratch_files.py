"""Files that confined code names by path: beneath its folder, whatever it puts there."""

import os
import socket
import threading
from pathlib import Path

import pytest

from ghostos.libraries.scratch_files import CodeFiles, ScratchFiles, UnconfinedFiles

CONTENT = b"what is in the file"
SECRET = b"what is elsewhere"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.txt").write_bytes(CONTENT)
    (folder / "deep" / "er" / "b.txt").write_bytes(CONTENT)
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "secret.txt"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def files(folder: Path) -> ScratchFiles:
    return ScratchFiles(folder)


def read(files: CodeFiles, path: object) -> bytes:
    return files.read(path, max_bytes=1000)  # type: ignore[arg-type]


def test_files_are_read_by_each_name_that_code_has_for_them(files, folder):
    for path in ("a.txt", "./a.txt", Path("a.txt"), "deep/er/b.txt", folder / "a.txt", str(folder / "deep/er/b.txt")):
        assert read(files, path) == CONTENT


@pytest.mark.parametrize(
    "path", ["..", "../elsewhere/secret.txt", "deep/../../elsewhere/secret.txt", ".", "/etc/passwd"]
)
def test_what_is_elsewhere_is_refused(files, secret, path):
    for named in (path, str(secret), str(secret.parent.parent / "scratch-not" / "a")):
        with pytest.raises(ValueError, match="not in your current folder"):
            read(files, named)
        with pytest.raises(ValueError, match="not in your current folder"):
            files.write(named, CONTENT)
    assert secret.read_bytes() == SECRET


@pytest.mark.parametrize("path", [3, None, b"a.txt", ["a.txt"]])
def test_what_is_no_path_is_a_type_error(files, path):
    with pytest.raises(TypeError, match="a path is a str or a Path"):
        read(files, path)


@pytest.mark.parametrize("path", ["", "a\0.txt"])
def test_what_cannot_be_a_path_is_a_value_error(files, path):
    with pytest.raises(ValueError, match="is no path"):
        read(files, path)


def test_no_link_is_followed_wherever_it_stands(files, folder, secret):
    (folder / "link.txt").symlink_to(secret)
    (folder / "inside.txt").symlink_to("a.txt")
    (folder / "way").symlink_to(secret.parent)
    (folder / "deep" / "up").symlink_to(folder)
    for path in ("link.txt", "inside.txt", "way/secret.txt", "deep/up/a.txt"):
        with pytest.raises(ValueError, match="a link or no folder"):
            read(files, path)


def test_a_second_name_of_a_file_elsewhere_is_refused(files, folder, secret):
    os.link(secret, folder / "second.txt")
    with pytest.raises(ValueError, match="is a link: copy the file"):
        read(files, "second.txt")


def test_a_link_in_the_place_of_the_folder_is_not_followed(folder, secret):
    files = ScratchFiles(folder)
    folder.rename(folder.parent / "moved")
    folder.symlink_to(secret.parent)
    with pytest.raises(OSError, match="scratch"):
        read(files, "secret.txt")


def test_what_is_no_regular_file_keeps_nobody_waiting(files, folder, monkeypatch):
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        for name in ("pipe", "socket", "deep"):
            with pytest.raises(ValueError, match="no regular file"):
                read(files, name)


def test_what_is_missing_is_said_without_the_paths_of_the_host(files, folder):
    for path in ("c.txt", "nowhere/c.txt"):
        with pytest.raises(FileNotFoundError) as caught:
            read(files, path)
        assert str(caught.value) == f"there is no {path!r} in your folder"
    with pytest.raises(FileNotFoundError, match=r"there is no 'nowhere/c.txt'"):
        files.write("nowhere/c.txt", CONTENT)
    with pytest.raises(ValueError, match="a link or no folder"):
        read(files, "a.txt/c.txt")


def test_too_large_is_refused_also_where_it_grows(files, folder):
    (folder / "large").write_bytes(bytes(1001))
    with pytest.raises(ValueError, match=r"'large' has 1,001 bytes; 1,000 are the limit"):
        read(files, "large")
    with (folder / "huge").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match=r"1,099,511,627,776 bytes"):
        read(files, "huge")
    (folder / "large").write_bytes(bytes(1000))
    assert len(read(files, "large")) == 1000


def test_files_are_written_and_replaced_never_written_through(files, folder, secret):
    files.write("new.txt", CONTENT)
    files.write(folder / "deep" / "new.txt", CONTENT)
    files.write("a.txt", b"other")
    (folder / "link.txt").symlink_to(secret)
    os.link(secret, folder / "second.txt")
    for name in ("link.txt", "second.txt"):
        files.write(name, CONTENT)
        assert not (folder / name).is_symlink()
        assert (folder / name).read_bytes() == CONTENT
    assert secret.read_bytes() == SECRET
    assert (folder / "new.txt").read_bytes() == (folder / "deep" / "new.txt").read_bytes() == CONTENT
    assert (folder / "a.txt").read_bytes() == b"other"
    (folder / "way").symlink_to(secret.parent)
    with pytest.raises(ValueError, match="a link or no folder"):
        files.write("way/new.txt", CONTENT)
    with pytest.raises(ValueError, match="is a folder"):
        files.write("deep", CONTENT)
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.txt", "deep", "link.txt", "new.txt", "second.txt", "way",
    ]  # fmt: skip


def test_a_folder_that_is_swapped_for_a_link_all_the_time_never_leads_elsewhere(files, folder, secret):
    (folder / "way").mkdir()
    (folder / "way" / "secret.txt").write_bytes(CONTENT)
    (folder / "link").symlink_to(secret.parent)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            os.rename(folder / "way", folder / "kept")
            os.rename(folder / "link", folder / "way")
            os.rename(folder / "way", folder / "link")
            os.rename(folder / "kept", folder / "way")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        seen = set()
        for _ in range(3000):
            try:
                seen.add(read(files, "way/secret.txt"))
            except (ValueError, FileNotFoundError):
                seen.add(b"refused")
    finally:
        done.set()
        swapping.join(10)
    assert SECRET not in seen
    assert seen


def test_unconfined_code_may_name_any_file_but_only_files(tmp_path, secret, monkeypatch):
    files = UnconfinedFiles()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(secret)
    assert read(files, "elsewhere/secret.txt") == read(files, secret) == read(files, "link") == SECRET
    files.write("new.txt", CONTENT)
    assert (tmp_path / "new.txt").read_bytes() == CONTENT
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "elsewhere"):
        with pytest.raises(ValueError, match="no regular file"):
            read(files, name)
    with pytest.raises(FileNotFoundError):
        read(files, "missing")
    with pytest.raises(ValueError, match="17 bytes; 16 are the limit"):
        files.read(secret, max_bytes=16)
