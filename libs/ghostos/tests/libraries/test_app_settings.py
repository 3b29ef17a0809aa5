import pytest

from ghostos.config import Workspace
from ghostos.errors import ConfigError, NewerFormatError
from ghostos.libraries.app_settings import load_app_settings
from ghostos.libraries.workspaces import init_workspace


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    init_workspace(tmp_path / "w")
    return Workspace(tmp_path / "w")


def test_a_workspace_that_does_not_exist_has_the_defaults(tmp_path):
    app = load_app_settings(Workspace(tmp_path / "none"), environment={})
    assert app.settings.default_model == "openai:gpt-4o"
    assert not (tmp_path / "none").exists()


def test_the_files_that_init_makes_can_be_read(place):
    assert load_app_settings(place, environment={}).settings.version == 1


def test_the_environment_goes_before_the_workspace_keys(place):
    place.env_file.write_text("OPENAI_API_KEY=file\nMOONSHOT_API_KEY=moon$HOME\n")
    app = load_app_settings(place, environment={"OPENAI_API_KEY": "of-the-shell"})
    key = app.find_variable("OPENAI_API_KEY")
    assert key is not None
    assert key.get_secret_value() == "of-the-shell"
    moon = app.find_variable("MOONSHOT_API_KEY")
    assert moon is not None
    assert moon.get_secret_value() == "moon$HOME"
    assert app.find_variable("NO_SUCH") is None
    assert "of-the-shell" not in repr(app)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("version = 1\n[code]\ntimeout_s = -1\n", ConfigError, "code.timeout_s"),
        ("verssion = 1\n", ConfigError, r"there is no setting verssion\. Did you mean version\?"),
        ("[turn]\nmodel_retrys = 1\n", ConfigError, r"turn\.model_retrys\. Did you mean model_retries\?"),
        ("[services.mine]\nbase_ur = 'x'\n", ConfigError, r"Did you mean base_url\?"),
        ("colour = 1\n", ConfigError, r"there is no setting colour\.\n"),
        ("[models.'a:b']\ncode_format = 'tool'\n", ConfigError, "code_format: Input should be 'tags' or 'fence'"),
        ("[code]\ntimeout_s = inf\n", ConfigError, "code.timeout_s"),
        ("[code]\ntimeout_s = 1e300\n", ConfigError, "code.timeout_s: Input should be less than or equal to 86400"),
        ("[budget]\ncost_per_task = nan\n", ConfigError, "cost_per_task: Input should be a finite number"),
        ("[code.limits]\nmemory_mb = 9000000000000\n", ConfigError, "memory_mb"),
        ("[turn]\nmodel_retries = 1000000\n", ConfigError, "model_retries"),
        ("not toml", ConfigError, "cannot be read"),
        ("version = 2\n", NewerFormatError, "format 2"),
    ],
)
def test_bad_settings_are_named(place, text, error, message):
    place.config_file.write_text(text)
    with pytest.raises(error, match=message):
        load_app_settings(place, environment={})


def test_a_setting_of_a_known_service_leaves_the_rest_of_it(place):
    place.config_file.write_text("version = 1\n[services.openai]\nmax_retries = 0\n")
    service = load_app_settings(place, environment={}).settings.find_service("openai")
    assert service is not None
    assert (service.max_retries, service.api_key_env) == (0, "OPENAI_API_KEY")


def test_a_bad_line_of_the_keys_is_named_with_its_number_and_without_its_text(place, caplog):
    place.env_file.write_text("# keys\n\nOPENAI_API_KEY=a\n\nsk secret with blanks\nB=1\n")
    with pytest.raises(ConfigError, match=r"\.env, line 5: this is no NAME=value") as caught:
        load_app_settings(place, environment={})
    assert "secret" not in str(caught.value)
    assert not caplog.records
