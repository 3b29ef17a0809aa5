"""`ghostos web` as a process: what it refuses before it serves, where it serves, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.errors import ConfigError, ExtraMissingError, TargetError, ThreadTargetError
from ghostos.ghosts.target import load_target
from ghostos.testing import ModelServer
from ghostos.web.server import serve

from .conftest import ServeTarget, get_status


def test_a_target_that_is_missing_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="nothing_here"):
        serve(target=str(tmp_path / "nothing_here.py"), workspace=tmp_path / "workspace", headless=True)
    assert not (tmp_path / "workspace").exists()


def test_a_target_whose_module_cannot_be_compiled_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import there_is_no_such_module\n")
    with pytest.raises(TargetError, match="there_is_no_such_module"):
        serve(target=str(broken), workspace=tmp_path / "workspace", headless=True)


def test_a_model_of_an_unknown_service_is_refused(chatbot_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        serve(target=str(chatbot_file), workspace=tmp_path / "workspace", headless=True, model="nowhere:gpt")


def test_a_thread_of_another_target_is_refused(chatbot_file: Path, agent_file: Path, tmp_path: Path) -> None:
    container = make_app_container(tmp_path / "workspace")
    with get_ghostos(container).create_matrix("test") as matrix:
        matrix.sync(load_target(str(agent_file)).ghost, thread="t1", target=str(agent_file))
    container.shutdown()
    with pytest.raises(ThreadTargetError, match="t1"):
        serve(target=str(chatbot_file), workspace=tmp_path / "workspace", headless=True, thread="t1")


def test_without_streamlit_the_extra_is_named(chatbot_file: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['streamlit'] = None\n"
        "from pathlib import Path\n"
        "from ghostos.web.server import serve\n"
        "serve(target=sys.argv[1], workspace=Path(sys.argv[2]), headless=True)\n"
    )
    command = [sys.executable, "-c", script, str(chatbot_file), str(tmp_path / "workspace")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "ghostos-core[web]" in done.stderr
    assert ExtraMissingError.__name__ in done.stderr


def test_it_says_its_address_and_nothing_else(serve_target: ServeTarget, chatbot_file: Path) -> None:
    with ModelServer() as model:
        web = serve_target(chatbot_file, model=model)
        answer = httpx2.get(web.address)
        assert answer.status_code == 200
        assert "img-src 'self'" in answer.headers["content-security-policy"]
        assert web.stop() == 128 + signal.SIGTERM
    assert web.lines == [f"Talker: {web.address}", "Stop it with Ctrl-C."]


def test_ctrl_c_ends_it_without_a_traceback(serve_target: ServeTarget, chatbot_file: Path) -> None:
    web = serve_target(chatbot_file)
    assert web.stop(signal.SIGINT) == 130
    assert "Traceback" not in "\n".join(web.lines)


def test_ctrl_c_does_not_wait_for_a_browser_that_is_still_open(
    serve_target: ServeTarget, chatbot_file: Path, tmp_path: Path
) -> None:
    os.mkfifo(opened := tmp_path / "opened")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho $$ "$1" > {opened}\nexec sleep 60\n')
    browser.chmod(0o755)
    web = serve_target(chatbot_file, browser=browser)
    pid, address = opened.read_text().split()
    try:
        assert address == web.address
        assert web.stop(signal.SIGINT) == 130
    finally:
        os.kill(int(pid), signal.SIGKILL)


OPEN_TO_ALL = """
[server]
enableCORS = false
enableXsrfProtection = false
corsAllowedOrigins = ["http://evil.test"]
allowedHosts = ["*"]
baseUrlPath = "elsewhere"
"""


@pytest.fixture
def folder_open_to_all(tmp_path: Path) -> Path:
    """A folder whose Streamlit settings let every site in."""
    settings = tmp_path / "folder" / ".streamlit" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(OPEN_TO_ALL)
    return settings.parent.parent


def test_only_its_own_page_may_open_a_connection(
    serve_target: ServeTarget, chatbot_file: Path, folder_open_to_all: Path
) -> None:
    address = serve_target(chatbot_file, folder=folder_open_to_all).address
    port = address.rpartition(":")[2]
    by_name = f"http://localhost:{port}"
    assert get_status(address, origin=address) == 101
    assert get_status(address, origin=by_name, host=f"localhost:{port}") == 101
    foreign = ["http://evil.test", "http://localhost:3000", "http://127.0.0.1:9", "https://0.0.0.0:1", "null", None]
    foreign += [by_name, f"https://127.0.0.1:{port}", f"{address}.evil.test", "http://127.0.0.1"]
    assert {origin: get_status(address, origin=origin) for origin in foreign} == dict.fromkeys(foreign, 403)
    rebound = f"evil.test:{port}"
    assert get_status(address, origin=f"http://{rebound}", host=rebound) == 403
    assert get_status(address, path="/elsewhere/_stcore/stream", origin=address) == 403


def test_a_request_under_another_name_or_from_another_site_is_refused(
    serve_target: ServeTarget, chatbot_file: Path, folder_open_to_all: Path
) -> None:
    address = serve_target(chatbot_file, folder=folder_open_to_all).address
    assert get_status(address, path="/_stcore/health", origin=None) == 200
    assert get_status(address, path="/_stcore/health", origin=None, host="evil.test") == 403
    assert get_status(address, path="/_stcore/health", origin="http://evil.test") == 403
    answer = httpx2.get(address, headers={"Host": "evil.test"})
    assert address in answer.text
    assert "content-security-policy" in answer.headers


def test_a_port_that_is_taken_is_stepped_over_and_named(serve_target: ServeTarget, chatbot_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        web = serve_target(chatbot_file, "--port", str(port))
    assert web.lines[0].startswith(f"Port {port} is in use; using ")
    assert not web.address.endswith(f":{port}")


def test_it_listens_on_this_machine_only(serve_target: ServeTarget, chatbot_file: Path) -> None:
    port = int(serve_target(chatbot_file).address.rpartition(":")[2])
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables[0].is_file():
        pytest.skip("needs /proc/net")
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]


def test_a_name_that_the_thread_has_is_part_of_the_address(serve_target: ServeTarget, chatbot_file: Path) -> None:
    assert serve_target(chatbot_file, "--thread", "a b/c").address.endswith("/?thread=a%20b%2Fc")
