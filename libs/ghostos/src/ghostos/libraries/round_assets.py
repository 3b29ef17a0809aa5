"""`Assets` for one round."""

from pathlib import Path
from typing import Final

from ghostos.config import AppSettings
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.assets import Assets
from ghostos.contracts.session import Session
from ghostos.contracts.store import Store
from ghostos.core.asset import AssetRef
from ghostos.libraries.saved_for_code import RoundStore, check_text, in_words_for_code, need_ghost
from ghostos.libraries.scratch_files import CodeFiles, ScratchFiles, UnconfinedFiles
from ghostos.runtime.loop_thread import LoopThread
from ghostos.runtime.saved_values import save_file
from ghostos_container import Container
from ghostos_moss import Executor

__all__ = ["NoAssets", "RoundAssets", "make_assets"]

_MOST_SHOWN: Final = 20
"""In one round."""


class RoundAssets(Assets):
    """Its methods are called from other threads than the Matrix's. What is saved is committed at once.

    Args:
        own: The store for the round's task.
        files: Where contents lie.
        code_files: What code names by path.
    """

    def __init__(self, own: RoundStore, *, files: AssetFiles, code_files: CodeFiles) -> None:
        self._own = own
        self._files = files
        self._code_files = code_files
        self._shown: list[AssetRef] = []
        own.session.before_commit(self._leave)

    def save_file(self, path: str | Path) -> str:
        """See `Assets`."""
        content = self._code_files.read(path, max_bytes=self._files.max_bytes)
        saving = save_file(self._own.store, self._files, content, name=str(path), task_id=self._own.task_id)
        return self._own.ask(saving).ref.id

    def show(self, id: str) -> None:
        """See `Assets`."""
        ref = self._find(id)
        if ref.message_type is None:
            raise ValueError(f"{ref.name} is no PNG, JPEG, GIF, WebP, WAV, MP3 or Ogg, whatever it is called")
        if len(self._shown) >= _MOST_SHOWN:
            raise ValueError(f"at most {_MOST_SHOWN} are shown at once: end your turn, and go on in the next")
        self._read(ref)
        self._shown.append(ref)

    def load(self, id: str, path: str | Path) -> None:
        """See `Assets`."""
        self._code_files.write(path, self._read(self._find(id)))

    def give(self, id: str, thread: str) -> None:
        """See `Assets`."""
        self._own.give("asset", id, thread)

    def _find(self, id: object) -> AssetRef:
        asked = check_text(id, "id")
        return self._own.ask(self._own.store.get_asset(asked, task_id=self._own.task_id)).ref

    def _read(self, ref: AssetRef) -> bytes:
        with in_words_for_code():
            return self._files.read(ref.sha256)

    def _leave(self) -> None:
        """Put what is shown into the thread, when the round is over: after what the code put out."""
        for ref in self._shown:
            if (message_type := ref.message_type) is not None:
                self._own.session.add(ref.name, role="environment", type=message_type, data=ref.to_data())
        self._shown.clear()


class NoAssets(Assets):
    """Stands on a `Moss` that no ghost works in."""

    def save_file(self, path: str | Path) -> str:
        """See `Assets`."""
        raise need_ghost("assets")

    def show(self, id: str) -> None:
        """See `Assets`."""
        raise need_ghost("assets")

    def load(self, id: str, path: str | Path) -> None:
        """See `Assets`."""
        raise need_ghost("assets")

    def give(self, id: str, thread: str) -> None:
        """See `Assets`."""
        raise need_ghost("assets")


def make_assets(container: Container) -> Assets:
    """Return those of the round that a container belongs to; a stand-in where it belongs to none."""
    session = container.get(Session)
    if session is None:
        return NoAssets()
    store, loop_thread = container.force_fetch(Store), container.force_fetch(LoopThread)
    is_confined = container.force_fetch(Executor).name != "off"
    folder = container.force_fetch(AppSettings).workspace.scratch / session.task.id
    return RoundAssets(
        RoundStore(session, store=store, loop_thread=loop_thread),
        files=container.force_fetch(AssetFiles),
        code_files=ScratchFiles(folder.resolve()) if is_confined else UnconfinedFiles(),
    )
