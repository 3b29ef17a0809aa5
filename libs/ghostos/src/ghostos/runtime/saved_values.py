"""Saving values and files so that others get them by id, for a task; and reading values again."""

import asyncio

from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.store import Store
from ghostos.core.asset import Asset, AssetRef, clean_name
from ghostos.core.clock import utc_now
from ghostos.core.ids import new_id
from ghostos.core.media_types import find_media_type
from ghostos.core.variable import Variable
from ghostos.errors import AssetError
from ghostos_common.codec import DecodeError, EncodeError, Namespace, decode, encode

__all__ = ["load_value", "save_file", "save_value"]

_PLAIN = Namespace({})
"""No classes: who reads a value may know others than who saved it."""
_MAX_DESCRIPTION_CHARS = 1_000


async def save_value(store: Store, value: object, *, task_id: str, description: str = "") -> Variable:
    """Save a value of Python for a task. Returns when it is committed.

    Args:
        store: Where.
        value: Data of builtin types; at most 1 MiB as JSON.
        task_id: The task for which its id counts, until it is given to others.
        description: What it is for.

    Raises:
        AssetError: It is no such value.
        ThreadNotFoundError: There is no such task.
    """
    try:
        encoded = encode(value, _PLAIN)
    except EncodeError as exc:
        raise AssetError(str(exc), advice="Save data of builtin types; what is large belongs in a file.") from exc
    variable = Variable(
        id=new_id(),
        task_id=task_id,
        type=type(value).__name__,
        value=encoded,
        description=description[:_MAX_DESCRIPTION_CHARS],
        created_at=utc_now(),
    )
    await store.save_variable(variable)
    return variable


def load_value(variable: Variable) -> object:
    """Return the value that was saved, its types kept.

    Raises:
        AssetError: It was saved as JSON that is no value of Python's.
    """
    try:
        return decode(variable.value, _PLAIN)
    except DecodeError as exc:
        raise AssetError(str(exc), advice="Look at its JSON instead.") from exc


async def save_file(store: Store, files: AssetFiles, content: bytes, *, name: str, task_id: str) -> Asset:
    """Save a file for a task. What it is its bytes say, not its name. Returns when it is committed.

    Args:
        store: Where what is known of it goes.
        files: Where its content goes.
        content: All of it.
        name: For people to read; of a path the last part.
        task_id: The task for which its id counts, until it is given to others.

    Raises:
        AssetError: It is empty or too large.
        ThreadNotFoundError: There is no such task.
        WorkspaceError: It cannot be written; see its kinds.
    """
    sha256 = await asyncio.to_thread(files.save, content)
    ref = AssetRef(
        id=new_id(),
        name=clean_name(name),
        sha256=sha256,
        media_type=find_media_type(content),
        size_bytes=len(content),
    )
    asset = Asset(ref=ref, task_id=task_id, created_at=utc_now())
    await store.save_asset(asset)
    return asset
