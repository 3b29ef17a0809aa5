"""What a client says in one go: texts, and files that go with them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.store import Store
from ghostos.errors import AssetError, UsageError
from ghostos.runtime.attachments import MAX_ATTACHMENTS
from ghostos.runtime.saved_values import save_file


@dataclass(frozen=True, slots=True)
class ClientInput:
    """One input.

    Attributes:
        text: All that is said.
        files: What goes with it.
    """

    text: str
    files: tuple[Path, ...] = ()


def read_input(parts: str | Path | Sequence[str | Path]) -> ClientInput:
    """Return what was said, from texts and paths of files, in order.

    Raises:
        UsageError: Nothing is said, or too many files are given.
    """
    given = [parts] if isinstance(parts, str | Path) else [*parts]
    files = tuple(part for part in given if isinstance(part, Path))
    text = "\n\n".join(part for part in given if isinstance(part, str))
    if not given:
        raise UsageError("Nothing was said.", advice="Pass a text, a pathlib.Path of a file, or several of them.")
    if len(files) > MAX_ATTACHMENTS:
        raise UsageError(
            f"{len(files)} files are too many for one input.", advice=f"Send at most {MAX_ATTACHMENTS} at once."
        )
    return ClientInput(text, files)


async def save_files(paths: Iterable[Path], *, store: Store, files: AssetFiles, task_id: str) -> list[str]:
    """Save files for a task, and return the ids of their assets, in order.

    Raises:
        AssetError: One cannot be read, is empty or too large.
    """
    ids: list[str] = []
    for path in paths:
        try:
            content = await asyncio.to_thread(path.expanduser().read_bytes)
        except OSError as exc:
            raise AssetError(
                f"The file {path} cannot be read: {exc.strerror or exc}.", advice="Name a file that is there."
            ) from exc
        ids.append((await save_file(store, files, content, name=path.name, task_id=task_id)).ref.id)
    return ids
