import pytest

from ghostos_moss._redact import redact


@pytest.mark.parametrize(
    "key",
    [
        "sk-abcdefghijkl",
        "sk-proj-abc_DEF-1234567",
        "sk-ant-api03-abcdefgh",
        "sk_live_abcdefghijkl",
        "rk_test_abcdefghijkl",
        "ghp_abcdefghijkl",
        "gho_abcdefghijkl",
        "github_pat_abcdefghijkl",
        "xoxb-1234567890-ab",
        "AKIAABCDEFGHIJKL",
        "AIzaSyA-abcdefghij",
    ],
)
def test_a_key_is_taken_out(key):
    assert redact(f"Incorrect API key: {key}.") == "Incorrect API key: (a key)."


@pytest.mark.parametrize(
    "name",
    [
        "ghostos_container",
        "skip_first_lines",
        "sketch_of_everything",
        "sk_learn_models_of",
        "pkg_resources_path",
        "task-skeletons",
    ],
)
def test_a_name_that_begins_like_a_key_stays(name):
    assert redact(f"name '{name}' is not defined") == f"name '{name}' is not defined"
