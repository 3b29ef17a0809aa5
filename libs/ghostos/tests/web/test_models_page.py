"""The page of models and keys, run by Streamlit's stand-in for a browser over a real Matrix and a model server."""

import gc
import stat
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Workspace
from ghostos.ghosts.target import load_target
from ghostos.testing import ErrorReply, ModelServer
from ghostos.web.app import WebApp
from ghostos.web.running import running

KEY = "zq81-made-up-of-the-page-77"

OpenApp = Callable[..., WebApp]


@pytest.fixture
def folder(workspace: Path) -> Workspace:
    """A workspace with a file of settings that has a comment."""
    found = Workspace(workspace)
    found.config_file.parent.mkdir(parents=True)
    found.config_file.write_text("# mine\nversion = 1\n[turn]\nmodel_retries = 0\n")
    return found


@pytest.fixture
def open_app(folder: Workspace, chatbot_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenApp]:
    """Open a target as `ghostos web` does; keys and addresses are those that are given."""
    for name in ("OPENAI_API_KEY", "DEEPSEEK_API_KEY", "MOONSHOT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:

        def open_one(*, target: Path = chatbot_file, model: str | None = None, **variables: str) -> WebApp:
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            loaded = load_target(str(target))
            container = make_app_container(folder.root, model=model)
            stack.callback(container.shutdown)
            matrix = stack.enter_context(get_ghostos(container).create_matrix("test", providers=loaded.providers))
            app = WebApp.over(matrix, target=loaded)
            stack.enter_context(running(app))
            return app

        yield open_one


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(repeat="Hello.", models=["gpt-4o", "gpt-5"], keys=[KEY]) as opened:
        yield opened


def draw() -> None:
    """The script of a page."""
    import streamlit as st

    from ghostos.web.pages.models import draw_models_page

    def show_chat() -> None:
        st.session_state["went"] = "chat"

    draw_models_page(on_chat=show_chat)


def open_page() -> AppTest:
    return checked(AppTest.from_function(draw, default_timeout=30).run())


def checked(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def text(page: AppTest) -> str:
    """All that the page says, without what escapes its markup."""
    parts = [*page.markdown, *page.success, *page.error, *page.warning, *page.caption]
    return "\n".join(part.value for part in parts).replace("\\", "")


def click(page: AppTest, key: str) -> AppTest:
    return checked(page.button(key=key).click().run())


def type_key(page: AppTest, key: str, *, place: str = "first-openai", count: int = 0) -> AppTest:
    page.text_input(key=f"key-{place}-field-{count}").set_value(key)
    return click(page, f"key-{place}-submit")


def assert_hidden(page: AppTest, key: str = KEY) -> None:
    """No part of the key is anywhere on the page or in what the session keeps, nor in anything that this leads to."""
    held = list_held_texts(page)
    for part in (key, key[:8], key[-8:]):
        assert part not in text(page)
        assert not [each for each in held if part in each]
    assert not any(field.value for field in page.text_input if field.key and "key-" in field.key)


def list_held_texts(page: AppTest) -> list[str]:
    """All texts that can be come by from what the session keeps."""
    seen: dict[int, object] = {}
    waiting: list[object] = [page.session_state._state.filtered_state]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, types.ModuleType | type | types.FunctionType):
            continue
        seen[id(each)] = each
        waiting += gc.get_referents(each)
    return [
        each.decode("latin-1") if isinstance(each, bytes) else each
        for each in seen.values()
        if isinstance(each, str | bytes)
    ]


def test_without_a_key_the_page_asks_for_one_tests_and_stores_it_and_the_agent_answers(
    open_app: OpenApp, folder: Workspace, server: ModelServer
) -> None:
    app = open_app(OPENAI_BASE_URL=server.base_url)
    assert app.describe_model().missing_key is not None
    page = open_page()
    assert "openai:gpt-4o needs a key" in text(page)
    assert len(page.text_input) == 1
    type_key(page, KEY)
    assert "takes the key" in text(page)
    assert f"OPENAI_API_KEY is kept in {folder.env_file}" in text(page)
    assert_hidden(page)
    assert folder.env_file.read_text() == f"OPENAI_API_KEY={KEY}\n"
    assert stat.S_IMODE(folder.env_file.stat().st_mode) == 0o600
    assert app.describe_model().missing_key is None
    click(page, "models-chat")
    assert page.session_state["went"] == "chat"
    list(app.open_conversation(None).talk("Hi.")[1].recv())
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_that_the_service_refuses_is_not_stored_and_its_words_are_shown(
    open_app: OpenApp, folder: Workspace, server: ModelServer
) -> None:
    open_app(OPENAI_BASE_URL=server.base_url)
    page = type_key(open_page(), "abcd-wrong-key-of-mine")
    assert "401: Incorrect API key provided" in text(page)
    assert "Nothing was stored." in text(page)
    assert "mine" not in text(page)
    assert_hidden(page, "abcd-wrong-key-of-mine")
    assert not folder.env_file.exists()
    type_key(page, KEY, count=1)
    assert folder.env_file.read_text() == f"OPENAI_API_KEY={KEY}\n"
    assert_hidden(page)


@pytest.mark.parametrize("choice", ["anyway", "discard"])
def test_a_key_that_cannot_be_tested_is_stored_only_where_the_user_says_so(
    open_app: OpenApp, folder: Workspace, choice: str
) -> None:
    with ModelServer(repeat=ErrorReply(status=503, message="busy")) as server:
        open_app(OPENAI_BASE_URL=server.base_url)
        page = type_key(open_page(), KEY)
    assert "503: busy" in text(page)
    assert "could not be tested" in text(page)
    assert not folder.env_file.exists()
    click(page, f"key-first-openai-{choice}")
    assert folder.env_file.exists() is (choice == "anyway")
    assert_hidden(page)


def test_a_key_that_cannot_be_tested_is_dropped_once_the_page_does_not_ask_about_it(
    open_app: OpenApp, folder: Workspace
) -> None:
    with ModelServer(repeat=ErrorReply(status=503, message="busy")) as server:
        open_app(OPENAI_BASE_URL=server.base_url)
        page = AppTest.from_function(draw_any_page, default_timeout=30)
        page.session_state["page"] = "models"
        type_key(checked(page.run()), KEY)
    checked(page.run())
    assert KEY in list_held_texts(page), "it is still asked about"
    page.session_state["page"] = "about"
    checked(page.run())
    assert_hidden(page)
    page.session_state["page"] = "models"
    checked(page.run())
    assert not [each for each in page.button if str(each.key).endswith("-anyway")]
    assert "could not be tested" not in text(page)


def draw_any_page() -> None:
    import streamlit as st

    from ghostos.web.pages.about import draw_about_page
    from ghostos.web.pages.key_entry import dropping_unasked_keys
    from ghostos.web.pages.models import draw_models_page

    with dropping_unasked_keys():
        draw_models_page() if st.session_state["page"] == "models" else draw_about_page()


def test_a_key_that_was_not_copied_whole_is_refused_without_asking(open_app: OpenApp, folder: Workspace) -> None:
    open_app()
    page = type_key(open_page(), "zq81 made-up")
    assert "was not copied whole" in text(page)
    assert not folder.env_file.exists()


def test_a_key_that_cannot_be_written_is_said(open_app: OpenApp, folder: Workspace, server: ModelServer) -> None:
    folder.env_file.mkdir()
    open_app(OPENAI_BASE_URL=server.base_url)
    page = type_key(open_page(), KEY)
    assert "it is no file" in text(page)
    assert_hidden(page)


def test_another_service_can_be_chosen_and_a_model_of_it(open_app: OpenApp, folder: Workspace) -> None:
    with ModelServer(models=["deepseek-chat", "deepseek-next"], keys=[KEY]) as server:
        app = open_app(DEEPSEEK_BASE_URL=server.base_url)
        page = open_page()
        checked(page.selectbox(key="models-first-service").set_value("deepseek").run())
        type_key(page, KEY, place="first-deepseek")
        assert page.selectbox(key="models-first-model-deepseek").options == ["deepseek-chat", "deepseek-next"]
        page.selectbox(key="models-first-model-deepseek").set_value("deepseek-next")
        click(page, "models-first-use")
    assert 'default_model = "deepseek:deepseek-next"' in folder.config_file.read_text()
    assert app.describe_model().label == "deepseek:deepseek-next"


def test_where_the_command_names_the_model_its_service_alone_is_asked_for(open_app: OpenApp) -> None:
    open_app(model="deepseek:deepseek-chat")
    page = open_page()
    assert "deepseek:deepseek-chat needs a key" in text(page)
    assert [each.key for each in page.selectbox] == []


def test_the_state_of_each_services_key_is_shown(open_app: OpenApp) -> None:
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    labels = [each.label for each in page.expander]
    for words in ("**openai** · :green[key in the environment]", "**deepseek** · :orange[no key]", "needs no key"):
        assert any(words in label for label in labels)
    assert_hidden(page)


def test_a_stored_key_can_be_tested_and_forgotten(open_app: OpenApp, folder: Workspace, server: ModelServer) -> None:
    folder.env_file.write_text(f"A=1\nOPENAI_API_KEY={KEY}\n")
    open_app(OPENAI_BASE_URL=server.base_url)
    page = click(open_page(), "key-services-openai-test")
    assert "takes the key" in text(page)
    click(page, "key-services-openai-remove")
    assert folder.env_file.read_text() == "A=1\n"
    assert "openai:gpt-4o needs a key" in text(page)


def test_the_default_model_is_chosen_from_what_a_service_has_or_typed(
    open_app: OpenApp, folder: Workspace, server: ModelServer
) -> None:
    app = open_app(OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY=KEY)
    page = click(open_page(), "key-services-openai-test")
    chosen = page.selectbox(key="models-default-openai:gpt-4o")
    assert chosen.options == ["openai:gpt-4o", "openai:gpt-5"]
    chosen.set_value("openai:gpt-5")
    click(page, "models-default-store")
    assert app.describe_model().label == "openai:gpt-5"
    assert folder.config_file.read_text().startswith('# mine\nversion = 1\ndefault_model = "openai:gpt-5"\n')


def field(page: AppTest, name: str, kind: str = "number_input"):
    """The field of a setting, whatever the file says of it."""
    (found,) = [each for each in getattr(page, kind) if str(each.key).startswith(f"setting-{name}=")]
    return found


def test_settings_are_changed_and_taken_out_and_all_else_stays(open_app: OpenApp, folder: Workspace) -> None:
    before = folder.config_file.read_text()
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    assert field(page, "code.timeout_s").value is None
    assert field(page, "turn.model_retries").value == 0
    field(page, "code.timeout_s").set_value(7.5)
    field(page, "code.sandbox", "selectbox").set_value("off")
    click(page, "settings-code-store")
    assert "Stored: `code.timeout_s`, `code.sandbox`" in text(page)
    assert folder.config_file.read_text() == f'{before}\n[code]\ntimeout_s = 7.5\nsandbox = "off"\n'.replace(
        'timeout_s = 7.5\nsandbox = "off"\n', 'sandbox = "off"\ntimeout_s = 7.5\n'
    )
    field(page, "turn.model_retries").set_value(None)
    click(page, "settings-turn-store")
    assert "model_retries" not in folder.config_file.read_text()


def test_lists_and_hosts_are_written_with_commas(open_app: OpenApp, folder: Workspace) -> None:
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    field(page, "code.permissions.net", "text_input").set_value("a.com, b.org")
    click(page, "settings-code-permissions-store")
    assert 'net = ["a.com", "b.org"]' in folder.config_file.read_text()
    field(page, "code.permissions.net", "text_input").set_value("true")
    click(page, "settings-code-permissions-store")
    assert "net = true" in folder.config_file.read_text()


def test_prices_and_windows_are_set_for_a_model(open_app: OpenApp, folder: Workspace) -> None:
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    field(page, "models.openai:gpt-4o.input_price").set_value(2.5)
    field(page, "models.openai:gpt-4o.sees_images", "selectbox").set_value("yes")
    click(page, "settings-model-openai:gpt-4o-store")
    assert '[models."openai:gpt-4o"]\nsees_images = true\ninput_price = 2.5\n' in folder.config_file.read_text()


def test_what_a_setting_cannot_be_is_said_in_place_and_nothing_is_stored(open_app: OpenApp, folder: Workspace) -> None:
    before = folder.config_file.read_text()
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    field(page, "code.timeout_s").set_value(0.0)
    click(page, "settings-code-store")
    assert "code.timeout_s cannot be 0: it should be greater than 0" in text(page)
    assert folder.config_file.read_text() == before


def test_what_counts_only_from_the_next_start_says_so_and_what_goes_before_the_file_too(
    open_app: OpenApp, folder: Workspace
) -> None:
    open_app(OPENAI_API_KEY=KEY, model="openai:gpt-5")
    page = open_page()
    assert text(page).count("counts when GhostOS is started again") == 12
    assert "the flag goes before the file: openai:gpt-5" in text(page)
    assert "| default_model | openai:gpt-5 | flag |" in text(page)
    assert "| turn.model_retries | 0 | file |" in text(page)


def test_what_somebody_else_stored_meanwhile_is_not_overwritten(open_app: OpenApp, folder: Workspace) -> None:
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    folder.config_file.write_text("version = 1\n[code]\ntimeout_s = 33\n")
    field(page, "code.sandbox", "selectbox").set_value("off")
    click(page, "settings-code-store")
    assert folder.config_file.read_text() == 'version = 1\n[code]\nsandbox = "off"\ntimeout_s = 33\n'
    assert field(page, "code.timeout_s").value == 33


def test_a_file_that_cannot_be_read_is_said_and_nothing_else_is_drawn(open_app: OpenApp, folder: Workspace) -> None:
    open_app(OPENAI_API_KEY=KEY)
    folder.config_file.write_text("version = 1\n[code\n")
    page = open_page()
    assert str(folder.config_file) in text(page)
    assert "cannot be read" in text(page)
    assert not page.button


def test_a_service_of_ones_own_is_added_and_gets_its_key(open_app: OpenApp, folder: Workspace) -> None:
    open_app(OPENAI_API_KEY=KEY)
    with ModelServer(models=["m"], keys=[KEY]) as server:
        page = open_page()
        page.text_input(key="service-new-name").set_value("mine")
        page.text_input(key="service-new-address").set_value("localhost:8000")
        page.checkbox(key="service-new-needs-key").check()
        click(page, "service-new-add")
        assert "does not start with http" in text(page)
        page.text_input(key="service-new-address").set_value(server.base_url)
        click(page, "service-new-add")
        type_key(page, KEY, place="services-mine")
    assert folder.env_file.read_text() == f"MINE_API_KEY={KEY}\n"
    assert_hidden(page)


def test_a_name_that_a_service_has_is_not_given_to_another(open_app: OpenApp, folder: Workspace) -> None:
    before = folder.config_file.read_text()
    folder.config_file.write_text(f'{before}\n[services.mine]\nbase_url = "http://localhost/v1"\nneeds_key = false\n')
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    for name in ("openai", " mine "):
        before = folder.config_file.read_text()
        page.text_input(key="service-new-name").set_value(name)
        page.text_input(key="service-new-address").set_value("https://elsewhere.example/v1")
        click(page, "service-new-add")
        assert f"There is a service '{name.strip()}' already." in text(page)
        assert "Change it under Settings of this service." in text(page)
        assert folder.config_file.read_text() == before


@pytest.mark.parametrize(
    ("address", "warns"),
    [
        ("http://192.0.2.7/v1", True),
        ("https://192.0.2.7/v1", False),
        ("http://127.0.0.1:9/v1", False),
        ("http://localhost:9/v1", False),
    ],
)
def test_a_service_elsewhere_without_encryption_is_warned_of(open_app: OpenApp, *, address: str, warns: bool) -> None:
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    page.text_input(key="service-new-name").set_value("mine")
    page.text_input(key="service-new-address").set_value(address)
    click(page, "service-new-add")
    (label,) = [each.label for each in page.expander if "mine" in each.label]
    assert ("not encrypted" in label) is warns
    assert ("What is sent there is not encrypted" in text(page)) is warns


def test_the_settings_of_a_service_are_changed_and_one_of_ones_own_is_removed(
    open_app: OpenApp, folder: Workspace
) -> None:
    before = folder.config_file.read_text()
    folder.config_file.write_text(f'{before}\n[services.mine]\nbase_url = "http://h/v1"\nneeds_key = false\n')
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    checked(page.toggle(key="service-mine-settings").set_value(True).run())
    field(page, "services.mine.timeout_s").set_value(30.0)
    click(page, "settings-service-mine-store")
    assert "timeout_s = 30.0\n" in folder.config_file.read_text()
    click(page, "service-mine-remove")
    assert "mine" not in folder.config_file.read_text().removeprefix("# mine")


def test_a_variable_that_the_environment_empties_is_said_when_a_key_is_stored(
    open_app: OpenApp, server: ModelServer
) -> None:
    open_app(OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="")
    page = type_key(open_page(), KEY)
    assert "is in the environment as well, which goes before it" in text(page)


def test_what_services_and_files_say_is_no_markup(open_app: OpenApp, folder: Workspace) -> None:
    folder.config_file.write_text('version = 1\n[services."**b** <i>"]\nbase_url = "http://h/v1"\nneeds_key = false\n')
    open_app(OPENAI_API_KEY=KEY)
    page = open_page()
    assert any(r"\*\*b\*\* \<i\>" in each.label for each in page.expander)
    assert not any("<i>" in each.value.replace(r"\<i\>", "") for each in page.markdown)
