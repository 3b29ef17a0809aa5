"""Python values to JSON and back, their types kept.

Plain JSON values are themselves; anything else is an object with the key `$type`:

```
{"$type": "set", "value": ["a", "b"]}
{"$type": "obj", "class": "Point", "value": {"x": 1, "y": 2}}       a model, dataclass or named tuple
{"$type": "enum", "class": "Color", "name": "RED"}                  or "value", for a combination of flags
{"$type": "dict", "value": [[1, "one"], [2, "two"]]}                keys that are not text
```

Stored are: None, bool, int, float, str, bytes, bytearray, complex, list, tuple, dict, set, frozenset, range, deque,
OrderedDict, defaultdict, Counter, datetime, date, time, timedelta, Decimal, UUID, Path, re.Pattern, and the enums,
named tuples, dataclasses and pydantic models that the module sees. A subclass of a builtin type, an object of any
other class, code and secrets are refused: nothing is stored as something else than it is.

Data is never trusted: classes are found by the names that a live module sees and only if they are data, nothing is
imported, and what does not fit is a `DecodeError`.
"""

from ghostos_common._decode import decode
from ghostos_common._encode import encode
from ghostos_common._format import MAX_BYTES, MAX_DEPTH, Json, dumps, loads
from ghostos_common._namespace import Namespace
from ghostos_common.errors import DecodeError, EncodeError

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "DecodeError",
    "EncodeError",
    "Json",
    "Namespace",
    "decode",
    "dumps",
    "encode",
    "loads",
]
