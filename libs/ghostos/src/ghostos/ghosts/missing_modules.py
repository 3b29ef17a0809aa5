"""What to do about a module that a target imports and that is not there."""

import re
import shlex
import sys
from pathlib import Path

_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]{1,200})'\Z", re.ASCII)


def find_install_advice(said: str, *, folder: Path | None) -> str:
    """Return what to do if what is missing has to be installed; "" for anything else.

    Args:
        said: How the import failed; ends with the error.
        folder: Of the target: what lies there needs not be installed.
    """
    found = _MISSING.search(said)
    name = found[1].partition(".")[0] if found else ""
    if not name or name in sys.stdlib_module_names:
        return ""
    if folder is not None and any((folder / each).exists() for each in (name, f"{name}.py")):
        return ""
    python = shlex.quote(sys.executable)
    return f"Install it for the Python that GhostOS runs with: {python} -m pip install {name}. Or mend the import."
