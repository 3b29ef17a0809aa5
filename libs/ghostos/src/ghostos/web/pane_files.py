"""The live pane's own files: a browser keeps them, under an address that is another one once they have changed."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["PANE_PATH", "PaneFiles", "name_version", "read_pane_file"]

PANE_PATH: Final = "/ghostos/static"

_FOLDER: Final = Path(__file__).parent / "static"
_KEPT: Final = "public, max-age=31536000, immutable"
_ASKED_ABOUT: Final = "no-cache"
_MEDIA_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
"""Not left to what this machine takes a suffix for: a browser runs no module that is called anything else."""


@cache
def name_version() -> str:
    """Return what stands in the address before the files' own paths: it tells their content."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(_FOLDER).as_posix()}\0".encode() + path.read_bytes())
    return f"v-{digest.hexdigest()[:16]}"


def read_pane_file(name: str) -> str:
    """Return the text of a file."""
    return (_FOLDER / name).read_text(encoding="utf-8")


class PaneFiles(StaticFiles):
    """Serves them, with and without their version in the address."""

    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, rest = path.partition(os.sep)
        is_versioned = version == name_version()
        response = await super().get_response(rest if is_versioned else path, scope)
        if "content-type" in response.headers and (media_type := _MEDIA_TYPES.get(Path(path).suffix)) is not None:
            response.headers["Content-Type"] = media_type
        response.headers["Cache-Control"] = _KEPT if is_versioned else _ASKED_ABOUT
        return response
