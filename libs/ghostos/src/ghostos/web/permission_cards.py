"""What code was refused, as questions with buttons: in the host's words, with what the code says marked as that."""

from collections.abc import Callable, Iterable

from streamlit.delta_generator import DeltaGenerator

from ghostos.core.permission import PermissionRequest, Scope
from ghostos.core.permission_words import describe_asker, describe_option, describe_question, show_hidden
from ghostos.web.markdown import escape_markdown

__all__ = ["OnAllow", "PermissionCards"]

OnAllow = Callable[[str, Scope], None]
"""Called with the id of a request and the scope, when a button was clicked."""

_LABELS: dict[Scope, str] = {"once": "Allow once", "thread": "Allow for this thread", "always": "Allow always"}
_ONCE = "Once ends with the turn."
_ALWAYS = "Always is for every agent of this workspace (configs/ghostos.toml)."


class PermissionCards:
    """Shows requests as long as they are open; each is drawn once in a run of the page.

    Args:
        area: Where they are drawn, top to bottom.
        on_allow: What a click does.
    """

    def __init__(self, area: DeltaGenerator, *, on_allow: OnAllow) -> None:
        self._area = area
        self._on_allow = on_allow
        self._places: dict[str, DeltaGenerator] = {}

    def show(self, requests: Iterable[PermissionRequest]) -> None:
        """Draw those that are new, and take those away that are not open any more."""
        open_now = {request.id: request for request in requests}
        for request_id, place in self._places.items():
            if request_id not in open_now:
                place.empty()
        for request in open_now.values():
            if request.id not in self._places:
                self._places[request.id] = self._area.empty()
                self._draw(self._places[request.id], request)

    def _draw(self, place: DeltaGenerator, request: PermissionRequest) -> None:
        card = place.container(border=True, gap="small")
        card.markdown(f":material/lock: **{escape_markdown(describe_question(request))}**")
        if request.permission.what:
            card.code(show_hidden(request.permission.what), language=None, wrap_lines=True)
        if asker := describe_asker(request):
            card.text(f"The code says: {asker}")
        if request.scopes:
            row = card.container(horizontal=True, gap="small")
            for scope in request.scopes:
                row.button(
                    _LABELS[scope],
                    key=f"allow-{request.id}-{scope}",
                    on_click=self._on_allow,
                    args=(request.id, scope),
                )
        card.markdown(f":small[:gray[{escape_markdown(_explain(request))}]]")
        if not request.scopes:
            card.code(describe_option(request.permission), language=None, wrap_lines=True)


def _explain(request: PermissionRequest) -> str:
    if not request.scopes:
        return f"Not with a click: {request.reason}. If you mean it, start with this option:"
    reason = f"{request.reason[:1].upper()}{request.reason[1:]}." if request.reason else _ALWAYS
    return f"{_ONCE} {reason}"
