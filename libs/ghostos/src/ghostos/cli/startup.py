"""What commands begin with: which workspace is meant, what it says, its log."""

import os

from ghostos.cli.escaping import escape_line
from ghostos.cli.log import start_log
from ghostos.cli.options import Common
from ghostos.cli.streams import write_note
from ghostos.config import AppSettings, Workspace
from ghostos.libraries.app_settings import load_app_settings
from ghostos.libraries.workspaces import find_workspace


def choose_workspace(common: Common) -> Workspace:
    """Return the workspace to use, and write what there is to know about the choice to stderr. Makes nothing."""
    found = find_workspace(common.workspace, environment=os.environ)
    for notice in found.notices:
        write_note(f"note: {escape_line(notice)}")
    return found.workspace


def start(common: Common) -> AppSettings:
    """Choose the workspace, read its settings, and begin its log, which needs to know what to hide.

    Raises:
        ConfigError: A setting cannot be read.
        NewerFormatError: A newer version wrote them.
    """
    app = load_app_settings(choose_workspace(common), environment=os.environ, model=common.model)
    start_log(app, is_debug=common.is_debug)
    return app
