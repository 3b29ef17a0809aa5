import re
import signal
from collections.abc import Iterator

import httpx2
import pytest

pytestmark = pytest.mark.slow


def test_a_bad_target_is_refused_before_a_port_is_opened(shell):
    done = shell.run("web", "nowhere.py", "--headless", "--port", "0")
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2


def test_a_bad_target_is_refused_before_anything_is_confined(shell):
    assert shell.run("web", "nowhere.py", "--sandbox", "process").status == 2


def test_a_port_out_of_range_is_wrong_usage(shell):
    done = shell.run("web", "foo.py", "--port", "70000")
    assert done.status == 2
    assert "65535" in done.err


def test_without_streamlit_the_install_line_is_given(shell):
    hidden = shell.folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.machinery as m\n"
        "find = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = classmethod(\n"
        "    lambda cls, name, *rest: None if name == 'streamlit' else find(name, *rest))\n"
    )
    done = shell.run("web", "foo.py", env={"PYTHONPATH": str(hidden)})
    assert (done.status, done.out) == (3, "")
    assert "pip install 'ghostos-core[web]'" in done.err


def test_the_page_is_served_until_ctrl_c(shell):
    # A shell's background jobs ignore SIGINT, and so would what they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = shell.start("web", "foo.py", "--headless", "--port", "0")
    signal.signal(signal.SIGINT, before)
    try:
        answer = httpx2.get(read_address(process.stdout))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert answer.status_code == 200
    assert "<!doctype html>" in answer.text.lower()
    assert process.returncode == 130
    assert err.splitlines()[-2:] == [
        "interrupted: The server was stopped; threads keep the turns that ran.",
        "Start it again with: ghostos web foo.py",
    ]


def test_keys_of_the_workspace_are_hidden_in_the_log_of_the_page(shell):
    key = "made-up-value-of-the-workspace"
    (shell.workspace / ".env").write_text(f"MY_ROBOT={key}\n")
    (shell.workspace / "runtime").mkdir()
    shell.write(
        "logs.py",
        f"import logging\nfrom ghostos.errors import NotConfiguredError\ndef __matrix_providers__(): return []\n"
        f"logging.getLogger('robot').warning('it is {key}')\nraise NotConfiguredError('enough')\n",
    )
    shell.run("web", "logs.py", "--headless", "--port", "0")
    text = (shell.workspace / "runtime" / "logs" / "ghostos.log").read_text()
    assert "it is [hidden]" in text
    assert key not in text


def read_address(lines: Iterator[str]) -> str:
    for line in lines:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found.group()
    raise AssertionError("no address was said")
