"""What commands begin with: which workspace is meant, what it says, its log."""

import os

from ghostos.cli.log import start_log
from ghostos.cli.options import Common
from ghostos.cli.streams import write_note
from ghostos.config import Confinement, Workspace
from ghostos.core.escaping import escape_line
from ghostos.errors import UsageError
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.workspaces import FoundWorkspace, find_workspace
from ghostos_moss import Permissions


def choose_workspace(common: Common, *, found: FoundWorkspace | None = None) -> Workspace:
    """Return the workspace to use, and write what there is to know about the choice to stderr. Makes nothing.

    Args:
        common: The shared options.
        found: What was found before; what was made since then is not spoken of.
    """
    found = found or find_workspace(common.workspace, environment=os.environ)
    for notice in found.notices:
        write_note(f"note: {escape_line(notice)}")
    return found.workspace


def find_confinement(common: Common) -> Confinement:
    """Return what the options say of code that a model writes.

    Raises:
        UsageError: They contradict each other, or name no host.
    """
    rights = common.rights
    if rights is None:
        return Confinement()
    if isinstance(rights.net, tuple) and "" in rights.net:
        advice = "Write it like --allow-net=api.example.com,other.org:8443; --allow-net alone allows every host."
        raise UsageError("--allow-net= names no host.", advice=advice)
    for form, values in (("read=PATH", rights.read), ("write=PATH", rights.write), ("env=NAME", rights.env)):
        if values and "" in values:
            name = form.partition("=")[0]
            raise UsageError(f"--allow-{name}= names nothing.", advice=f"Write it like --allow-{form}.")
    try:
        permissions = Permissions(
            net=rights.net or None,
            read=rights.read or None,
            write=rights.write or None,
            env=rights.env or None,
            run=rights.run or None,
            everything=rights.everything,
        )
    except ValueError as exc:
        happened, _, advice = f"{exc}".rpartition(". ")
        raise UsageError(f"--allow-net: {happened}.", advice=f"{advice}.") from exc
    if rights.sandbox == "off" and permissions != Permissions():
        raise UsageError(
            "--sandbox off leaves code everything: --allow-... and -A mean nothing with it.", advice="Leave one out."
        )
    return Confinement(rights.sandbox, permissions)


def start(common: Common, *, found: FoundWorkspace | None = None) -> LiveSettings:
    """Choose the workspace, read its settings, and begin its log, which needs to know what to hide.

    Args:
        common: The shared options.
        found: As in `choose_workspace`.

    Raises:
        ConfigError: A setting cannot be read.
        NewerFormatError: A newer version wrote them.
    """
    settings = LiveSettings(
        choose_workspace(common, found=found),
        environment=os.environ,
        model=common.model,
        confinement=find_confinement(common),
    )
    start_log(settings.current, is_debug=common.is_debug)
    return settings
