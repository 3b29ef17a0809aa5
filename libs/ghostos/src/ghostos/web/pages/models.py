"""The page of models and keys: which service answers, its key, which model, and the workspace's settings."""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from ghostos.drivers.models.service_lookup import REHEARSAL
from ghostos.errors import GhostOSError, ModelKeyMissingError
from ghostos.libraries.configuring import Configuration
from ghostos.libraries.in_force import InForce, ServiceState
from ghostos.libraries.live_settings import LiveSettings
from ghostos.web.app import WebApp
from ghostos.web.markdown import plain, soften
from ghostos.web.page_parts import draw_error, titled
from ghostos.web.pages.first_key import draw_first_key, draw_way_on
from ghostos.web.pages.key_entry import list_models_seen
from ghostos.web.pages.services import draw_services
from ghostos.web.pages.setting_form import change_settings, draw_setting_form, render_value
from ghostos.web.running import get_app

__all__ = ["draw_models_page"]

_GROUPS: Final = (
    ("Code", ("code",), "What models write."),
    ("Permissions", ("code", "permissions"), "What confined code may touch where neither command nor module says it."),
    ("Limits of code", ("code", "limits"), "How much confined code may use."),
    ("Turns", ("turn",), "What a turn does when its model's service fails."),
    ("Budget", ("budget",), "What one task may use up before it waits for you."),
    ("Database", ("store",), ""),
    ("Files", ("assets",), "Files that agents and you hand to each other."),
)


def draw_models_page(*, on_chat: Callable[[], None] | None = None) -> None:
    """Draw what is configured, with forms to change it. Where the chosen model has no key, that comes first.

    Args:
        on_chat: Shows the chat; called while the page is drawn, it need not return. None: no way there is offered.
    """
    app = get_app()
    configuration = Configuration(app.matrix.container.force_fetch(LiveSettings))
    with titled("Models and keys"):
        try:
            services = configuration.list_services()
            settings = configuration.list_in_force()
        except GhostOSError as exc:
            draw_error(st.container(), exc)
            return
        missing = _draw_answering(app)
        if missing is None:
            draw_way_on(configuration, services, on_chat=on_chat)
        else:
            draw_first_key(configuration, missing, services=services, is_free=_is_free(app, configuration))
            if not st.toggle("Show all services and settings", key="models-all"):
                return
        draw_services(configuration, services, settings=settings)
        _draw_models(configuration, settings, services=services)
        _draw_settings(configuration, settings)
        _draw_in_force(settings)


def _draw_answering(app: WebApp) -> ModelKeyMissingError | None:
    """Say who answers; return what is missing, where nobody does."""
    try:
        model = app.describe_model()
    except GhostOSError as exc:
        draw_error(st.container(), exc)
        return None
    if model.missing_key is None:
        st.markdown(f"{plain(app.title)} is answered by **{plain(model.who)}**.")
    return model.missing_key


def _is_free(app: WebApp, configuration: Configuration) -> bool:
    """Whether the workspace's default model decides who answers: neither the agent nor the command names one."""
    return app.target.ghost.model is None and configuration.read().model is None


def _draw_models(
    configuration: Configuration, settings: Sequence[InForce], *, services: Sequence[ServiceState]
) -> None:
    st.markdown("#### Models", anchors=False)
    default = next(each for each in settings if each.setting.name == "default_model")
    named = [each.setting.path[1] for each in settings if each.setting.path[0] == "models"]
    seen = [f"{each.name}:{model}" for each in services for model in list_models_seen(each.name)]
    now = str(default.in_file or default.setting.default)
    options = list(dict.fromkeys([now, *named, *seen]))
    form = st.form("models-default", border=False)
    chosen = form.selectbox(
        "Default model",
        options,
        key=f"models-default-{now}",
        accept_new_options=True,
        help="`provider:model` of agents that name none. Test a service to see its models here, or type one.",
    )
    if default.origin == "flag":
        form.markdown(soften(f"the flag goes before the file: {plain(render_value(default.value))}"))
    if (
        form.form_submit_button("Store", key="models-default-store", icon=":material/save:")
        and chosen
        and chosen != now
    ):
        change_settings(st.container(), {("default_model",): chosen}, configuration=configuration)
    with st.expander("Settings of a model", key="model-settings"):
        models = [each for each in options if each != REHEARSAL]
        model = st.selectbox("Model", models, key="model-settings-name", accept_new_options=True)
        if model:
            draw_setting_form(
                st.container(), configuration.list_model(model), configuration=configuration, name=f"model-{model}"
            )


def _draw_settings(configuration: Configuration, settings: Sequence[InForce]) -> None:
    st.markdown("#### Settings", anchors=False)
    st.markdown(
        soften("They count from the next turn on, unless the field says something else. An empty field is not set.")
    )
    for title, path, description in _GROUPS:
        with st.expander(title, key=f"group-{'-'.join(path)}"):
            if description:
                st.markdown(soften(description))
            own = [each for each in settings if each.setting.path[:-1] == path]
            draw_setting_form(st.container(), own, configuration=configuration, name="-".join(path))


def _draw_in_force(settings: Sequence[InForce]) -> None:
    """What counts, and who says so, as `ghostos config --all` prints it."""
    with st.expander("All that is in force", key="in-force"):
        rows = [
            f"| {plain(each.setting.name)} | {plain(render_value(each.value))} | {each.origin} |" for each in settings
        ]
        st.markdown("\n".join(["| setting | value | from |", "|---|---|---|", *rows]))
