"""The model server as a process of its own, for tests that start processes and for benchmarks.

    python -m ghostos.testing.model_server --script FILE [--port 0] [--ledger FILE]

FILE is JSON: `{"replies": ["text", {"kind": "error", "status": 429}], "repeat": "text or reply"}`. The address is the
one line on stdout. The process serves until its stdin ends or SIGTERM comes; its exit status is 1, with the reason on
stderr, when script and requests did not match.
"""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from ghostos.errors import ScriptError
from ghostos.testing.replies import Script
from ghostos.testing.server import ModelServer

__all__: list[str] = []


def main() -> int:
    """Serve until told to stop, and return the exit status."""
    parser = argparse.ArgumentParser(description="Answers chat completions from a script.")
    parser.add_argument("--script", type=Path, required=True, help="JSON: replies, and one to repeat")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--ledger", type=Path, help="gets one JSON line per request")
    options = parser.parse_args()
    script = Script.model_validate_json(options.script.read_bytes())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = ModelServer(script.replies, repeat=script.repeat, port=options.port, ledger=options.ledger)
    try:
        with server:
            sys.stdout.write(f"{server.base_url}\n")
            sys.stdout.flush()
            with contextlib.suppress(KeyboardInterrupt):
                sys.stdin.read()
    except ScriptError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
