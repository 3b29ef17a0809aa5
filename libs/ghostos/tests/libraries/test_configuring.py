"""The configuration of a workspace is looked at and changed."""

import errno
import os
import threading

import pytest
from pydantic import SecretStr

from ghostos.config import Confinement, Workspace
from ghostos.errors import (
    ConfigError,
    DiskFullError,
    ModelKeyMissingError,
    NewerFormatError,
    UsageError,
    WorkspaceError,
)
from ghostos.libraries.configuring import Configuration, propose_variable
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.setting_names import find_path, find_setting, parse_value
from ghostos.testing import ModelServer
from ghostos_moss import Permissions

KEY = SecretStr("sk-made-up-of-the-tests")
MODEL = ("default_model",)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def configuration(workspace):
    return Configuration(LiveSettings(workspace, environment={}))


def write(workspace: Workspace, text: str) -> None:
    workspace.config_file.parent.mkdir(parents=True, exist_ok=True)
    workspace.config_file.write_text(text)


def in_force(configuration: Configuration) -> dict[str, tuple[object, str]]:
    return {each.setting.name: (each.value, each.origin) for each in configuration.list_in_force()}


def test_changes_are_stored_all_at_once_and_count_at_once(configuration, workspace):
    write(workspace, "# mine\nversion = 1\n")
    configuration.change({MODEL: "deepseek:deepseek-chat", ("code", "timeout_s"): 7.5})
    text = workspace.config_file.read_text()
    assert text == '# mine\nversion = 1\ndefault_model = "deepseek:deepseek-chat"\n\n[code]\ntimeout_s = 7.5\n'
    assert configuration.read().settings.default_model == "deepseek:deepseek-chat"
    configuration.change({MODEL: None, ("code",): None})
    assert configuration.read().settings.code.timeout_s == 120


