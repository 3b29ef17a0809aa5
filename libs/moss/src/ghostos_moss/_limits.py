"""How much confined code may use."""

from dataclasses import dataclass
from typing import Final

from ghostos_moss._capture import MAX_OUTPUT_CHARS

__all__ = ["Limits"]

_MIB: Final = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker may use; the defaults suit ordinary analysis with numpy, pandas and matplotlib.

    Attributes:
        memory_bytes: Address space beyond what Python and the libraries take.
        cpu_s: Seconds of processor time, of all threads together, from its first session to its end; its process is
            ended after them. None: no limit but the deadline of each run.
        file_bytes: Size of the largest file that it may write.
        open_files: Files and sockets that it may have open at once.
        threads: Threads that it may have at once, its own few included.
        calls: Host calls in one run.
        output_chars: Of what one run prints that much is kept, half from its beginning and half from its end.
    """

    memory_bytes: int = 4096 * _MIB
    cpu_s: int | None = None
    file_bytes: int = 256 * _MIB
    open_files: int = 256
    threads: int = 256
    calls: int = 100_000
    output_chars: int = MAX_OUTPUT_CHARS
