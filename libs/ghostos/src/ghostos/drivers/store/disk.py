"""What the system says about files and folders of a workspace, in the words of this project."""

import errno
from pathlib import Path

from ghostos.errors import DiskFullError, WorkspaceError, WorkspaceReadOnlyError

__all__ = ["disk_full", "read_only", "translate_os_error"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def translate_os_error(error: OSError, *, path: Path) -> WorkspaceError:
    """Return the error to raise for one that the system gave about a file or folder of the workspace."""
    if error.errno in _FULL:
        return disk_full(path)
    if error.errno in _READ_ONLY:
        return read_only(path)
    return WorkspaceError(
        f"{path} cannot be used: {error.strerror or error}.",
        advice="Look at what is in its place, or choose another workspace with --workspace DIR.",
    )


def disk_full(path: Path) -> DiskFullError:
    """Return the error for a disk without space."""
    return DiskFullError(
        f"There is no space left on the disk for {path}.",
        advice="Make some and go on: what was committed is safe, and what was refused was not half done.",
    )


def read_only(path: Path) -> WorkspaceReadOnlyError:
    """Return the error for a place that may not be written."""
    return WorkspaceReadOnlyError(
        f"{path} cannot be written.",
        advice="Give yourself the right to write there, or choose another workspace with --workspace DIR.",
    )
