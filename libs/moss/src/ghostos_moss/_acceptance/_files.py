"""Which content of the user's own files runs on the host: what they accepted."""

import logging
import os
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from ghostos_moss._acceptance._causes import describe_cause
from ghostos_moss._acceptance._host_parts import concerns_host
from ghostos_moss._acceptance._imports import find_imports, sys_path
from ghostos_moss._acceptance._local_files import Content, find_files, read_content
from ghostos_moss._acceptance._record import ANYWHERE, AcceptedFile, Record, RecordStore
from ghostos_moss._acceptance._target_links import is_led_elsewhere
from ghostos_moss._acceptance._waiting import (
    COMPILED,
    GONE,
    RefusedFile,
    Waiting,
    WaitingFile,
    describe_change,
    make_advice,
    put_together,
    shorten_target,
)
from ghostos_moss._places import find_places, import_root, is_inside
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import AcceptanceRecordError, NotAcceptedError

__all__ = ["AcceptedFiles"]

_logger = logging.getLogger(__name__)

_MEMO: Final = "admitted"
_MAX_ASKED: Final = 1000


class AcceptedFiles:
    """What the host runs of the user's files: what was there when they first named it, and what they changed since.

    Where code could write since a file was last accepted, other content of it does not run before it is accepted:
    `find_waiting` and `accept`.

    Args:
        folder: Where that is recorded. No code may write there.
        shared: Likewise, for all workspaces of the user: where code may write under one of them counts in the others.
        always_written: Folders in which code may write without being allowed to.
    """

    def __init__(self, folder: Path, *, shared: Path | None = None, always_written: Sequence[Path] = ()) -> None:
        self._store = RecordStore(folder)
        self._shared = RecordStore(shared) if shared is not None else None
        self._stores = [self._store, *([self._shared] if self._shared is not None else [])]
        self._always_written = [str(place) for each in always_written for place in find_places(each)]
        self._granted: set[str] = set()
        self._followed: list[ModuleSource] = []
        self._is_following_written = False
        self._is_used = False
        self._fresh: dict[str, str] = {}
        self._refused: dict[str, RefusedFile] = {}
        self._token = object()

    def check(self, source: ModuleSource) -> None:
        """Make sure that a target may be used: the host runs it, goes by what it says, or read it through code's link.

        Raises:
            NotAcceptedError: It waits for the user.
            AcceptanceRecordError: That cannot be known.
        """
        if source.memo.get(_MEMO) is self._token or not os.path.isabs(source.filename):
            return
        if not self._is_following_written:
            self._follow_written(source.filename)
        is_known = source.filename in self._fresh or source.filename in self._store.read().files
        if not (is_known or concerns_host(source) or is_led_elsewhere(source, self._list_written())):
            return
        self.admit(source.filename, source.digest, target=source.filename)
        source.memo[_MEMO] = self._token

    def follow(self, source: ModuleSource) -> None:
        """From now on this process imports what is beside a target, and only what is accepted."""
        if source in self._followed:
            return
        self._followed.append(source)
        self.follow_folder(import_root(source.filename, package=source.package), target=source.filename)

    def follow_folder(self, folder: str, *, target: str, name: str | None = None) -> None:
        """As `follow`; a folder from which Python itself imports is left to it, if no code could ever write there.

        Args:
            folder: Absolute.
            target: Names what the user is told to look at.
            name: Of a module at the top level: no other one is found there. None: all are.
        """
        if folder in sys_path() and not self._is_reached(folder):
            return
        find_imports().follow(folder, target=target, admitter=self, name=name)

    def admit(self, path: str, digest: str, *, target: str, is_text: bool = True) -> None:
        """Let content be executed, or not; what nobody else could have written is accepted as it comes.

        Args:
            path: Of its file.
            digest: Of what was read, and is to be executed.
            target: As above.
            is_text: What was read is what is executed. Otherwise it is read again then.

        Raises:
            NotAcceptedError: It waits for the user.
            AcceptanceRecordError: That cannot be known.
        """
        if self._fresh.get(path) == digest:
            return
        accepted = self._store.read().files.get(path)
        if accepted is not None and accepted.digest == digest and is_text:
            return
        self._decide(path, digest, target=target, is_text=is_text)

    def is_written(self, path: str) -> bool:
        """Whether code could ever write a file, or the bytecode that Python keeps of it."""
        written = self._list_written()
        bytecode = os.path.join(os.path.dirname(path), "__pycache__")
        return _meet(bytecode, written) or any(is_inside(place, each) for place in _places(path) for each in written)

    def check_gone(self, path: str, *, target: str) -> None:
        """Have a file that was accepted and is not there any more count as changed.

        Raises:
            NotAcceptedError: It waits for the user.
            AcceptanceRecordError: That cannot be known.
        """
        if self._fresh.get(path, GONE) != GONE or path in self._store.read().files:
            self._decide(path, GONE, target=target, is_text=True)

    def check_record(self) -> int:
        """Return how many files are recorded.

        Raises:
            AcceptanceRecordError: The record, or the one that is shared, cannot be used.
        """
        own, *_ = [store.read_anew() for store in self._stores]
        return len(own.files)

    def list_refused(self) -> list[RefusedFile]:
        """Return the files that were to run here and had to wait."""
        return [*self._refused.values()]

    def keep(self) -> None:
        """Record what ran here so far, and from now on at once. Before that nothing is made, for a use that fails."""
        self._is_used = True
        if not self._fresh:
            return
        try:
            with self._store.change() as record:
                self._take_over(record)
        except AcceptanceRecordError as exc:
            if exc.is_written:
                raise
            _logger.info("what runs on the host is not recorded: %s", exc)

    def grant(self, paths: Iterable[str], *, source: ModuleSource) -> None:
        """Record, before it begins, that code is given the right to write somewhere.

        What a target imports from there counts as accepted as it is now, unless code could write there before.

        Args:
            paths: Absolute, without links.
            source: The target whose code it is.

        Raises:
            AcceptanceRecordError: It cannot be recorded.
        """
        fresh = {path for path in paths if path not in self._granted}
        if not fresh:
            return
        with self._store.change() as record:
            self._take_over(record)
            used = (source, *self._followed)
            targets = [each for each in used if concerns_host(each) or is_led_elsewhere(each, fresh)]
            own = [path for each in targets for path in self._find_files(each, record, written=fresh)]
            for path in dict.fromkeys([*own, *record.files]):
                places = _places(path)
                is_covered = any(is_inside(place, granted) for place in places for granted in fresh)
                if is_covered and not self._is_held(path, record):
                    self._accept_as_it_is(path, record)
            at = self._share(fresh, record.next_moment())
            self._store.hold(fresh)
            record.grants.update(dict.fromkeys(fresh, at))
        self._granted |= fresh
        self._follow_written(source.filename)

    def find_waiting(self, source: ModuleSource) -> Waiting | None:
        """Return what waits before a target can be used; None where nothing does.

        Raises:
            OSError: A file cannot be read.
            AcceptanceRecordError: The record cannot be read.
        """
        return self._find_waiting(source, self._store.read_anew())

    def accept(self, source: ModuleSource, id: str) -> Waiting | None:
        """Accept exactly what waits under an id.

        Returns:
            What was accepted; None where something else waits now, or nothing: then nothing was.

        Raises:
            OSError: A file cannot be read.
            AcceptanceRecordError: The record cannot be used.
        """
        with self._store.change() as record:
            waiting = self._find_waiting(source, record)
            if waiting is None or waiting.id != id:
                return None
            at = record.next_moment()
            for file in waiting.files:
                record.files.pop(file.path, None)
                if file.digest != GONE:
                    self._keep(file.path, Content(file.digest, file.text), record, at=at)
            record.asked.pop(source.filename, None)
            self._keep_held([file.path for file in waiting.files], record)
            self._store.drop_texts(record)
        return waiting

    def accept_source(self, source: ModuleSource) -> None:
        """Accept a source that the user had written into its file.

        Raises:
            AcceptanceRecordError: The record cannot be used.
        """
        with self._store.change() as record:
            if concerns_host(source) or source.filename in record.files:
                content = Content(source.digest, source.text)
                self._keep(source.filename, content, record, at=record.next_moment())
                self._keep_held([source.filename], record)

    def close(self) -> None:
        """Code of this process does not write any more, and nothing is imported for it. Harmless twice."""
        find_imports().leave(self)
        for store in self._stores:
            store.release()

    def _decide(self, path: str, digest: str, *, target: str, is_text: bool) -> None:
        change = self._find_change(path, digest, self._store.read_anew(), is_text=is_text)
        if not change:
            self._fresh[path] = digest
            if self._is_used:
                self.keep()
            return
        with self._store.change() as record:
            asked = record.asked.setdefault(target, [])
            if path not in asked and len(asked) < _MAX_ASKED:
                asked.append(path)
        _logger.info("%s %s, and waits until it is accepted", path, change)
        self._refused[path] = RefusedFile(path, change, shorten_target(target))
        grants = [store.read_anew().grants for store in self._stores]
        cause = describe_cause(_places(path), grants, always_written=self._always_written)
        raise NotAcceptedError(path, change, advice=make_advice(target), cause=cause)

    def _share(self, paths: Collection[str], at: int) -> int:
        """Let other workspaces know where code may write; the moment from which on it may."""
        if self._shared is None:
            return at
        try:
            with self._shared.change() as record:
                at = max(at, record.next_moment())
                self._shared.hold(paths)
                record.grants.update(dict.fromkeys(paths, at))
        except AcceptanceRecordError as exc:
            if exc.is_written:
                raise
            _logger.info("other workspaces do not know where code may write: %s", exc)
        return at

    def _take_over(self, record: Record) -> None:
        """Record what ran here as it came; not what code could have written by now."""
        while self._fresh:
            path, digest = self._fresh.popitem()
            if self._is_held(path, record):
                continue
            if digest == GONE:
                record.files.pop(path, None)
            else:
                record.files[path] = AcceptedFile(digest, record.next_moment())

    def _find_change(self, path: str, digest: str, record: Record, *, is_text: bool) -> str:
        """What happened to a file, where that has to wait; "" where its content may be executed."""
        accepted = record.files.get(path)
        if not self._is_held(path, record) or (accepted is not None and accepted.digest == digest and is_text):
            return ""
        if not is_text and accepted is not None and accepted.digest == digest:
            return COMPILED
        return describe_change(accepted, digest)

    def _is_held(self, path: str, record: Record) -> bool:
        """Whether code could have written a file since it was accepted, or can now."""
        places = _places(path)
        if any(is_inside(place, folder) for place in places for folder in self._always_written):
            return True
        accepted = record.files.get(path)
        for store in self._stores:
            each = record if store is self._store else store.read_anew()
            reaching = [granted for granted in each.grants if any(is_inside(place, granted) for place in places)]
            if reaching and accepted is None:
                return True
            if any(accepted is not None and each.grants[granted] >= accepted.at for granted in reaching):
                return True
            if reaching and any(is_inside(place, held) for held in store.list_held() for place in places):
                return True
        return False

    def _keep_held(self, paths: Sequence[str], record: Record) -> None:
        """Have files that were accepted just now wait when they change while code that runs now can write them."""
        live = {granted for store in self._stores for granted in store.list_held()}
        places = [place for path in paths for place in _places(path)]
        pairs = [(place, granted) for granted in live for place in places if is_inside(place, granted)]
        reaching = [place if granted == ANYWHERE else granted for place, granted in pairs]
        record.grants.update(dict.fromkeys(reaching, record.next_moment()))

    def _follow_written(self, target: str) -> None:
        """Have what code could write not be imported unseen where Python itself imports from there."""
        self._is_following_written = True
        for folder in sys_path():
            if self._is_reached(folder):
                find_imports().follow(folder, target=target, admitter=self)

    def _is_reached(self, folder: str) -> bool:
        """Whether code could ever write something in a folder."""
        return _meet(folder, self._list_written())

    def _list_written(self) -> list[str]:
        granted = [path for store in self._stores for path in store.read().grants]
        return [*self._always_written, *granted]

    def _accept_as_it_is(self, path: str, record: Record) -> None:
        try:
            content = read_content(path)
        except OSError:  # it cannot be executed either; when it can, it is new
            record.files.pop(path, None)
            return
        self._keep(path, content, record, at=record.next_moment())

    def _keep(self, path: str, content: Content, record: Record, *, at: int) -> None:
        record.files[path] = AcceptedFile(content.digest, at)
        if content.text is not None:
            self._store.keep_text(content.digest, content.text)

    def _find_waiting(self, source: ModuleSource, record: Record) -> Waiting | None:
        own: list[str] = []
        if source.filename in record.files or concerns_host(source) or is_led_elsewhere(source, self._list_written()):
            own = self._find_files(source, record, written=self._list_written())
        files = [self._examine(path, record) for path in sorted({*own, *record.asked.get(source.filename, [])})]
        return put_together(file for file in files if file is not None)

    def _find_files(self, source: ModuleSource, record: Record, *, written: Collection[str]) -> list[str]:
        """The files of a target, if code writes where it lies."""
        root = import_root(source.filename, package=source.package)
        if not _meet(root, written):
            return []
        return find_files(
            read_content(source.filename).text or "",
            filename=source.filename,
            package=source.package,
            root=root,
            known=record.files.keys(),
            is_elsewhere=partial(find_imports().is_elsewhere, root=root),
        )

    def _examine(self, path: str, record: Record) -> WaitingFile | None:
        accepted = record.files.get(path)
        content = read_content(path) if os.path.isfile(path) else Content(GONE, None)
        is_same = (accepted.digest if accepted else GONE) == content.digest
        is_sure = content.text is not None or content.digest == GONE
        if (is_same and is_sure) or not self._is_held(path, record):
            return None
        before = self._store.find_text(accepted.digest) if accepted else None
        change = COMPILED if is_same else describe_change(accepted, content.digest)
        return WaitingFile(path, change, before, content.text, content.digest)


def _meet(folder: str, paths: Collection[str]) -> bool:
    """Whether one of some paths is in a folder, or above it."""
    return any(is_inside(place, path) or is_inside(path, place) for place in _places(folder) for path in paths)


def _places(path: str) -> list[str]:
    return [str(place) for place in find_places(Path(path))]
