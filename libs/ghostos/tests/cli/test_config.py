"""`ghostos config`: what is in force, settings and keys, as a user types it."""

import json
import stat

import pytest

from ghostos.testing import ErrorReply, ModelServer

from .screen import Screen

pytestmark = pytest.mark.slow

KEY = "sk-made-up-zq81wx"
PARTS = (KEY, "zq81wx", "81wx", "sk-made")


@pytest.fixture
def bare(shell):
    """A shell in whose environment is no key."""
    del shell.variables["OPENAI_API_KEY"]
    return shell


def settings(shell):
    return (shell.workspace / "configs" / "ghostos.toml").read_text()


def lines(done):
    return [" ".join(line.split()) for line in done.out.splitlines()]


def test_what_is_in_force_is_shown_with_who_says_so(shell):
    shell.variables["DEEPSEEK_BASE_URL"] = "http://me:pw@d/v1"
    done = shell.run("config", "--model", "openai:gpt-5")
    assert done.status == 0, done.err
    shown = lines(done)
    assert "openai OPENAI_API_KEY: set in the environment https://api.openai.com/v1" in shown
    assert "moonshot MOONSHOT_API_KEY: missing https://api.moonshot.cn/v1" in shown
    assert "default_model openai:gpt-5 flag" in shown
    assert "turn.model_retries 0 file" in shown
    assert "services.deepseek.base_url http://d/v1 environment" in shown
    assert not any(line.startswith("code.timeout_s") for line in shown)
    assert shell.variables["OPENAI_API_KEY"] not in done.out + done.err
    everything = lines(shell.run("config", "--all"))
    assert "code.timeout_s 120.0 default" in everything
    assert "budget.tokens_per_task not set default" in everything


def test_a_setting_is_set_and_taken_out_and_all_else_stays(shell):
    before = settings(shell)
    done = shell.run("config", "set", "default_model", "deepseek:deepseek-chat")
    assert (done.status, done.err) == (0, "")
    assert settings(shell) == before.replace("= 1\n", '= 1\ndefault_model = "deepseek:deepseek-chat"\n', 1)
    assert "default_model = deepseek:deepseek-chat" in done.out
    assert (
        shell.run("config", "unset", "default_model").out == "default_model is not set any more: openai:gpt-4o counts\n"
    )
    assert settings(shell) == before
    assert "was not set" in shell.run("config", "unset", "default_model").out


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("set", "code.timeout", "5"), 2, "Did you mean code.timeout_s?"),
        (("set", "code.timeout_s", "soon"), 2, "code.timeout_s cannot be 'soon'"),
        (("set", "default_model", "opnai:gpt-4o"), 3, "did you mean openai:gpt-4o?"),
        (("unset", "codex"), 2, "Did you mean code?"),
        (("key", "opnai"), 3, "did you mean openai?"),
        (("key", "ollama"), 3, "needs no key"),
        (("key", "openai", KEY), 2, "not taken from the command line"),
        (("key", "openai"), 2, "Nobody can be asked"),
        (("key", "openai", "-"), 2, "The key is empty"),
        (("test", "opnai:x"), 3, "did you mean openai:x?"),
        (("--all", "test"), 2, "stand behind it"),
    ],
)
def test_what_is_wrong_is_said_with_its_status_and_nothing_is_stored(shell, words, status, says):
    before = settings(shell)
    done = shell.run("config", *words, typed="")
    assert (done.status, done.out) == (status, "")
    assert says in done.err
    assert KEY not in done.err
    assert settings(shell) == before
    assert not (shell.workspace / ".env").exists()


def test_a_file_of_a_newer_version_is_left_as_it_is(shell):
    (shell.workspace / "configs" / "ghostos.toml").write_text("version = 9\n")
    done = shell.run("config", "set", "code.timeout_s", "5")
    assert (done.status, settings(shell)) == (3, "version = 9\n")
    assert "has format 9" in done.err


def test_one_value_and_the_whole_list_are_there_for_programs(shell):
    shell.run("config", "set", "code.permissions.read", "/data/a,/data/b")
    shown = {
        name: shell.run("config", "get", name).out
        for name in ("default_model", "code.permissions.read", "budget.cost_per_task", "services.openai.base_url")
    }
    assert shown == {
        "default_model": "openai:gpt-4o\n",
        "code.permissions.read": '["/data/a", "/data/b"]\n',
        "budget.cost_per_task": "\n",
        "services.openai.base_url": "\n",
    }
    assert shell.run("config", "get", "default_model", "--model", "ollama:x").out == "ollama:x\n"
    assert shell.run("config", "get", "models.openai:o1-mini.takes_system_role").out == "false\n"
    assert shell.run("config", "get", "code").status == 2
    assert shell.run("config", "get", "services.gone.base_url").status == 3
    found = json.loads(shell.run("config", "--json").out)
    assert {"name": "code.permissions.read", "value": ["/data/a", "/data/b"], "from": "file"} in found["settings"]
    assert [each["key"] for each in found["services"] if each["name"] == "openai"] == ["environment"]
    assert shell.variables["OPENAI_API_KEY"] not in str(found)