def test_a_workspace_without_a_file_gets_one(configuration, workspace):
    configuration.change({MODEL: "openai:gpt-5"})
    assert workspace.config_file.read_text() == 'version = 1\ndefault_model = "openai:gpt-5"\n'


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({MODEL: "openai:gpt-5", ("code", "timeout_s"): -1.0}, "code.timeout_s: Input should be greater than 0"),
        ({MODEL: "opnai:gpt-4o"}, "did you mean openai:gpt-4o"),
        ({MODEL: "gpt-4o"}, "did you mean openai:gpt-4o"),
        ({("models", "opnai:x", "input_price"): 1.0}, "No service is called 'opnai'"),
        ({("services", "mine", "base_url"): "localhost:8000/v1"}, "does not start with http"),
        ({("services", "mine", "api_key_env"): "sk-a-key-itself"}, "is no name of a variable"),
        ({("services", "mi:ne", "needs_key"): False}, "no name of a service"),
        ({("code", "tiemout_s"): 5.0}, "Did you mean timeout_s"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_stored(configuration, workspace, changes, says):
    write(workspace, "version = 1\n")
    with pytest.raises(ConfigError) as caught:
        configuration.change(changes)
    assert says in str(caught.value)
    assert workspace.config_file.read_text() == "version = 1\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [("version = 9\n", NewerFormatError), ("versoin = 1\n", ConfigError), ("[code\n", ConfigError)],
)
def test_a_file_that_cannot_be_read_is_not_changed(configuration, workspace, text, error):
    write(workspace, text)
    with pytest.raises(error):
        configuration.change({MODEL: "openai:gpt-5"})
    assert workspace.config_file.read_text() == text


def test_a_service_that_the_default_model_is_of_is_not_taken_out(configuration, workspace):
    configuration.change({("services", "mine", "base_url"): "http://127.0.0.1:1/v1"})
    configuration.change({MODEL: "mine:model"})
    with pytest.raises(ConfigError, match="No service is called 'mine'"):
        configuration.change({("services", "mine"): None})
    configuration.change({MODEL: None, ("services", "mine"): None})
    assert workspace.config_file.read_text() == "version = 1\n\n"


def test_a_place_that_cannot_be_written_is_named(configuration, workspace):
    workspace.root.mkdir()
    (workspace.root / "configs").write_text("a file")
    with pytest.raises(WorkspaceError, match=r"ghostos\.toml"):
        configuration.change({MODEL: "openai:gpt-5"})


def test_a_link_stays_one_and_what_it_leads_to_is_changed(configuration, workspace, tmp_path):
    elsewhere = tmp_path / "shared.toml"
    elsewhere.write_text("# of the team\n")
    elsewhere.chmod(0o640)
    workspace.config_file.parent.mkdir(parents=True)
    workspace.config_file.symlink_to(elsewhere)
    configuration.change({MODEL: "openai:gpt-5"})
    assert workspace.config_file.is_symlink()
    assert elsewhere.read_text() == 'default_model = "openai:gpt-5"\n# of the team\n'
    assert elsewhere.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_the_file_as_it_was(configuration, workspace, monkeypatch):
    write(workspace, "# mine\n")

    def refuse(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(DiskFullError):
        configuration.change({MODEL: "openai:gpt-5"})
    assert workspace.config_file.read_text() == "# mine\n"
    assert os.listdir(workspace.config_file.parent) == ["ghostos.toml"]


def test_two_writers_lose_nothing(workspace):
    limits = ["memory_mb", "file_mb", "open_files", "threads", "calls", "output_chars"]
    both = [Configuration(LiveSettings(workspace, environment={})) for _ in range(2)]
    writers = [
        threading.Thread(target=both[number % 2].change, args=({("code", "limits", name): 1000},))
        for number, name in enumerate(limits)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stored = both[0].read().settings.code.limits.model_dump()
    assert {name: stored[name] for name in limits} == dict.fromkeys(limits, 1000)
    assert sorted(os.listdir(workspace.config_file.parent)) == ["ghostos.toml"]


def test_who_says_what_is_in_force_is_told(workspace):
    write(workspace, '[code]\ntimeout_s = 5\n[services.openai]\nmax_retries = 1\nbase_url = "http://u:pw@h/v1"\n')
    workspace.env_file.write_text("MOONSHOT_BASE_URL=http://m/v1\n")
    live = LiveSettings(
        workspace,
        environment={"DEEPSEEK_BASE_URL": "http://me:pw@d/v1"},
        model="openai:o1-mini",
        confinement=Confinement("off", Permissions(net=("a.com",))),
    )
    found = in_force(Configuration(live))
    assert found["default_model"] == ("openai:o1-mini", "flag")
    assert found["code.sandbox"] == ("off", "flag")
    assert found["code.permissions.net"] == (["a.com"], "flag")
    assert found["code.timeout_s"] == (5.0, "file")
    assert found["store.durability"] == ("normal", "default")
    assert found["services.openai.max_retries"] == (1, "file")
    assert found["services.openai.base_url"] == ("http://h/v1", "file")
    assert found["services.openai.api_key_env"] == ("OPENAI_API_KEY", "built in")
    assert found["services.deepseek.base_url"] == ("http://d/v1", "environment")
    assert found["services.moonshot.base_url"] == ("http://m/v1", ".env")
    assert found["models.openai:o1-mini.takes_system_role"] == (False, "built in")
    assert found["models.openai:o1-mini.input_price"] == (None, "default")


def test_where_keys_are_is_told_and_not_what_they_are(workspace):
    live = LiveSettings(workspace, environment={"DEEPSEEK_API_KEY": "sk-x"})
    configuration = Configuration(live)
    configuration.store_key("openai", key=KEY)
    services = configuration.list_services()
    places = {each.name: each.key for each in services}
    assert places == {"openai": ".env", "deepseek": "environment", "moonshot": "missing", "ollama": "not needed"}
    assert KEY.get_secret_value() not in repr(services)
    configuration.remove_key("openai")
    assert configuration.get_service("openai").key == "missing"
    with pytest.raises(ConfigError, match="did you mean openai"):
        configuration.get_service("opnai")


def test_a_service_that_cannot_be_used_says_why(configuration):
    configuration.change({("services", "mine", "base_url"): "http://127.0.0.1:1/v1"})
    assert "does not say in which variable" in configuration.get_service("mine").fault
    with pytest.raises(ConfigError, match="names no variable") as caught:
        configuration.store_key("mine", key=KEY)
    assert "services.mine.api_key_env MINE_API_KEY" in caught.value.advice


async def test_a_key_is_tested_at_the_address_that_counts(workspace):
    with ModelServer(models=["gpt-4o"], keys=[KEY.get_secret_value()]) as server:
        configuration = Configuration(LiveSettings(workspace, environment={"OPENAI_BASE_URL": server.base_url}))
        with pytest.raises(ModelKeyMissingError):
            await configuration.check_key("openai")
        assert (await configuration.check_key("openai", key=SecretStr("sk-other"))).state == "refused"
        assert (await configuration.check_key("openai", key=KEY)).state == "accepted"
        assert not workspace.env_file.exists()
        configuration.store_key("openai", key=SecretStr(f" {KEY.get_secret_value()}\n"))
        assert (await configuration.check_key("openai")).state == "accepted"


async def test_a_key_that_was_not_copied_whole_is_refused_before_it_is_sent(configuration):
    with pytest.raises(ConfigError, match="was not copied whole") as caught:
        await configuration.check_key("openai", key=SecretStr("sk-abc def"))
    assert "sk-abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("default_model", "a:b", "a:b"),
        ("default_model", '"a:b"', "a:b"),
        ("code.timeout_s", "60", 60.0),
        ("budget.tokens_per_task", "1_000", 1000),
        ("models.openai:gpt-4.1.sees_images", "yes", True),
        ('models."openai:gpt-4.1".input_price', "2.5", 2.5),
        ("code.permissions.net", "true", True),
        ("code.permissions.net", "a.com, b.org", ["a.com", "b.org"]),
        ("code.permissions.read", '["/a"]', ["/a"]),
        ("services.mine.api_key_env", "MINE", "MINE"),
    ],
)
def test_a_text_is_read_as_the_setting_takes_it(name, text, value):
    found = parse_value(find_setting(name), text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("code.timeout", "Did you mean code.timeout_s?"),
        ("timeout_s", "Did you mean code.timeout_s?"),
        ("code.limits", "is a group of settings"),
        ("services", "is a group of settings"),
        ("services.mine", "is a group of settings"),
        ("models.openai:gpt-4.1", "is a group of settings"),
        ("models.openai:gpt-4.1.price", "Did you mean models.openai:gpt-4.1.input_price?"),
        ("version", "There is no setting 'version'"),
    ],
)
def test_a_name_that_is_none_of_a_setting_is_refused_with_what_was_meant(name, says):
    with pytest.raises(UsageError) as caught:
        find_setting(name)
    assert says in caught.value.happened


