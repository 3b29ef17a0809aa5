"""Points at which a process may die: told to whoever audits the process, such as a test that kills it there.

They are audit events of Python (PEP 578), which cost nothing that can be measured where nobody listens:

    ghostos.statement   one statement of SQL             ghostos.journal    one line of a round's journal
    ghostos.commit      one transaction of the store     ghostos.host_call  one call of an object on Moss, written down
    ghostos.code_run    the row that says code starts    ghostos.dispatch   one wake-up of a task

each with `before` or `after` as its only argument.
"""

import sys
from typing import Literal

FailPoint = Literal["statement", "commit", "code_run", "journal", "host_call", "dispatch"]


def before(point: FailPoint) -> None:
    """Say that it is about to happen."""
    sys.audit(f"ghostos.{point}", "before")


def after(point: FailPoint) -> None:
    """Say that it has happened."""
    sys.audit(f"ghostos.{point}", "after")
