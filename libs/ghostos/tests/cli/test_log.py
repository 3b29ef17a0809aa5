import io
import json
import logging
import os
import sys
from datetime import datetime

import pytest

from ghostos.cli.log import start_log
from ghostos.config import Workspace
from ghostos.libraries.app_settings import load_app_settings
from ghostos.libraries.workspace_log import LOGGERS

KEY = "sk-made-up-key-of-the-log"
FILED = "a-value-of-the-env-file"
AUTH = "what-the-service-wants"


@pytest.fixture
def start(tmp_path):
    root = logging.getLogger()
    before = list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in LOGGERS}

    def start(*, is_debug=False):
        workspace = Workspace(tmp_path / "workspace")
        environment = {"MINE_API_KEY": KEY, "PATH": "/usr/bin", "MINE": AUTH}
        start_log(load_app_settings(workspace, environment=environment), is_debug=is_debug)
        return workspace

    yield start
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def read(workspace):
    return [json.loads(line) for line in (workspace.logs / "ghostos.log").read_text().splitlines()]


def test_a_line_is_an_object_with_time_level_and_logger(start):
    log = start()
    log.runtime.mkdir(parents=True)
    logging.getLogger("ghostos.test").info("Grüße\nund %s", "mehr")
    logging.getLogger("somebody").warning("theirs")
    first, second = read(log)
    assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
    assert first == {
        "level": "info",
        "logger": "ghostos.test",
        "message": "Grüße\nund mehr",
        "process": os.getpid(),
    }
    assert (second["logger"], second["level"]) == ("somebody", "warning")


def test_a_workspace_that_is_not_used_gets_no_log(start):
    log = start()
    logging.getLogger("ghostos.test").warning("hello")
    assert not log.root.exists()


def test_keys_are_hidden_in_tracebacks_too(start):
    log = start()
    log.runtime.mkdir(parents=True)
    try:
        int(KEY)
    except ValueError:
        logging.getLogger("ghostos.test").exception("the key %s at /usr/bin", KEY)
    assert KEY not in (log.logs / "ghostos.log").read_text()
    (line,) = read(log)
    assert line["message"] == "the key [hidden] at /usr/bin"
    assert line["error"]["type"] == "ValueError"
    assert line["error"]["message"] == "invalid literal for int() with base 10: '[hidden]'"
    assert line["error"]["traceback"].startswith("Traceback (most recent call last):\n")


def test_what_the_workspace_keeps_is_hidden_whatever_its_name(start, tmp_path):
    workspace = Workspace(tmp_path / "workspace")
    workspace.runtime.mkdir(parents=True)
    workspace.config_file.parent.mkdir()
    workspace.config_file.write_text('version = 1\n[services.mine]\napi_key_env = "MINE"\n')
    workspace.env_file.write_text(f"ROBOT={FILED}\nMINE_API_KEY=overridden-by-the-process\n")
    start()
    logging.getLogger("ghostos.test").warning("%s %s overridden-by-the-process %s", FILED, AUTH, KEY)
    (line,) = read(workspace)
    assert line["message"] == "[hidden] [hidden] [hidden] [hidden]"


def test_what_is_logged_cannot_steer_the_terminal(start, monkeypatch):
    seen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", seen)
    log = start(is_debug=True)
    log.runtime.mkdir(parents=True)
    logging.getLogger("ghostos.test").warning("\x1b[2J\u202e\x9b gone")
    assert seen.getvalue().endswith("WARNING ghostos.test: \\x1b[2J\\u202e\\x9b gone\n")
    text = (log.logs / "ghostos.log").read_text()
    assert not {"\x1b", "\u202e", "\x9b"} & {*text}
    assert read(log)[0]["message"] == "\x1b[2J\u202e\x9b gone"
