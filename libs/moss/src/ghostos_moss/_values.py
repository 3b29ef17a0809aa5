"""What of a `moss` is stored: encoding it after a run, and putting it back when a run failed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import msgspec

from ghostos_common.codec import Namespace, decode, dumps, encode
from ghostos_common.errors import DecodeError, EncodeError
from ghostos_moss._fingerprint import fingerprint_of
from ghostos_moss._inject import Assembly
from ghostos_moss._pycontext import Json
from ghostos_moss._redact import bounded
from ghostos_moss.errors import ContextValueError

__all__ = [
    "MAX_NAMES",
    "MAX_NAME_CHARS",
    "MAX_NOTES",
    "MAX_NOTE_CHARS",
    "MAX_TOTAL_BYTES",
    "MAX_VALUE_BYTES",
    "StoredValues",
    "decode_value",
]

MAX_VALUE_BYTES: Final = 1024 * 1024
MAX_TOTAL_BYTES: Final = 8 * 1024 * 1024
MAX_NAME_CHARS: Final = 200
MAX_NAMES: Final = 10_000
MAX_NOTES: Final = 30
"""In one run."""
MAX_NOTE_CHARS: Final = 500
_FINGERPRINT_BYTES: Final = 64 * 1024
_MAX_MARKED_BYTES: Final = 256 * 1024
"""Of what cannot be stored and is larger, changes in place are not seen: looking is not worth the time."""
_SCALARS: Final = frozenset({type(None), bool, int, str})
_as_bytes: Final = msgspec.json.Encoder().encode
"""JSON ten times as fast as the codec's own. These bytes stay here: they are compared, measured and read back."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """One committed value. The bytes are what it is rolled back to: nothing outside can change them."""

    json: Json
    text: bytes
    fingerprint: bytes | None = None


