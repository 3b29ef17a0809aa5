"""The services of models on the page of models and keys: where they are, their keys and settings; and a new one."""

from collections.abc import Sequence
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.config import default_services
from ghostos.drivers.models.service import Service
from ghostos.libraries.configuring import Configuration, propose_variable
from ghostos.libraries.in_force import InForce, ServiceState
from ghostos.libraries.settings_text import SettingValue
from ghostos.web.markdown import code, plain, soften
from ghostos.web.page_parts import Trouble, draw_error
from ghostos.web.pages.key_entry import KeyEntry
from ghostos.web.pages.setting_form import change_settings, draw_setting_form

__all__ = ["draw_services"]

_KEY_WORDS: Final = {
    "environment": ":green[key in the environment]",
    ".env": ":green[key in .env]",
    "missing": ":orange[no key]",
    "not needed": ":gray[needs no key]",
}
_IN_CLEAR: Final = (
    "What is sent there is not encrypted: whoever is on the way reads the key and all that is said. "
    "Its address begins with http, not https, and is none of this machine."
)


def draw_services(
    configuration: Configuration, services: Sequence[ServiceState], *, settings: Sequence[InForce]
) -> None:
    """Draw each service with its key, and the form that adds one."""
    st.markdown("#### Services", anchors=False)
    for state in services:
        in_clear = " · :orange[not encrypted]" if _goes_in_clear(state) else ""
        with st.expander(f"**{plain(state.name)}** · {_KEY_WORDS[state.key]}{in_clear}", key=f"service-{state.name}"):
            place = st.container()
            _draw_service(place, state, configuration=configuration)
            if place.toggle("Settings of this service", key=f"service-{state.name}-settings"):
                own = [each for each in settings if each.setting.path[:2] == ("services", state.name)]
                draw_setting_form(place, own, configuration=configuration, name=f"service-{state.name}")
    with st.expander(":material/add: Add a service", key="service-new"):
        _draw_new_service(st.container(), configuration, services=services)


def _draw_service(place: DeltaGenerator, state: ServiceState, *, configuration: Configuration) -> None:
    if state.fault:
        place.warning(plain(state.fault))
    if state.address:
        place.markdown(soften(code(state.address)))
    if _goes_in_clear(state):
        place.warning(_IN_CLEAR, icon=":material/lock_open:")
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
        change_settings(place, {("services", state.name): None}, configuration=configuration)


def _goes_in_clear(state: ServiceState) -> bool:
    """Whether what is said to a service, and its key, can be read on the way to it."""
    if not state.address:
        return False
    service = Service(name=state.name, base_url=state.address)
    return not service.is_encrypted and not service.is_local


def _draw_new_service(place: DeltaGenerator, configuration: Configuration, *, services: Sequence[ServiceState]) -> None:
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
    name = name.strip()
    if any(each.name == name for each in services):
        trouble = Trouble(
            happened=f"There is a service '{name}' already.", advice="Change it under Settings of this service."
        )
        draw_error(place, trouble)
        return
    changes: dict[tuple[str, ...], SettingValue | None] = {
        ("services", name, "base_url"): address.strip(),
        ("services", name, "needs_key"): needs_key,
    }
    if needs_key:
        changes["services", name, "api_key_env"] = propose_variable(name)
    change_settings(place, changes, configuration=configuration)
