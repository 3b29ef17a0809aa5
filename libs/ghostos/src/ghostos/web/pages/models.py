"""The page of models and keys: which service answers, its key, which model, and the workspace's settings."""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.config import default_services
from ghostos.drivers.models.service_lookup import REHEARSAL
from ghostos.errors import GhostOSError, ModelKeyMissingError
from ghostos.libraries.configuring import Configuration, propose_variable
from ghostos.libraries.in_force import InForce, ServiceState
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.settings_text import SettingValue
from ghostos.web.app import WebApp
from ghostos.web.markdown import code, plain
from ghostos.web.page_parts import Trouble, draw_error
from ghostos.web.pages.key_entry import KeyEntry, list_models_seen
from ghostos.web.pages.setting_form import draw_setting_form, render_value
from ghostos.web.running import get_app

__all__ = ["draw_models_page"]

_WIDTH: Final = 880
_FIRST: Final = "first"
_GROUPS: Final = (
    ("Code", ("code",), "What models write."),
    ("Permissions", ("code", "permissions"), "What confined code may touch where neither command nor module says it."),
    ("Limits of code", ("code", "limits"), "How much confined code may use."),
    ("Turns", ("turn",), "What a turn does when its model's service fails."),
    ("Budget", ("budget",), "What one task may use up before it waits for you."),
    ("Database", ("store",), ""),
    ("Files", ("assets",), "Files that agents and you hand to each other."),
)
_KEY_WORDS: Final = {
    "environment": ":green[key in the environment]",
    ".env": ":green[key in .env]",
    "missing": ":orange[no key]",
    "not needed": ":gray[needs no key]",
}


def draw_models_page(*, on_chat: Callable[[], None] | None = None) -> None:
    """Draw what is configured, with forms to change it. Where the chosen model has no key, that comes first.

    Args:
        on_chat: Shows the chat; called while the page is drawn, it need not return. None: no way there is offered.
    """
    app = get_app()
    configuration = Configuration(app.matrix.container.force_fetch(LiveSettings))
    with st.container(width=_WIDTH):
        st.markdown("### Models and keys", anchors=False)
        try:
            services = configuration.list_services()
            settings = configuration.list_in_force()
        except GhostOSError as exc:
            draw_error(st.container(), exc)
            return
        missing = _draw_answering(app)
        if missing is None:
            _draw_way_on(configuration, services, on_chat=on_chat)
        else:
            _draw_first_key(configuration, missing, services=services, is_free=_is_free(app, configuration))
            if not st.toggle("Show all services and settings", key="models-all"):
                return
        _draw_services(configuration, services, settings=settings)
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
        who = "a rehearsal: recorded replies, no model" if model.is_rehearsal else model.label
        st.markdown(f"{plain(app.title)} is answered by **{plain(who)}**.")
    return model.missing_key


def _is_free(app: WebApp, configuration: Configuration) -> bool:
    """Whether the workspace's default model decides who answers: neither the agent nor the command names one."""
    return app.target.ghost.model is None and configuration.read().model is None


def _draw_way_on(
    configuration: Configuration, services: Sequence[ServiceState], *, on_chat: Callable[[], None] | None
) -> None:
    """Where a key was missing before, say that all is there now, and show the way to the chat."""
    if not st.session_state.get(_FIRST):
        return
    box = st.container(border=True)
    box.markdown("**All is set.**")
    for state in services:
        KeyEntry(configuration, state, place=_FIRST).draw_result(box)
    if on_chat is not None and box.button("Go to the chat", key="models-chat", type="primary", icon=":material/chat:"):
        del st.session_state[_FIRST]
        on_chat()


def _draw_first_key(
    configuration: Configuration, missing: ModelKeyMissingError, *, services: Sequence[ServiceState], is_free: bool
) -> None:
    """Ask for the key without which nobody answers."""
    st.session_state[_FIRST] = True
    box = st.container(border=True)
    box.markdown(f":material/key_off: **{plain(missing.model)} needs a key** before anybody can answer.")
    own = missing.model.partition(":")[0]
    with_key = [each for each in services if each.takes_key and not each.fault and (is_free or each.name == own)]
    names = [each.name for each in with_key]
    chosen = own
    if len(names) > 1:
        chosen = box.selectbox(
            "Service", names, index=names.index(own) if own in names else 0, key="models-first-service"
        )
    state = next((each for each in with_key if each.name == chosen), None)
    if state is None:
        box.markdown("Its service cannot be used as it is configured: see below.")
        return
    box.caption(code(state.address))
    if state.key == "missing":
        KeyEntry(configuration, state, place=_FIRST, model=_model_of(missing.model, service=own, chosen=chosen)).draw(
            box
        )
    elif chosen != own:
        _draw_model_choice(box, configuration, service=chosen)


def _draw_model_choice(place: DeltaGenerator, configuration: Configuration, *, service: str) -> None:
    """Ask which model of a service that has its key shall answer."""
    place.markdown(f":material/verified: {plain(service)} has its key. Which of its models shall answer?")
    form = place.form("models-first-model", border=False)
    model = form.selectbox(
        "Model", list_models_seen(service), key=f"models-first-model-{service}", accept_new_options=True
    )
    if form.form_submit_button("Use this model", type="primary", key="models-first-use") and model:
        _change(place, configuration, {("default_model",): f"{service}:{model}"})


