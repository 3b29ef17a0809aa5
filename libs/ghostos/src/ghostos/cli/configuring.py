"""What `ghostos config` and its subcommands do."""

import asyncio
import getpass
import json
import shlex
import sys
from collections.abc import Sequence

import typer
from pydantic import BaseModel, SecretStr

from ghostos.cli.options import Common
from ghostos.cli.startup import start
from ghostos.cli.streams import read_stdin, write_note, write_out
from ghostos.core.escaping import escape_line
from ghostos.drivers.models.key_check import KeyReport
from ghostos.drivers.models.service_lookup import REHEARSAL, get_service_settings, parse_model_name
from ghostos.errors import ConfigError, ModelAuthError, ModelError, UsageError
from ghostos.libraries.configuring import Configuration, propose_variable
from ghostos.libraries.in_force import InForce, ServiceState
from ghostos.libraries.setting_names import find_path, find_setting, parse_value, read_value

_MODELS_NAMED = 5
_COLUMNS_GAP = 3
_COUNTS = {"turn": "counts from the next turn on", "start": "counts when GhostOS is started again"}


def show_configuration(*, common: Common, with_defaults: bool, as_json: bool) -> None:
    """Print the services with their keys' places, and the settings that somebody made.

    Raises:
        ConfigError: A file cannot be read.
    """
    configuration = _open(common)
    settings = configuration.list_in_force()
    shown = [each for each in settings if with_defaults or each.origin not in ("default", "built in")]
    if as_json:
        write_out(json.dumps(_collect(configuration, shown)) + "\n")
        return
    default_model = next(each for each in settings if each.setting.name == "default_model")
    workspace = configuration.workspace
    is_there = "" if workspace.config_file.exists() else " (none yet: the defaults hold)"
    lines = [
        *_align([["settings", f"{workspace.config_file}{is_there}"], ["keys", str(workspace.env_file)]]),
        "",
        *_align([["service", "key", "address"], *map(_describe_service, configuration.list_services())]),
        "",
        *_align([["setting", "value", "from"], *map(_describe, [default_model, *_without(shown, default_model)])]),
    ]
    if not with_defaults:
        lines.append("")
        lines.append(escape_line(f"All others have their defaults: {_command('config', '--all', common=common)}"))
    write_out("".join(f"{line}\n" for line in lines))


def show_setting(name: str, *, common: Common) -> None:
    """Print the value that counts and nothing else; an empty line where there is none.

    Raises:
        UsageError: There is none of that name.
        ConfigError: A file cannot be read, or there is no such service.
    """
    setting = find_setting(name)
    configuration = _open(common)
    group, *rest = setting.path
    if group == "services":
        configuration.get_service(rest[0])
    known = configuration.list_model(rest[0]) if group == "models" else configuration.list_in_force()
    value = next(each.value for each in known if each.setting.path == setting.path)
    write_out(escape_line("" if value in (None, "") else _render(value)) + "\n")


def set_setting(name: str, value: str, *, common: Common) -> None:
    """Store one setting.

    Raises:
        UsageError: There is none of that name, or it cannot be that.
        ConfigError: It makes no sense, or the file cannot be changed.
        WorkspaceError: The file cannot be written.
    """
    setting = find_setting(name)
    configuration = _open(common)
    configuration.change({setting.path: parse_value(setting, value)})
    now = next(each for each in configuration.list_in_force() if each.setting.path == setting.path)
    write_out(escape_line(f"{setting.name} = {_render(now.in_file)}, {_COUNTS[setting.counts]}") + "\n")
    if now.origin not in ("file", "default"):
        write_note(escape_line(f"note: The {now.origin} goes before it: {_render(now.value)} counts."))


