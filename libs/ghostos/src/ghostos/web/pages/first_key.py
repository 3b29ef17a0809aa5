"""Where the page asks for the key without which nobody answers, and shows the way on once it is there."""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.errors import ModelKeyMissingError
from ghostos.libraries.configuring import Configuration
from ghostos.libraries.in_force import ServiceState
from ghostos.web.markdown import code, plain, soften
from ghostos.web.pages.key_entry import KeyEntry, list_models_seen
from ghostos.web.pages.setting_form import change_settings

__all__ = ["draw_first_key", "draw_way_on"]

_FIRST: Final = "first"


def draw_way_on(
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


def draw_first_key(
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
    box.markdown(soften(code(state.address)))
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
        change_settings(place, {("default_model",): f"{service}:{model}"}, configuration=configuration)


def _model_of(name: str, *, service: str, chosen: str) -> str:
    return name.partition(":")[2] if service == chosen else ""
