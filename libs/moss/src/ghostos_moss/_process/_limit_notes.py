"""What a run came up against, where what Python says of it names no limit."""

from ghostos_moss._limits import Limits
from ghostos_moss._process._orders import RunReply

__all__ = ["describe_limit"]

_MIB = 1024**2


def describe_limit(reply: RunReply | None, limits: Limits) -> tuple[str, ...]:
    """Return a note on the limit that ended a run, as far as its error tells; the code may have raised it itself."""
    said = "" if reply is None else reply.error or ""
    for sign, limit, name in (
        ("RuntimeError: can't start new thread", f"{limits.threads} threads at once", "threads"),
        ("MemoryError", f"{limits.memory_bytes // _MIB:,} MiB of memory", "memory"),
        ("OSError: [Errno 27]", f"files of {limits.file_bytes // _MIB:,} MiB", "file size"),
        ("OSError: [Errno 24]", f"{limits.open_files} open files and sockets", "open files"),
    ):
        if said.startswith(sign):
            return (f"Confined code may have {limit}; the user can set that (limit of {name}).",)
    return ()
