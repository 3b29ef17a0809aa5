"""Confining the present process, for good. The order matters: the filter of system calls comes last."""

import math
import os
import platform
import resource
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from ghostos_moss._limits import Limits
from ghostos_moss._process._grants import Grants
from ghostos_moss._process._landlock import restrict_files
from ghostos_moss._process._python_reach import PythonReach
from ghostos_moss._process._seccomp import build_filter, install_filter
from ghostos_moss._process._system import drop_capabilities, open_unlinked, set_process_option

__all__ = ["WorkerPlan", "confine", "die_with_parent", "give_up_privileges", "prepare_to_confine"]

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_FOR_NET: Final = tuple(
    f"/etc/{name}"
    for name in ("resolv.conf", "hosts", "nsswitch.conf", "host.conf", "gai.conf", "services", "protocols")
)
_PROGRAMS: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt")


def prepare_to_confine(*, never: Sequence[Path]) -> PythonReach:
    """Do once what is the same for every worker; what each may read is returned. Arguments: `PythonReach`."""
    build_filter(platform.machine(), pid=os.getpid())
    reach = PythonReach(never=never)
    reach.find_code()
    return reach


class WorkerPlan(msgspec.Struct, frozen=True):
    """What one worker may have. Where a link lies on the way to one of its paths when it is made, that is left out.

    Attributes:
        scratch: Its current folder, where it may write. There is no worker without it.
        read: Files and folders of its module that it may read beside the system's and Python's.
        listed: Folders whose names it may list.
        grants: What the user allows beside that.
        limits: How much of the machine it may use.
    """

    scratch: str
    read: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    grants: Grants = Grants()
    limits: Limits = Limits()


def die_with_parent(parent: int) -> None:
    """Be killed when the parent ends; at once, if it has ended already."""
    set_process_option("parent death signal", _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def give_up_privileges() -> None:
    """Drop all capabilities and any way to get one back. Children inherit it.

    Raises:
        SystemCallError: They cannot be dropped.
    """
    set_process_option("no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)
    drop_capabilities()


def confine(plan: WorkerPlan, reach: PythonReach) -> int | None:
    """Keep this process, whose parent has given up all privileges, from everything but its plan and what Python needs.

    Returns:
        What `install_filter` returns; None where the plan has everything.

    Raises:
        SystemCallError: A layer cannot be had. What was set before stays.
        OSError: The scratch folder cannot be entered: it is gone, or a link is in its place.
    """
    scratch = open_unlinked(plan.scratch)
    try:
        _enter(scratch, name=plan.scratch)
        os.environ.update({"HOME": plan.scratch, "TMPDIR": plan.scratch})
        _limit(plan.limits)
        return None if plan.grants.everything else _keep_from_all_else(plan, reach, scratch=scratch)
    finally:
        os.close(scratch)


def _enter(folder: int, *, name: str) -> None:
    try:
        os.fchdir(folder)
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, name) from exc


def _keep_from_all_else(plan: WorkerPlan, reach: PythonReach, *, scratch: int) -> int | None:
    grants = plan.grants
    set_process_option("dumpable", _PR_SET_DUMPABLE, 0)
    restrict_files(
        own=scratch,
        system=[*reach.whole, *map(Path, _FOR_NET if grants.net else ())],
        read=[*reach.find_code(), *map(Path, plan.read), *map(Path, grants.read)],
        listed=[*reach.roots, *map(Path, plan.listed)],
        write=[Path(path) for path in grants.write],
        execute=[Path(folder) for folder in _PROGRAMS] if grants.run else [],
        devices=[Path(os.devnull)],
        may_connect=grants.net,
    )
    return install_filter(net=grants.net, run=grants.run)


def _limit(limits: Limits) -> None:
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    used_s = math.ceil(time.process_time())
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CPU, resource.RLIM_INFINITY if limits.cpu_s is None else used_s + limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_AS, in_use + limits.memory_bytes),
    ):
        _, hard = resource.getrlimit(kind)
        limit = min((each for each in (value, hard) if each != resource.RLIM_INFINITY), default=resource.RLIM_INFINITY)
        resource.setrlimit(kind, (limit, limit))
