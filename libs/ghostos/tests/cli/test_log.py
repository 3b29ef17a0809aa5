import logging

import pytest

from ghostos.cli.log import start_log
from ghostos.config import Workspace

KEY = "sk-made-up-key-of-the-log"


@pytest.fixture
def log(tmp_path):
    root = logging.getLogger()
    before = list(root.handlers)
    workspace = Workspace(tmp_path / "workspace")
    start_log(workspace, variables={"MINE_API_KEY": KEY, "PATH": "/usr/bin"}, is_debug=False)
    yield workspace
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()


def test_a_workspace_that_is_not_used_gets_no_log(log):
    logging.getLogger("ghostos.test").warning("hello")
    assert not log.root.exists()


def test_keys_are_hidden_in_tracebacks_too(log):
    log.runtime.mkdir(parents=True)
    try:
        int(KEY)
    except ValueError:
        logging.getLogger("ghostos.test").exception("the key %s at /usr/bin", KEY)
    text = (log.logs / "ghostos.log").read_text()
    assert KEY not in text
    assert "the key [hidden] at /usr/bin" in text
    assert "ValueError: invalid literal for int() with base 10: '[hidden]'" in text