def test_groups_can_be_named_where_one_is_wanted():
    names = ["code.limits", "services.mine", "models.openai:gpt-4.1"]
    assert list(map(find_path, names)) == [("code", "limits"), ("services", "mine"), ("models", "openai:gpt-4.1")]


@pytest.mark.parametrize(
    ("name", "text"), [("code.timeout_s", "-1"), ("code.timeout_s", "soon"), ("code.sandbox", "of")]
)
def test_a_text_that_a_setting_cannot_be_is_refused_with_the_reason(name, text):
    with pytest.raises(UsageError, match=f"{name} cannot be '{text}': it should be"):
        parse_value(find_setting(name), text)


def test_what_counts_only_from_the_next_start_is_known():
    names = ["code.sandbox", "code.limits.calls", "store.durability", "assets.max_mb"]
    assert {find_setting(name).counts for name in names} == {"start"}
    assert {find_setting(name).counts for name in ("default_model", "code.timeout_s", "code.permissions.net")} == {
        "turn"
    }


def add_service(configuration: Configuration, name: str, *, variable: str) -> None:
    given = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": variable}
    configuration.change({("services", name, field): value for field, value in given.items()})


@pytest.mark.parametrize(
    ("name", "variable"),
    [("01ai", "_01AI_API_KEY"), ("münchen", "M_NCHEN_API_KEY"), ("my-own.de", "MY_OWN_DE_API_KEY")],
)
def test_the_variable_that_is_proposed_can_hold_a_key(configuration, name, variable):
    assert propose_variable(name) == variable
    add_service(configuration, name, variable=variable)
    configuration.store_key(name, key=KEY)
    assert configuration.get_service(name).key == ".env"


@pytest.mark.parametrize("name", ["a\nb", "`x`", "\x1b[2J"])
def test_names_of_services_that_cannot_be_shown_on_a_line_are_refused(configuration, name):
    with pytest.raises(ConfigError, match="no name of a service"):
        add_service(configuration, name, variable="MINE")


def test_a_service_that_is_removed_takes_its_key_along_unless_another_uses_it(configuration, workspace):
    for name, variable in (("one", "SHARED"), ("two", "SHARED"), ("three", "OWN")):
        add_service(configuration, name, variable=variable)
        configuration.store_key(name, key=KEY)
    assert configuration.change({("services", "one"): None}) == ()
    assert configuration.change({("services", "three"): None}) == ("OWN",)
    assert workspace.env_file.read_text() == f"SHARED={KEY.get_secret_value()}\n"
    assert configuration.change({("services", "two"): None, ("services", "gone"): None}) == ("SHARED",)
    assert workspace.env_file.read_text() == ""


def test_a_key_that_is_left_of_a_service_can_be_forgotten_by_either_name(configuration, workspace):
    workspace.root.mkdir()
    workspace.env_file.write_text("MY_OWN_API_KEY=a\nCORP=b\nOPENAI_API_KEY=c\n")
    assert [configuration.remove_key(name) for name in ("my-own", "CORP")] == ["MY_OWN_API_KEY", "CORP"]
    assert workspace.env_file.read_text() == "OPENAI_API_KEY=c\n"
    with pytest.raises(ConfigError, match="No service is called 'CORP'"):
        configuration.remove_key("CORP")
