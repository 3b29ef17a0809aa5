"""Forms made of the settings themselves: their types, bounds and descriptions; empty is not set."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st
from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from streamlit.delta_generator import DeltaGenerator

from ghostos.errors import GhostOSError, UsageError
from ghostos.libraries.configuring import Configuration
from ghostos.libraries.in_force import InForce
from ghostos.libraries.setting_names import Setting, check_value, describe_fault, parse_value
from ghostos.libraries.settings_text import SettingValue
from ghostos.web.markdown import code, plain, soften
from ghostos.web.page_parts import draw_error

__all__ = ["change_settings", "draw_setting_form", "render_value"]

_UNITS: Final = {"s": "seconds", "mb": "MiB", "chars": "characters"}
_YES_NO: Final = {"yes": True, "no": False}
_NOT_SET: Final = ""
_RESTART: Final = "counts when GhostOS is started again"
_IN_A_ROW: Final = 2


def draw_setting_form(
    place: DeltaGenerator, settings: Sequence[InForce], *, configuration: Configuration, name: str
) -> None:
    """Draw a form of settings as the file has them; store what was changed in it, all or nothing.

    Args:
        place: Where.
        settings: In their order.
        configuration: Stores them.
        name: Tells the form from others.
    """
    form = place.form(f"settings-{name}", border=False)
    typed: dict[tuple[str, ...], SettingValue | None] = {}
    for first in range(0, len(settings), _IN_A_ROW):
        columns = form.columns(_IN_A_ROW)
        for each, column in zip(settings[first : first + _IN_A_ROW], columns, strict=False):
            typed[each.setting.path] = _draw_field(column, each)
    if form.form_submit_button("Store", key=f"settings-{name}-store", icon=":material/save:"):
        _store(place, settings, typed=typed, configuration=configuration, name=name)
    if said := st.session_state.pop(f"settings-{name}-said", ""):
        place.success(said, icon=":material/check_circle:")


def change_settings(
    place: DeltaGenerator, changes: Mapping[tuple[str, ...], SettingValue | None], *, configuration: Configuration
) -> None:
    """Store settings and draw the page anew, or say what is wrong."""
    try:
        configuration.change(changes)
    except GhostOSError as exc:
        draw_error(place, exc)
    else:
        st.rerun()


def render_value(value: object) -> str:
    """Return a value as people write it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _store(
    place: DeltaGenerator,
    settings: Sequence[InForce],
    *,
    typed: Mapping[tuple[str, ...], SettingValue | None],
    configuration: Configuration,
    name: str,
) -> None:
    changes: dict[tuple[str, ...], SettingValue | None] = {}
    faults: list[GhostOSError] = []
    for each in settings:
        try:
            value = _check(each.setting, typed[each.setting.path])
        except UsageError as exc:
            faults.append(exc)
        else:
            if value != each.in_file:
                changes[each.setting.path] = value
    try:
        if changes and not faults:
            configuration.change(changes)
    except GhostOSError as exc:
        faults.append(exc)
    for fault in faults:
        draw_error(place, fault)
    if not faults:
        stored = ", ".join(code(".".join(path)) for path in changes)
        said = f"Stored: {stored}" if changes else "Nothing was changed."
        st.session_state[f"settings-{name}-said"] = said
        st.rerun()


def _check(setting: Setting, typed: SettingValue | None) -> SettingValue | None:
    """Return what is stored for what was typed.

    Raises:
        UsageError: The setting cannot be that.
    """
    if typed is None or typed == [] or (isinstance(typed, str) and not typed.strip()):
        return None
    if isinstance(typed, str) and not setting.choices:
        return parse_value(setting, typed.strip())
    try:
        return check_value(setting, typed)
    except ValidationError as exc:
        happened = f"{setting.name} cannot be {render_value(typed)}: {describe_fault(exc)}."
        raise UsageError(happened, advice=setting.field.description or "") from exc


def _draw_field(form: DeltaGenerator, each: InForce) -> SettingValue | None:
    """Draw the field of one setting; return what is in it, None where it is empty."""
    setting, kinds = each.setting, each.setting.kinds
    key = f"setting-{setting.name}={each.in_file!r}"  # another one, and empty, when the file says something else
    place = form.container(gap=None)
    if setting.choices or kinds <= {bool}:
        value = _draw_choice(place, each, key=key)
    elif kinds <= {int, float}:
        value = _draw_number(place, each, key=key)
    else:
        shown = render_value(each.in_file) if each.in_file is not None else ""
        value = place.text_input(
            _label(setting), value=shown, key=key, placeholder=_placeholder(each), help=_help(setting)
        )
    if notes := _list_notes(each):
        place.markdown(soften(plain("; ".join(notes))))
    return value


def _draw_choice(place: DeltaGenerator, each: InForce, *, key: str) -> SettingValue | None:
    setting = each.setting
    words = setting.choices or tuple(_YES_NO)
    now = _NOT_SET if each.in_file is None else render_value(each.in_file)
    options = [_NOT_SET, *words]
    chosen = place.selectbox(
        _label(setting),
        options,
        index=options.index(now),
        key=key,
        format_func=lambda word: word or _placeholder(each),
        help=_help(setting),
    )
    if not chosen:
        return None
    return chosen if setting.choices else _YES_NO[chosen]


def _draw_number(place: DeltaGenerator, each: InForce, *, key: str) -> SettingValue | None:
    setting = each.setting
    is_float = float in setting.kinds
    low, high = _find_bounds(setting, is_float=is_float)
    number = float if is_float else int
    if key not in st.session_state and isinstance(each.in_file, int | float):
        st.session_state[key] = number(each.in_file)  # given as the field's default it could not be cleared
    return place.number_input(
        _label(setting),
        min_value=number(low) if low is not None else None,
        max_value=number(high) if high is not None else None,
        value=None,
        step=None if is_float else 1,
        format="%g" if is_float else None,
        key=key,
        placeholder=_placeholder(each),
        help=_help(setting),
    )


def _find_bounds(setting: Setting, *, is_float: bool) -> tuple[float | None, float | None]:
    """Return the least and the greatest that the field takes. More than 0 is checked when it is stored."""
    low: float | None = None
    high: float | None = None
    for bound in setting.field.metadata:
        if isinstance(bound, Ge) and isinstance(bound.ge, int | float):
            low = bound.ge
        elif isinstance(bound, Gt) and isinstance(bound.gt, int | float):
            low = bound.gt if is_float else bound.gt + 1
        elif isinstance(bound, Le) and isinstance(bound.le, int | float):
            high = bound.le
    return low, high


def _label(setting: Setting) -> str:
    """The name as people read it, with its unit: `Timeout, seconds`."""
    words, _, last = setting.path[-1].rpartition("_")
    unit = f", {_UNITS[last]}" if words and last in _UNITS else ""
    name = words if unit else setting.path[-1]
    return f"{name.replace('_', ' ').capitalize().replace('Cpu', 'Processor')}{unit}"


def _help(setting: Setting) -> str:
    return f"{setting.field.description or ''} ({code(setting.name)})"


def _placeholder(each: InForce) -> str:
    """Say what counts while the field is empty."""
    if each.origin == "file":
        return f"not set: {render_value(each.setting.default)}" if each.setting.default is not None else "not set"
    return "not set" if each.value is None else f"not set: {render_value(each.value)}"


def _list_notes(each: InForce) -> list[str]:
    notes = [_RESTART] if each.setting.counts == "start" else []
    if each.origin in ("flag", "environment", ".env"):
        notes.insert(0, f"the {each.origin} goes before the file: {render_value(each.value)}")
    return notes
