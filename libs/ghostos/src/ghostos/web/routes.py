"""Our own paths beside Streamlit's: the live pane's files, its websocket, its commands, and files of threads."""

import asyncio
import logging
import re
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from ghostos.core.media_types import find_media_type, kind_of
from ghostos.errors import AssetLostError, GhostOSError, ThreadBusyError, ThreadNotFoundError, UsageError
from ghostos.web.app import WebApp
from ghostos.web.commands import Commands
from ghostos.web.live_socket import LiveSockets
from ghostos.web.pane_files import PANE_PATH, PaneFiles
from ghostos.web.request_facts import RequestTooLargeError
from ghostos.web.wire import describe_error

__all__ = ["make_routes"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_logger = logging.getLogger(__name__)


def make_routes(app: WebApp) -> list[BaseRoute]:
    """Return the routes of an application. They are to stand behind a `Doorkeeper`."""
    commands, sockets = Commands(app), LiveSockets(app)

    async def do(request: Request) -> Response:
        try:
            return JSONResponse(await commands.run(request.path_params["name"], request))
        except GhostOSError as exc:
            return JSONResponse({"error": describe_error(exc)}, status_code=_status_of(exc))
        finally:
            sockets.nudge()

    async def send_asset(request: Request) -> Response:
        sha256: str = request.path_params["sha256"]
        if _SHA256.fullmatch(sha256) is None:
            return PlainTextResponse("No such file.\n", status_code=HTTPStatus.NOT_FOUND)
        try:
            content = await asyncio.to_thread(app.files.read, sha256)
        except AssetLostError as exc:
            _logger.warning("a file of a thread cannot be shown: %s", exc.happened)
            return PlainTextResponse("The file is gone.\n", status_code=HTTPStatus.NOT_FOUND)
        return _make_asset(content, sha256=sha256, path=app.files.path_of(sha256))

    return [
        Mount(PANE_PATH, PaneFiles(), name="pane"),
        WebSocketRoute("/ghostos/live", sockets.serve),
        Route("/ghostos/do/{name}", do, methods=["POST"]),
        Route("/ghostos/assets/{sha256}", send_asset),
    ]


def _make_asset(content: bytes, *, sha256: str, path: Path) -> Response:
    """Images and audio as such, whatever else it is as bytes to be saved: never a page of its own.

    Sent from its file, so that a part of it can be asked for: without that browsers cannot go back in a sound.
    """
    media_type = find_media_type(content)
    is_shown = kind_of(media_type) in ("image", "audio")
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": "inline" if is_shown else "attachment",
        "ETag": f'"{sha256}"',
    }
    return FileResponse(path, media_type=media_type if is_shown else "application/octet-stream", headers=headers)


def _status_of(error: GhostOSError) -> HTTPStatus:
    if isinstance(error, ThreadNotFoundError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, ThreadBusyError):
        return HTTPStatus.CONFLICT
    if isinstance(error, RequestTooLargeError):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return HTTPStatus.BAD_REQUEST if isinstance(error, UsageError) else HTTPStatus.INTERNAL_SERVER_ERROR
