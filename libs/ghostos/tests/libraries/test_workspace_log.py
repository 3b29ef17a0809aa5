"""The log of a workspace in programs that are not the command: what they set up for themselves stays as it is."""

import json
import logging
from contextlib import suppress

import pytest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import AppSettings, Workspace
from ghostos.contracts.store import Store
from ghostos.errors import GhostOSError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.libraries.app_settings import load_app_settings
from ghostos.libraries.workspace_log import LOGGERS, WorkspaceLog, open_workspace_log
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model

KEY = "sk-made-up-key-of-a-program"


def read(workspace, name="ghostos.log"):
    path = Workspace(workspace).logs / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def handlers():
    return {name: [*logging.getLogger(name).handlers] for name in (*LOGGERS, "root")}


@pytest.fixture(autouse=True)
def _levels_of_a_new_process():
    """A command that another test ran in this process has set its own."""
    before = {logger: logger.level for logger in map(logging.getLogger, LOGGERS)}
    for logger in before:
        logger.setLevel(logging.NOTSET)
    yield
    for logger, level in before.items():
        logger.setLevel(level)


@pytest.fixture
def app(tmp_path):
    Workspace(tmp_path).runtime.mkdir()
    return load_app_settings(Workspace(tmp_path), environment={"MY_API_KEY": KEY})


def test_a_container_logs_while_its_store_is_open(tmp_path):
    before = handlers()
    container = make_app_container(tmp_path)
    logging.getLogger("ghostos.test").warning("too early")
    container.force_fetch(Store)
    logging.getLogger("ghostos.test").warning("in time")
    logging.getLogger("ghostos_moss").warning("here too")
    logging.getLogger("ghostos.test").info("nobody has asked for this")
    logging.getLogger("somebody").warning("not ours")
    assert {name: len(each) for name, each in handlers().items()} == {
        name: len(each) + (name != "root") for name, each in before.items()
    }
    container.shutdown()
    logging.getLogger("ghostos.test").warning("too late")
    assert [(line["logger"], line["message"]) for line in read(tmp_path)] == [
        ("ghostos.test", "in time"),
        ("ghostos_moss", "here too"),
    ]
    assert handlers() == before


def test_what_is_logged_in_a_round_names_its_task_and_its_number(tmp_path):
    def log_and_answer(_):
        logging.getLogger("ghostos.test").warning("within")
        return "Hi."

    container = make_app_container(
        tmp_path, providers=[use_model(ScriptedModel([log_and_answer, ZeroDivisionError()]))]
    )
    with get_ghostos(container).create_matrix("test") as matrix:
        conversation = matrix.sync(Chatbot("Bo"), thread="mine")
        for text in ("one", "two"):
            _, receiver = conversation.talk(text)
            with receiver, suppress(GhostOSError):
                list(receiver.recv())
        task_id = conversation.task_id
    container.shutdown()
    within, failed = read(tmp_path)
    assert within["message"] == "within"
    assert [(line["task"], line["thread"], line["round"]) for line in (within, failed)] == [
        (task_id, "mine", 1),
        (task_id, "mine", 2),
    ]
    assert failed["error"]["type"] == "ZeroDivisionError"
    assert "log_and_answer" not in failed["error"]["traceback"]


def test_two_that_open_a_log_write_each_line_once_and_the_last_one_closes_it(app, tmp_path):
    first, second = open_workspace_log(app), open_workspace_log(app)
    logging.getLogger("ghostos").warning("%s", KEY)
    first()
    logging.getLogger("ghostos").warning("still")
    second()
    logging.getLogger("ghostos").warning("over")
    assert [line["message"] for line in read(tmp_path)] == ["[hidden]", "still"]


def test_a_command_that_logs_already_does_not_log_twice(app, tmp_path):
    log = WorkspaceLog(app.workspace, secrets=[])
    logging.getLogger().addHandler(log)
    try:
        close = open_workspace_log(app)
        logging.getLogger("ghostos").warning("once")
        close()
        logging.getLogger("ghostos").warning("again")
    finally:
        logging.getLogger().removeHandler(log)
        log.close()
    assert [line["message"] for line in read(tmp_path)] == ["once", "again"]


def test_a_file_that_another_process_moved_aside_or_deleted_is_left(app, tmp_path):
    close = open_workspace_log(app)
    path = app.workspace.logs / "ghostos.log"
    logging.getLogger("ghostos").warning("one")
    path.rename(path.with_name("ghostos.log.1"))
    logging.getLogger("ghostos").warning("two")
    path.unlink()
    logging.getLogger("ghostos").warning("three")
    close()
    assert [line["message"] for line in read(tmp_path, "ghostos.log.1")] == ["one"]
    assert [line["message"] for line in read(tmp_path)] == ["three"]


def test_a_full_file_is_kept_beside_a_new_one(app, tmp_path):
    close = open_workspace_log(app)
    for number in range(4):
        logging.getLogger("ghostos").warning("%s %s", number, "x" * 400_000)
    close()
    assert [line["message"][0] for line in read(tmp_path)] == ["2", "3"]
    assert [line["message"][0] for line in read(tmp_path, "ghostos.log.1")] == ["0", "1"]


def test_settings_are_the_ones_of_the_container(tmp_path):
    container = make_app_container(tmp_path)
    container.set(AppSettings, load_app_settings(Workspace(tmp_path / "other"), environment={"MY_API_KEY": KEY}))
    container.force_fetch(Store)
    logging.getLogger("ghostos").warning("at %s", KEY)
    container.shutdown()
    assert [line["message"] for line in read(tmp_path / "other")] == ["at [hidden]"]
