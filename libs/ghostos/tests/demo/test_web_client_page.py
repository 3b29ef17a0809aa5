"""The page on the web client does as it says: its station is started, its agents ask it, its outputs come."""

import socket
import subprocess
import sys
import time

import pytest

from ghostos.ghosts.target import load_target
from ghostos_moss import Permissions

from .test_docs import PAGES, blocks, folder, run_reply, skip_where_code_cannot_be_confined

__all__ = ["folder"]  # a fixture

PAGE = "web_client.md"
PORT = "8765"


@pytest.fixture
def port():
    """A free one in the place of the page's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


@pytest.fixture
def station(folder, port):
    """The page's own server, as its reader starts it; its files beside it."""
    for block in blocks(PAGE):
        if block.file:
            (folder / block.file).write_text(block.text.replace(PORT, port), encoding="utf-8")
    process = subprocess.Popen([sys.executable, "station.py", port], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait(10)


def test_its_replies_run_and_put_out_what_it_says(folder, port, station):
    skip_where_code_cannot_be_confined()
    target, shown, checked = "", "", 0
    for block in blocks(PAGE):
        text = block.text.replace(PORT, port).strip()
        if block.file:
            target = block.file
        elif text.startswith("<moss>"):
            shown = run_reply(text, target=target, workspace=folder / "workspace", sandbox="process")
        elif text.startswith("<moss-output"):
            assert shown == text
            checked += 1
    assert checked == 3


def test_its_files_are_targets_and_its_hosts_can_be_written(folder, port, station):
    for name in ("weather.py", "ping.py"):
        assert load_target(name).source.text
    page = (PAGES / PAGE).read_text(encoding="utf-8")
    table = page.partition("| written | allows |")[2].partition("\n\n")[0]
    named = [host for line in table.splitlines()[2:] for host in line.split("|")[1].split("`")[1::2]]
    assert len(named) == 6
    assert Permissions(net=named).net == tuple(named)
