"""Settings and keys that change while GhostOS runs count from the next look on."""

import asyncio
import logging

import pytest
from pydantic import SecretStr

from ghostos.bootstrap import make_app_container
from ghostos.config import AppSettings, Workspace
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.errors import ConfigError, ModelKeyMissingError
from ghostos.libraries.configuring import Configuration
from ghostos.libraries.key_file import store_key
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.workspace_log import open_workspace_log


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "configs").mkdir()
    return Workspace(tmp_path)


def test_a_file_is_read_again_when_it_changed_and_only_then(workspace):
    live = LiveSettings(workspace, environment={})
    first = live.read()
    assert live.read() is first
    workspace.config_file.write_text('default_model = "a:b"\n')
    assert live.read().settings.default_model == "a:b"
    workspace.config_file.unlink()
    assert live.current.settings.default_model == "openai:gpt-4o"


def test_a_key_counts_at_once_and_the_environment_goes_before_it(workspace):
    live = LiveSettings(workspace, environment={"A_KEY": "of the environment"})
    store_key(workspace, "A_KEY", key=SecretStr("sk-filed"))
    store_key(workspace, "B_KEY", key=SecretStr("sk-filed"))
    found = [live.current.find_variable(name) for name in ("A_KEY", "B_KEY")]
    assert [each.get_secret_value() for each in found if each] == ["of the environment", "sk-filed"]
    assert [live.is_in_environment(name) for name in ("A_KEY", "B_KEY")] == [True, False]


def test_a_file_that_is_broken_meanwhile_is_told_and_what_runs_goes_on_with_the_one_before(workspace):
    workspace.config_file.write_text('default_model = "a:b"\n')
    live = LiveSettings(workspace, environment={})
    workspace.config_file.write_text("default_model = \n")
    with pytest.raises(ConfigError):
        live.read()
    assert live.current.settings.default_model == "a:b"
    workspace.config_file.write_text('default_model = "c:d"\n')
    assert live.read().settings.default_model == "c:d"


def test_an_application_takes_a_new_key_and_new_settings_without_a_restart(workspace):
    container = make_app_container(workspace.root)
    models = container.force_fetch(ModelRegistry)
    with pytest.raises(ModelKeyMissingError):
        models.get(None, target=None)
    store_key(workspace, "OPENAI_API_KEY", key=SecretStr("sk-made-up"))
    assert models.get(None, target=None).label == "openai:gpt-4o"
    workspace.config_file.write_text('default_model = "openai:gpt-5"\n[code]\ntimeout_s = 7\n')
    assert models.get(None, target=None).label == "openai:gpt-5"
    assert container.force_fetch(AppSettings).settings.code.timeout_s == 7
    container.shutdown()


def test_a_key_that_came_later_is_in_no_log(workspace):
    workspace.runtime.mkdir()
    live = LiveSettings(workspace, environment={})
    close = open_workspace_log(live.current)
    store_key(workspace, "MINE", key=SecretStr("sk-made-up-later"))
    live.read()
    logging.getLogger("ghostos.test").warning("it is sk-made-up-later")
    close()
    assert "it is [hidden]" in (workspace.logs / "ghostos.log").read_text()


def test_keys_are_hidden_also_while_their_file_is_broken_and_after_they_were_replaced(workspace):
    workspace.env_file.write_text("MINE=sk-0123456789\n")
    live = LiveSettings(workspace, environment={})
    workspace.env_file.write_text("MINE=sk-0123456789\nhalf a line\n")
    assert live.secrets == ("sk-0123456789",)
    workspace.env_file.write_text("MINE=sk-9876543210ab\n")
    assert live.secrets == ("sk-9876543210ab", "sk-0123456789")


def test_a_key_of_few_letters_leaves_the_log_readable(workspace):
    workspace.runtime.mkdir()
    live = LiveSettings(workspace, environment={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    close = open_workspace_log(live.current)
    asyncio.run(Configuration(live).check_key("openai", key=SecretStr("e")))
    with pytest.raises(ConfigError, match="empty"):
        asyncio.run(Configuration(live).check_key("openai", key=SecretStr(" ")))
    logging.getLogger("ghostos.test").warning("every letter stands")
    close()
    assert "every letter stands" in (workspace.logs / "ghostos.log").read_text()