def unset_setting(name: str, *, common: Common) -> None:
    """Take a setting or a group out of the file.

    Raises:
        UsageError: Nothing has that name.
        ConfigError: The file cannot be changed.
        WorkspaceError: The file cannot be written.
    """
    path = find_path(name)
    configuration = _open(common)
    before = configuration.read()
    forgotten = configuration.change({path: None})
    after = configuration.read()
    shown = ".".join(path)
    if before.settings == after.settings:
        write_out(escape_line(f"{shown} was not set in {configuration.workspace.config_file}") + "\n")
        return
    value = read_value(path, settings=after.settings)
    is_group = isinstance(value, BaseModel | dict)
    counts = "" if is_group else f": {_render(value)} counts"
    write_out(escape_line(f"{shown} is not set any more{counts}") + "\n")
    for variable in forgotten:
        write_out(escape_line(_say_forgotten(variable, configuration=configuration)) + "\n")


def keep_key(service: str, *, source: str, store_anyway: bool, common: Common) -> None:
    """Ask for a key, test it, and store it.

    Raises:
        UsageError: A key stands on the command line, or nobody can be asked for it.
        ModelError: The service refused it, or it could not be tested and is not to be stored all the same.
        ConfigError: There is no such service, or it takes no key.
        WorkspaceError: It cannot be written.
    """
    _check_source(source, service=service, common=common)
    configuration = _open(common)
    state = configuration.get_service(service)
    if not state.takes_key:
        raise _takes_no_key(state)
    key = SecretStr(_read_key(state, source=source, common=common))
    report = asyncio.run(configuration.check_key(service, key=key))
    write_note(escape_line(report.text))
    if report.state == "refused":
        raise _not_stored(report, advice="Nothing was stored. Copy the key again, and check that it is still valid.")
    if report.state == "untested" and not (store_anyway or _wants_it_anyway(source)):
        words = _command("config", "key", service, *([source] if source else []), "--store-anyway", common=common)
        raise _not_stored(report, advice=f"Nothing was stored. To keep it untested: {words}")
    configuration.store_key(service, key=key)
    write_out(escape_line(f"{state.settings.api_key_env} is kept in {configuration.workspace.env_file}") + "\n")
    if configuration.is_overridden(state):
        write_note(f"note: {state.settings.api_key_env} is in the environment as well, which goes before it.")
    _propose_model(service, report, configuration=configuration, common=common)


def forget_key(service: str, *, common: Common) -> None:
    """Take a key out of the workspace.

    Raises:
        ConfigError: There is no such service and no such key, or the file cannot be read.
        WorkspaceError: It cannot be written.
    """
    configuration = _open(common)
    variable = configuration.remove_key(service)
    if not variable:
        raise _takes_no_key(configuration.get_service(service))
    write_out(escape_line(_say_forgotten(variable, configuration=configuration)) + "\n")
    if configuration.is_in_environment(variable):
        write_note(f"note: It is in the environment still: unset {variable}")


def _say_forgotten(variable: str, *, configuration: Configuration) -> str:
    return f"{variable} is not in {configuration.workspace.env_file} any more"


def test_service(name: str, *, common: Common) -> None:
    """Ask a service with the key that counts.

    Raises:
        ModelError: It refused the key, or could not be asked.
        ConfigError: There is no such service, or it cannot be asked.
        ModelKeyMissingError: There is no key.
    """
    configuration = _open(common)
    settings = configuration.read().settings
    name = name or settings.default_model
    if name == REHEARSAL:
        raise UsageError("A rehearsal has no service.", advice="Name one: ghostos config test openai")
    if ":" in name:
        service, model, _ = parse_model_name(name, settings=settings)
    else:
        service, model = name, ""
        get_service_settings(service, settings=settings)
    report = asyncio.run(configuration.check_key(service, model=model))
    if report.state != "accepted":
        raise _error_kind(report)(report.text, advice=report.advice)
    write_out(escape_line(report.text) + "\n")
    if report.models and not model:
        write_out(escape_line(f"models: {', '.join(report.models)}") + "\n")


