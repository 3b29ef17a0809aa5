"""Imports all of it."""

import numpy as np
import parts.types as kinds
from numpy import add, ndarray
from parts import defaults, sourceless
from parts.defaults import *
from parts.defaults import (
    BIG,
    COUNTS,
    FROZEN,
    GROUPS,
    HANDLERS,
    HERE,
    NESTED,
    PATTERN,
    PLAIN,
    POINTED,
    PRICES,
    QUEUE,
    SENTINEL,
    WORDS,
    Access,
    Holder,
    Plain,
    Settings,
    Tone,
    bound,
    partly,
    with_addresses,
    with_files,
    with_sets,
)
from parts.listed import *
from parts.sourceless import (
    FromText,
    Hidden,
    Keys,
    Made,
    Record,
    Row,
    Shade,
    Untold,
    append,
    call,
    distance,
    from_lambda,
    from_text,
    join,
    length,
    now,
    reduced,
    second,
    untold,
)
from parts.starred import *
from parts.types import (
    Base,
    Box,
    Callback,
    Left,
    Mode,
    Name,
    Node,
    Options,
    Owner,
    Pair,
    Point,
    Positive,
    Reader,
    Right,
    Size,
    Tree,
    connected,
    convert,
    opened,
    remembered,
    wrapped,
)
from parts.types import Node as Knot
from parts.types import Row as Line

from ghostos_moss import Moss as Parent


class Moss(Parent):
    box: Box[int] | None = None
    words: set[str] = {"mine", "yours", "theirs"}
    array: np.ndarray | None = None
    settings: Settings = Settings()