class StoredValues:
    """The committed values of one moss.

    Args:
        assembly: The moss, filled. Committed at once.
        namespace: The classes that values may be of: those of the module as it was compiled.
        kept: Stored values that could not be restored. They stay until the code gives the attribute another value.
        restored: What values that are on moss now were restored from.
        notes: What the model is to be told first.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        namespace: Namespace,
        kept: Mapping[str, Json],
        restored: Mapping[str, Json] | None = None,
        notes: Iterable[str] = (),
    ) -> None:
        self._assembly = assembly
        self._namespace = namespace
        self._kept = {name: _Stored(raw, dumps(raw)) for name, raw in kept.items()}
        self._stand_ins: dict[str, bytes | None] = {}
        self._stored: dict[str, _Stored] = {}
        self._unstorable: dict[str, object] = {}
        self._told: set[str] = set()
        self._notes = [*notes]
        self._class_made: dict[str, object] = {}
        self._marks: dict[str, bytes] = {}
        self._commit(self._large(restored or {}))
        self.accept_as_made()
        self._told, self._notes = set(), [*notes]
        for name in self._kept:
            entry = self._stored.get(name)
            self._stand_ins[name] = entry.text if entry else None
            self._stored[name] = self._kept[name]

    def values(self) -> dict[str, Json]:
        """The committed values, by attribute."""
        return {name: entry.json for name, entry in self._stored.items()}

    def encode(self, value: object) -> Json:
        """Any value as it would be stored; None for what cannot be."""
        try:
            data = encode(value, self._namespace, max_bytes=MAX_VALUE_BYTES)
            dumps(data)  # refuses text that UTF-8 cannot say
        except EncodeError:
            return None
        return data

    def take_notes(self) -> tuple[str, ...]:
        """What the model is to be told since this was last called."""
        notes, self._notes = tuple(self._notes), []
        return notes

    def tell(self, note: str) -> None:
        """Tell the model, once; as much as it will read."""
        note = bounded(note, MAX_NOTE_CHARS)
        if note in self._told or len(self._notes) > MAX_NOTES:
            return
        self._told.add(note)
        self._notes.append(note if len(self._notes) < MAX_NOTES else "and there is more of that kind.")

    def commit(self) -> None:
        """Encode every public attribute that is not injected. Those are the values from now on."""
        self._commit({})

    def accept_as_made(self) -> None:
        """What cannot be stored now is made again by the next compile: nothing is told of it until it changes."""
        self._class_made = self._unstorable
        marks = {name: fingerprint_of(value, max_bytes=_MAX_MARKED_BYTES) for name, value in self._class_made.items()}
        self._marks = {name: mark for name, mark in marks.items() if mark is not None}

    def _commit(self, known: Mapping[str, _Stored]) -> None:
        fresh: dict[str, _Stored] = {}
        self._unstorable = {}
        total = 0
        for name, value in list(vars(self._assembly.moss).items()):
            if name.startswith("_") or name in self._assembly.injected:
                continue
            entry, room = known.get(name), MAX_TOTAL_BYTES - total if len(fresh) < MAX_NAMES else 0
            try:
                if entry is None or len(entry.text) > room:
                    entry = self._encode(name, value, room=room)
            except ContextValueError as exc:
                self._unstorable[name] = value
                entry = self._stored.get(name)
                if self._is_changed(name, value):
                    self.tell(f"{exc}{'. Its last stored value is kept' if entry else '. It lasts for this run only'}.")
            if entry is not None:
                fresh[name] = entry
                total += len(entry.text)
                self._hint_at_declared(name)
        self._keep_missing(fresh)
        self._stored = fresh

    def _is_changed(self, name: str, value: object) -> bool:
        """Whether what cannot be stored is not as the next compile makes it; what cannot be compared is."""
        if value is not self._class_made.get(name, self):
            return True
        mark = self._marks.get(name)
        if mark is None or fingerprint_of(value, max_bytes=_MAX_MARKED_BYTES) == mark:
            return False
        del self._marks[name]  # it is told once
        return True

    def _large(self, restored: Mapping[str, Json]) -> dict[str, _Stored]:
        """Large values as they were restored: encoding one again takes as long as restoring it did."""
        found: dict[str, _Stored] = {}
        for name, raw in restored.items():
            try:
                text = _as_bytes(raw)
            except (TypeError, ValueError, OverflowError, RecursionError):  # it did not come from here
                continue
            if _FINGERPRINT_BYTES < len(text) <= MAX_VALUE_BYTES:
                own, value = msgspec.json.decode(text), vars(self._assembly.moss)[name]
                if own == raw and (fingerprint := fingerprint_of(value)) is not None:
                    found[name] = _Stored(own, text, fingerprint)
        return found

    def roll_back(self) -> None:
        """Put the committed values back. Those that did not change stay the objects that they are."""
        attributes = vars(self._assembly.moss)
        for name in list(attributes):
            is_known = name in self._stored or name in self._unstorable or name in self._assembly.injected
            if not is_known and not name.startswith("_"):
                del attributes[name]
        for name, entry in self._stored.items():
            if name in self._kept and self._kept[name] is entry:
                self._restore_stand_in(name)
            elif name not in self._unstorable and not self._is_unchanged(name, entry):
                self._put_back(name, entry.text)
        attributes.update(self._unstorable)
        attributes.update(self._assembly.injected)

    def _restore_stand_in(self, name: str) -> None:
        """Where a value is kept raw, what the class gave in its place comes back."""
        text = self._stand_ins.get(name)
        if text is None:
            vars(self._assembly.moss).pop(name, None)
        else:
            self._put_back(name, text)

    def _put_back(self, name: str, text: bytes) -> None:
        try:
            vars(self._assembly.moss)[name] = decode_value(name, msgspec.json.decode(text), namespace=self._namespace)
        except ContextValueError as exc:  # the code changed the class itself
            self.tell(f"{exc}. It is back in the next round; in this one it stays as the code left it.")

    def _keep_missing(self, fresh: dict[str, _Stored]) -> None:
        """What must not be lost: raw values whose stand-in did not change, and required attributes."""
        for name, stand_in in list(self._stand_ins.items()):
            entry = fresh.get(name)
            if (entry.text if entry else None) == stand_in:
                fresh[name] = self._kept[name]
            else:
                del self._stand_ins[name], self._kept[name]
        for name in self._assembly.required:
            if name in self._stored and name not in fresh:
                fresh[name] = self._stored[name]
                self.tell(f"moss.{name} has no default and cannot be deleted: its last stored value is kept.")

    def _is_unchanged(self, name: str, entry: _Stored) -> bool:
        attributes = vars(self._assembly.moss)
        if name not in attributes:
            return False
        try:
            return self._encode(name, attributes[name], room=MAX_TOTAL_BYTES).text == entry.text
        except ContextValueError:
            return False

    def _encode(self, name: str, value: object, *, room: int) -> _Stored:
        if len(name) > MAX_NAME_CHARS:
            reason = f"cannot be stored: its name is longer than {MAX_NAME_CHARS} characters"
            raise ContextValueError(f"{name[:20]}…", reason)
        previous = self._stored.get(name)
        fingerprint = None
        if type(value) in _SCALARS and previous is not None and _is_same(previous.json, value):
            return previous
        if previous is not None and previous.fingerprint is not None:
            fingerprint = fingerprint_of(value)
            if fingerprint == previous.fingerprint:
                return previous
        try:
            data = encode(value, self._namespace, name=f"moss.{name}", max_bytes=MAX_VALUE_BYTES)
            text = _as_bytes(data)
        except EncodeError as exc:
            raise ContextValueError(
                name, f"cannot be stored: {exc.reason}; {exc.path} is of type {exc.type_name}"
            ) from exc
        except Exception as exc:
            raise ContextValueError(name, f"cannot be stored: reading it raised {type(exc).__name__}") from exc
        if len(text) > room:
            raise ContextValueError(
                name, f"cannot be stored: all values together exceed {MAX_TOTAL_BYTES:,} bytes or {MAX_NAMES:,} names"
            )
        if len(text) > _FINGERPRINT_BYTES:
            fingerprint = fingerprint or fingerprint_of(value)
        return _Stored(data, text, fingerprint)

    def _hint_at_declared(self, name: str) -> None:
        declared = self._assembly.declared
        if name in declared or name in self._stored:
            return
        close = get_close_matches(name, sorted(declared), n=1, cutoff=0.75)
        if close:
            self.tell(f"moss.{name} is new: did you mean moss.{close[0]}?")


def decode_value(name: str, data: Json, *, namespace: Namespace) -> object:
    """A live value from a stored one.

    Raises:
        ContextValueError: The module does not see its class any more, or the class refuses it.
    """
    try:
        return decode(data, namespace)
    except DecodeError as exc:
        raise ContextValueError(name, f"cannot be restored: {exc.reason}") from exc
    except Exception as exc:
        raise ContextValueError(name, f"cannot be restored: its class raised {type(exc).__name__}: {exc}") from exc


def _is_same(stored: Json, value: object) -> bool:
    return type(stored) is type(value) and stored == value
