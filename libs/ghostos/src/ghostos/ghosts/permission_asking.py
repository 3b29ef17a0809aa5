"""The question that a refusal raises: what would allow it, and for how long the user may say so with a click."""

from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.session import Session
from ghostos.core.ids import new_id
from ghostos.core.permission import PermissionRequest, list_open_requests
from ghostos.runtime.permission_requests import find_offer
from ghostos_moss import Executor, Refusal, load_source
from ghostos_moss.errors import MossError


def make_request(session: Session, refusal: Refusal, *, module: str) -> PermissionRequest | None:
    """Return the question; None where nothing would allow it. Looks at files, and blocks for that long.

    What the code did is still to be told: files that cannot be read end nothing here.

    One that asks for the same as an open one has its id: it is the same question.

    Args:
        session: The round whose code failed.
        refusal: Why.
        module: Whose code it is.
    """
    try:
        permission = session.container.force_fetch(Executor).find_remedy(refusal, source=load_source(module))
    except (MossError, OSError):
        return None  # the module cannot be read any more, which its next round says; or the current folder is gone
    if permission is None:
        return None
    offer = find_offer(permission, module=module, book=session.container.force_fetch(PermissionBook))
    before = (each for each in list_open_requests(session.history()) if each.permission == permission)
    return PermissionRequest(
        id=next((each.id for each in before), None) or new_id(),
        permission=permission,
        module=module,
        function=refusal.function,
        asked_for=refusal.what if refusal.kind in ("net", "run") else "",
        scopes=offer.scopes,
        reason=offer.reason,
    )