def test_the_password_of_an_address_is_not_shown_when_it_is_set(shell):
    done = shell.run("config", "set", "services.mine.base_url", "http://me:pw-secret@127.0.0.1:9/v1")
    assert done.out == "services.mine.base_url = http://127.0.0.1:9/v1, counts from the next turn on\n"
    assert "pw-secret" not in done.err
    assert "me:pw-secret@" in settings(shell)


def test_a_key_is_tested_and_kept_and_the_next_command_uses_it(bare):
    with ModelServer(["Hello."], models=["gpt-4o"], keys=[KEY]) as server:
        bare.variables["OPENAI_BASE_URL"] = server.base_url
        assert "ghostos config key openai" in bare.run("ask", "foo.py", "hi").err
        done = bare.run("config", "key", "openai", "-", typed=f"{KEY}\n")
        assert done.status == 0, done.err
        asked = bare.run("ask", "foo.py", "hi")
        tested = bare.run("config", "test")
    assert asked.out == "Hello.\n"
    assert tested.out == f"openai at {server.base_url} takes the key.\n"
    env_file = bare.workspace / ".env"
    assert env_file.read_text() == f"OPENAI_API_KEY={KEY}\n"
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    shown = done.out + done.err + tested.out + bare.run("config").out
    assert "OPENAI_API_KEY: set in .env" in shown
    assert not any(part in shown for part in PARTS)
    assert bare.run("config", "key", "openai", "--remove").status == 0
    assert env_file.read_text() == ""


def test_a_key_that_the_service_refuses_is_not_kept(bare):
    with ModelServer(models=["gpt-4o"], keys=["another"]) as server:
        bare.variables["OPENAI_BASE_URL"] = server.base_url
        done = bare.run("config", "key", "openai", "-", "--store-anyway", typed=KEY)
    assert done.status == 1
    assert "401: Incorrect API key provided" in done.err
    assert "Nothing was stored." in done.err
    assert not any(part in done.err for part in PARTS)
    assert not (bare.workspace / ".env").exists()


def test_a_key_that_cannot_be_tested_is_kept_only_where_that_is_wanted(bare):
    with ModelServer(repeat=ErrorReply(status=503, message="busy")) as server:
        bare.variables["OPENAI_BASE_URL"] = server.base_url
        done = bare.run("config", "key", "openai", "-", typed=KEY)
        assert (done.status, (bare.workspace / ".env").exists()) == (1, False)
        assert "503: busy" in done.err
        assert "--store-anyway" in done.err
        done = bare.run("config", "key", "openai", "-", "--store-anyway", typed=KEY)
    assert done.status == 0
    assert KEY in (bare.workspace / ".env").read_text()


def test_a_key_in_the_environment_goes_before_the_one_that_is_kept_and_that_is_said(shell):
    with ModelServer(models=["gpt-4o"], keys=[KEY]) as server:
        shell.variables["OPENAI_BASE_URL"] = server.base_url
        done = shell.run("config", "key", "openai", "-", typed=KEY)
    assert done.status == 0
    assert "is in the environment as well, which goes before it" in done.err


def test_a_key_is_asked_for_without_showing_it(bare):
    with ModelServer(models=["gpt-4o"], keys=[KEY]) as server:
        bare.variables["OPENAI_BASE_URL"] = server.base_url
        screen = Screen(bare, "config", "key", "openai")
        try:
            screen.see("OPENAI_API_KEY for http://127.0.0.1")
            screen.type(f"{KEY}\n")
            assert screen.wait() == 0
            assert "is kept in" in screen.text.replace("\n", "")
            assert not any(part in screen.text for part in PARTS)
        finally:
            screen.end()
    assert KEY in (bare.workspace / ".env").read_text()


def test_an_untested_key_can_be_kept_at_a_question(bare):
    bare.variables["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    screen = Screen(bare, "config", "key", "openai")
    try:
        screen.see("OPENAI_API_KEY for")
        screen.type(f"{KEY}\n")
        screen.see("Store it all the same?")
        screen.type("y\n")
        assert screen.wait() == 0
    finally:
        screen.end()
    assert KEY in (bare.workspace / ".env").read_text()


def test_another_services_key_says_how_it_is_used(bare):
    with ModelServer(models=["deepseek-chat"], keys=[KEY]) as server:
        bare.variables["DEEPSEEK_BASE_URL"] = server.base_url
        done = bare.run("config", "key", "deepseek", "-", typed=KEY)
    assert "ghostos config set default_model deepseek:MODEL" in done.err
    assert "Its models: deepseek-chat" in done.err


def test_the_doctor_says_how_a_key_is_kept(bare):
    assert "ghostos config key openai" in bare.run("doctor").out


def test_a_service_is_removed_with_its_key_and_a_key_that_was_left_over_can_be_forgotten(bare):
    env = bare.workspace / ".env"
    bare.run("config", "set", "services.mine.base_url", "http://127.0.0.1:9/v1")
    bare.run("config", "set", "services.mine.api_key_env", "MINE_API_KEY")
    env.write_text("MINE_API_KEY=a\nOLD_API_KEY=b\n")
    done = bare.run("config", "unset", "services.mine")
    assert (done.status, "MINE_API_KEY is not in" in done.out) == (0, True)
    assert bare.run("config", "key", "old", "--remove").status == 0
    assert env.read_text() == ""
