"""Public frameworks for agents that keep their threads, each in an environment of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

INSTALL_TIMEOUT_S = 900
DEFAULT_CACHE = Path("~/.cache/ghostos-benchmarks").expanduser()


@dataclass(frozen=True, slots=True)
class Peer:
    """A framework from the registry.

    Attributes:
        name: As `peer_probe` knows it.
        title: With what keeps its threads.
        requirements: For pip, exact; the first names the version.
    """

    name: str
    title: str
    requirements: tuple[str, ...]

    @property
    def version(self) -> str:
        """Of the framework itself."""
        return self.requirements[0].rpartition("==")[2]


PEERS = (
    Peer("pydantic-ai", "pydantic-ai, thread in memory", ("pydantic-ai-slim[openai]==2.68.0",)),
    Peer("openai-agents", "openai-agents + SQLiteSession", ("openai-agents==0.24.0",)),
    Peer(
        "langgraph",
        "LangGraph + AsyncSqliteSaver",
        (
            "langgraph==1.2.24",
            "langgraph-checkpoint-sqlite==3.1.2",
            "langchain==1.5.2",
            "langchain-openai==1.7.4",
        ),
    ),
)


def install(peer: Peer, *, cache: Path) -> Path | str:
    """The interpreter of the peer's environment, made if there is none; or the reason why there cannot be one."""
    folder = cache / f"{peer.name}-{peer.version}-py{sys.version_info.major}.{sys.version_info.minor}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if complete.exists():
        return python
    print(f"installing {' '.join(peer.requirements)} into {folder} ...", flush=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for command in ([sys.executable, "-m", "venv", str(folder)], [*pip, *peer.requirements]):
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, env=clean_environment()
            )
    except (subprocess.SubprocessError, OSError) as exc:
        return describe(exc)
    complete.touch()
    return python


def describe(exc: Exception) -> str:
    """One line: the last error that a program wrote, where there is one."""
    if not isinstance(exc, subprocess.CalledProcessError):
        return str(exc)
    lines = str(exc.stderr or "").strip().splitlines()
    return next((line for line in reversed(lines) if "error" in line.lower()), f"status {exc.returncode}")


def clean_environment() -> dict[str, str]:
    """Ours, without what leads an interpreter to other packages or keeps it from storing bytecode."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in left_out}