def _draw_services(
    configuration: Configuration, services: Sequence[ServiceState], *, settings: Sequence[InForce]
) -> None:
    st.markdown("#### Services", anchors=False)
    for state in services:
        with st.expander(f"**{plain(state.name)}** · {_KEY_WORDS[state.key]}", key=f"service-{state.name}"):
            place = st.container()
            _draw_service(place, configuration, state)
            if place.toggle("Settings of this service", key=f"service-{state.name}-settings"):
                own = [each for each in settings if each.setting.path[:2] == ("services", state.name)]
                draw_setting_form(place, own, configuration=configuration, name=f"service-{state.name}")
    with st.expander(":material/add: Add a service", key="service-new"):
        _draw_new_service(st.container(), configuration)


def _draw_service(place: DeltaGenerator, configuration: Configuration, state: ServiceState) -> None:
    if state.fault:
        place.warning(plain(state.fault))
    if state.address:
        place.caption(code(state.address))
    entry = KeyEntry(configuration, state, place="services")
    if state.takes_key and state.key == "environment":
        place.markdown(
            f"Its key comes from the environment ({code(state.settings.api_key_env)}), which goes before the file."
        )
        entry.draw_result(place)
    elif state.takes_key:
        entry.draw(place)
    else:
        entry.draw_result(place)
    row = place.container(horizontal=True, gap="small")
    if state.key != "missing" and not state.fault:
        entry.draw_test(row)
    if state.key == ".env":
        entry.draw_removal(row)
    if state.name not in default_services() and row.button(
        "Remove the service", key=f"service-{state.name}-remove", icon=":material/delete_forever:"
    ):
        _change(place, configuration, {("services", state.name): None})


def _draw_new_service(place: DeltaGenerator, configuration: Configuration) -> None:
    """Ask for what a service that speaks the OpenAI protocol is known by."""
    form = place.form("service-new-form", border=False, clear_on_submit=False)
    name = form.text_input(
        "Name", key="service-new-name", placeholder="mine", help="What stands before the colon: mine:MODEL"
    )
    address = form.text_input("Address", key="service-new-address", placeholder="http://127.0.0.1:8000/v1")
    needs_key = form.checkbox("It needs a key", key="service-new-needs-key")
    if not form.form_submit_button("Add it", key="service-new-add"):
        return
    if not name.strip() or not address.strip():
        draw_error(place, Trouble(happened="A service needs a name and an address.", advice="Fill in both."))
        return
    changes: dict[tuple[str, ...], SettingValue | None] = {
        ("services", name.strip(), "base_url"): address.strip(),
        ("services", name.strip(), "needs_key"): needs_key,
    }
    if needs_key:
        changes["services", name.strip(), "api_key_env"] = propose_variable(name.strip())
    _change(place, configuration, changes)


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
        form.caption(f"the flag goes before the file: {plain(render_value(default.value))}")
    if (
        form.form_submit_button("Store", key="models-default-store", icon=":material/save:")
        and chosen
        and chosen != now
    ):
        _change(st.container(), configuration, {("default_model",): chosen})
    with st.expander("Settings of a model", key="model-settings"):
        models = [each for each in options if each != REHEARSAL]
        model = st.selectbox("Model", models, key="model-settings-name", accept_new_options=True)
        if model:
            draw_setting_form(
                st.container(), configuration.list_model(model), configuration=configuration, name=f"model-{model}"
            )


def _draw_settings(configuration: Configuration, settings: Sequence[InForce]) -> None:
    st.markdown("#### Settings", anchors=False)
    st.caption("They count from the next turn on, unless the field says something else. An empty field is not set.")
    for title, path, description in _GROUPS:
        with st.expander(title, key=f"group-{'-'.join(path)}"):
            if description:
                st.caption(description)
            own = [each for each in settings if each.setting.path[:-1] == path]
            draw_setting_form(st.container(), own, configuration=configuration, name="-".join(path))


def _draw_in_force(settings: Sequence[InForce]) -> None:
    """What counts, and who says so, as `ghostos config --all` prints it."""
    with st.expander("All that is in force", key="in-force"):
        rows = [
            f"| {plain(each.setting.name)} | {plain(render_value(each.value))} | {each.origin} |" for each in settings
        ]
        st.markdown("\n".join(["| setting | value | from |", "|---|---|---|", *rows]))


def _change(
    place: DeltaGenerator, configuration: Configuration, changes: dict[tuple[str, ...], SettingValue | None]
) -> None:
    """Store settings and draw the page anew, or say what is wrong."""
    try:
        configuration.change(changes)
    except GhostOSError as exc:
        draw_error(place, exc)
    else:
        st.rerun()


def _model_of(name: str, *, service: str, chosen: str) -> str:
    return name.partition(":")[2] if service == chosen else ""