def _collect(configuration: Configuration, settings: Sequence[InForce]) -> dict[str, object]:
    """Return for programs what is shown to people."""
    return {
        "settings_file": str(configuration.workspace.config_file),
        "keys_file": str(configuration.workspace.env_file),
        "services": [
            {"name": each.name, "variable": each.settings.api_key_env, "key": each.key, "address": each.address}
            for each in configuration.list_services()
        ],
        "settings": [{"name": each.setting.name, "value": each.value, "from": each.origin} for each in settings],
    }


def _open(common: Common) -> Configuration:
    return Configuration(start(common))


def _check_source(source: str, *, service: str, common: Common) -> None:
    if source in ("", "-"):
        return
    words = _command("config", "key", service, common=common)
    raise UsageError(
        "A key is not taken from the command line: the shell would keep it in its history.",
        advice=f"You are asked for it: {words} (or with - it is read from stdin)",
    )


def _read_key(state: ServiceState, *, source: str, common: Common) -> str:
    if source == "-":
        return read_stdin("The key").strip()
    if not sys.stdin.isatty():
        words = _command("config", "key", state.name, "-", common=common)
        raise UsageError("Nobody can be asked for the key here.", advice=f"Pipe it in: … | {words}")
    try:
        key = getpass.getpass(f"{state.settings.api_key_env} for {state.address} (not shown): ", stream=sys.stderr)
    except EOFError:
        key = ""
    if not key.strip():
        raise UsageError("No key was given: nothing was changed.", advice="Paste it, and press Enter.")
    return key.strip()


def _wants_it_anyway(source: str) -> bool:
    return source != "-" and sys.stdin.isatty() and typer.confirm("Store it all the same?", err=True)


def _not_stored(report: KeyReport, *, advice: str) -> ModelError:
    text = "The key was refused." if report.state == "refused" else "The key could not be tested."
    return _error_kind(report)(text, advice=advice)


def _error_kind(report: KeyReport) -> type[ModelError]:
    return ModelAuthError if report.state == "refused" else ModelError


def _takes_no_key(state: ServiceState) -> ConfigError:
    if not state.settings.needs_key:
        return ConfigError(f"The service '{state.name}' needs no key.", advice="Use it as it is: --model ollama:NAME")
    return ConfigError(
        f"The service '{state.name}' names no variable for a key.",
        advice=f"Name one: ghostos config set services.{state.name}.api_key_env {propose_variable(state.name)}",
    )


def _propose_model(service: str, report: KeyReport, *, configuration: Configuration, common: Common) -> None:
    """Say how the service is used, where the default model is another's."""
    if configuration.read().settings.default_model.partition(":")[0] == service:
        return
    words = _command("config", "set", "default_model", f"{service}:MODEL", common=common)
    write_note(escape_line(f"Use it with --model {service}:MODEL, or always: {words}"))
    if report.models:
        more = ", …" if len(report.models) > _MODELS_NAMED else ""
        write_note(escape_line(f"Its models: {', '.join(report.models[:_MODELS_NAMED])}{more}"))


def _describe_service(state: ServiceState) -> list[str]:
    variable = state.settings.api_key_env
    key = {
        "environment": f"{variable}: set in the environment",
        ".env": f"{variable}: set in .env",
        "missing": f"{variable}: missing" if variable else "no variable is named",
        "not needed": "not needed",
    }[state.key]
    return [state.name, key, state.address or state.fault]


def _describe(each: InForce) -> list[str]:
    return [each.setting.name, _render(each.value), each.origin]


def _render(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, dict):
        return "{}"
    return json.dumps(value, ensure_ascii=False)


def _without(settings: Sequence[InForce], one: InForce) -> list[InForce]:
    return [each for each in settings if each.setting.path != one.setting.path]


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, with what could steer a terminal made visible."""
    rows = [[escape_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) + _COLUMNS_GAP for column in range(len(rows[0]))]
    return ["".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _command(*words: str, common: Common) -> str:
    """Return a command to type, for the same workspace."""
    option = ["--workspace", str(common.workspace)] if common.workspace is not None else []
    return shlex.join(["ghostos", *words, *option])
