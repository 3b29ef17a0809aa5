"""What the user accepted to run on the host: where a workspace records it, and what is said where something waits."""

import shlex

from ghostos.config import Workspace
from ghostos.errors import GhostOSError, NewerFormatError, UnacceptedError, WorkspaceError
from ghostos.libraries.workspaces import list_workspaces, user_data_folder
from ghostos_moss import AcceptedFiles, RefusedFile
from ghostos_moss.errors import AcceptanceRecordError, NotAcceptedError

__all__ = ["describe_refusal", "describe_refused", "open_accepted_files"]


def open_accepted_files(workspace: Workspace) -> AcceptedFiles:
    """Return what is accepted in a workspace. Reads and makes nothing yet.

    What code could write under another workspace of this user counts as written, too: threads of one folder may be in
    several of them.
    """
    return AcceptedFiles(
        workspace.accepted,
        shared=user_data_folder() / "accepted",
        always_written=[each.scratch for each in (workspace, *list_workspaces())],
    )


def describe_refusal(error: NotAcceptedError | AcceptanceRecordError) -> GhostOSError:
    """Return the error that tells a user so."""
    if isinstance(error, NotAcceptedError):
        return UnacceptedError(
            f"{error.path} {error.change}, and {error.cause}: nothing of it ran on the host.",
            advice=error.advice,
        )
    happened = str(error)
    if error.is_newer:
        return NewerFormatError(happened, advice="Update GhostOS, or choose another workspace with --workspace DIR.")
    if not error.is_written:
        advice = "Give yourself the right to write there, or choose another workspace with --workspace DIR."
        return WorkspaceError(happened, advice=advice)
    advice = "Mend it. Or look at your files, then move it away: what is in them then counts as accepted."
    return WorkspaceError(happened, advice=advice)


def describe_refused(file: RefusedFile) -> str:
    """Say that a file waits, and how it can be looked at, for a terminal that shows what is hidden."""
    return f"{file.path} {file.change} and waits: look at it with ghostos moss diff {shlex.quote(file.target)}"
