"""Where a key is entered: it is tested, stored, and not kept in the session any longer than that takes."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import streamlit as st
from pydantic import SecretStr
from streamlit.delta_generator import DeltaGenerator

from ghostos.drivers.models.key_check import KeyReport
from ghostos.errors import GhostOSError
from ghostos.libraries.configuring import Configuration
from ghostos.libraries.in_force import ServiceState
from ghostos.web.markdown import code, plain
from ghostos.web.page_parts import Trouble, draw_error

__all__ = ["KeyEntry", "dropping_unasked_keys", "list_models_seen"]

_MODELS: Final = "models-seen"
_UNTESTED: Final = "keys-untested"
_ASKED: Final = "keys-asked"


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of the last thing that was done in one place. No key is in it, nor what could lead to one."""

    report: KeyReport | None = None
    stored: str = ""
    trouble: Trouble | None = None


class KeyEntry:
    """The field for the key of one service, and what the service said.

    Args:
        configuration: Tests and stores it.
        state: The service as it is now.
        place: Tells this field from others for the same service.
        model: Who is asked where the service has no list of models; "": the default model, if it is one of it.
    """

    def __init__(self, configuration: Configuration, state: ServiceState, *, place: str, model: str = "") -> None:
        self._configuration = configuration
        self._state = state
        self._name = f"{place}-{state.name}"
        self._model = model

    def draw(self, place: DeltaGenerator) -> None:
        """Draw the field; do what was clicked."""
        self._do_what_was_clicked(place)
        count = st.session_state.get(self._key("count"), 0)
        form = place.form(self._key("form"), border=False, enter_to_submit=True)
        form.text_input(
            f"Key ({plain(self._state.settings.api_key_env)})",
            type="password",
            key=self._key(f"field-{count}"),
            autocomplete="off",
            placeholder="Paste it here",
            help="It is tested with the service, then kept in the workspace's .env, for you alone. It is never shown.",
        )
        form.form_submit_button(
            "Test and store", key=self._key("submit"), type="primary", icon=":material/key:", on_click=self._take
        )
        self._draw_said(place)

    def draw_test(self, place: DeltaGenerator) -> None:
        """Offer to test the key that counts."""
        if place.button("Test", key=self._key("test"), icon=":material/network_check:"):
            with place, st.spinner(f"Asking {plain(self._state.name)}…"):
                self._say(self._check(None))
            st.rerun()

    def draw_removal(self, place: DeltaGenerator) -> None:
        """Offer to forget the stored key."""
        place.button("Forget the key", key=self._key("remove"), icon=":material/delete:", on_click=self._remove)

    def draw_result(self, place: DeltaGenerator) -> None:
        """Draw what came of it, where no field is drawn."""
        self._draw_said(place)

    @property
    def _said(self) -> _Said:
        found = st.session_state.get(self._key("said"))
        return found if isinstance(found, _Said) else _Said()

    def _key(self, name: str) -> str:
        return f"key-{self._name}-{name}"

    def _take(self) -> None:
        """Take the key out of the field's state. A callback: the field is drawn anew, and empty, after it."""
        count = st.session_state.get(self._key("count"), 0)
        typed = str(st.session_state.pop(self._key(f"field-{count}"), "") or "").strip()
        st.session_state[self._key("count")] = count + 1
        self._forget()
        if typed:
            st.session_state[self._key("taken")] = SecretStr(typed)

    def _do_what_was_clicked(self, place: DeltaGenerator) -> None:
        """Test a key that was taken, and store one that is good. It is dropped, but for one that is asked about."""
        key = st.session_state.pop(self._key("taken"), None)
        if key is None:
            return
        with place, st.spinner(f"Asking {plain(self._state.name)}…"):
            said = self._check(key)
        if said.report is not None and said.report.state == "accepted":
            said = self._store(key, report=said.report)
        elif said.report is not None and said.report.state == "untested":
            _get_untested()[self._name] = key
        self._say(said)
        st.rerun()  # what is above knows of it then

    def _check(self, key: SecretStr | None) -> _Said:
        try:
            report = asyncio.run(self._configuration.check_key(self._state.name, key=key, model=self._model))
        except GhostOSError as exc:
            return _Said(trouble=Trouble.of(exc))
        seen = st.session_state.setdefault(_MODELS, {})
        seen[self._state.name] = report.models or seen.get(self._state.name, ())
        return _Said(report)

    def _store(self, key: SecretStr, *, report: KeyReport | None) -> _Said:
        try:
            self._configuration.store_key(self._state.name, key=key)
        except GhostOSError as exc:
            return _Said(report, trouble=Trouble.of(exc))
        return _Said(
            report, stored=f"{self._state.settings.api_key_env} is kept in {self._configuration.workspace.env_file}"
        )

    def _store_anyway(self) -> None:
        """A callback."""
        key = _get_untested().pop(self._name, None)
        if key is not None:
            self._say(self._store(key, report=None))

    def _remove(self) -> None:
        """A callback."""
        self._forget()
        try:
            self._configuration.remove_key(self._state.name)
        except GhostOSError as exc:
            self._say(_Said(trouble=Trouble.of(exc)))

    def _forget(self) -> None:
        """Drop a key that is asked about, and what was said. A callback."""
        _get_untested().pop(self._name, None)
        st.session_state.pop(self._key("said"), None)

    def _say(self, said: _Said) -> None:
        st.session_state[self._key("said")] = said

    def _draw_said(self, place: DeltaGenerator) -> None:
        said = self._said
        if said.report is not None:
            self._draw_report(place, said.report)
        if said.stored:
            place.success(plain(said.stored), icon=":material/check_circle:")
            if self._configuration.is_overridden(self._state):
                place.warning(
                    f"{code(self._state.settings.api_key_env)} is in the environment as well, which goes before it."
                )
        if said.trouble is not None:
            draw_error(place, said.trouble)
        if self._name in _get_untested():
            _get_asked().add(self._name)
            row = place.container(horizontal=True, gap="small")
            row.button("Store it anyway", key=self._key("anyway"), on_click=self._store_anyway)
            row.button("Discard it", key=self._key("discard"), type="tertiary", on_click=self._forget)

    def _draw_report(self, place: DeltaGenerator, report: KeyReport) -> None:
        draw: Callable[..., object] = {"accepted": place.success, "refused": place.error, "untested": place.warning}[
            report.state
        ]
        verdict = {"accepted": "", "refused": " Nothing was stored.", "untested": " The key could not be tested."}
        draw(f"{plain(report.text)}{verdict[report.state]}", icon=_ICONS[report.state])


_ICONS: Final = {"accepted": ":material/verified:", "refused": ":material/error:", "untested": ":material/help:"}


@contextmanager
def dropping_unasked_keys() -> Generator[None]:
    """Drop keys that could not be tested and that the page which is drawn meanwhile, whichever it is, asks nothing of.

    Where the drawing is broken off, the next one decides.
    """
    st.session_state[_ASKED] = set()
    yield
    untested = _get_untested()
    for name in untested.keys() - _get_asked():
        del untested[name]
        st.session_state.pop(f"key-{name}-said", None)


def list_models_seen(service: str) -> tuple[str, ...]:
    """Return what a service said of its models when it was tested last in this session."""
    return tuple(st.session_state.get(_MODELS, {}).get(service, ()))


def _get_untested() -> dict[str, SecretStr]:
    """Return the keys of this session that may be stored though they could not be tested, by their fields."""
    untested: dict[str, SecretStr] = st.session_state.setdefault(_UNTESTED, {})
    return untested


def _get_asked() -> set[str]:
    """Return the fields whose keys the page, as far as it is drawn, asks about."""
    asked: set[str] = st.session_state.setdefault(_ASKED, set())
    return asked
