"""From the command to a page that can be used: `python -m benchmarks.web.start`.

The browser runs already, and files are warm.
"""

import socket
import tempfile
from pathlib import Path

from benchmarks.web.page import READY, now, open_browser, serve

_RUNS = 5


def _find_port() -> int:
    """Return a free port, the same for all runs: a browser keeps what it has loaded by address and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        command = ["-m", "ghostos", "web", "ghostos.demo.sphero.bolt_gpt", "--headless", "--port", str(_find_port())]
        command += ["--workspace", str(Path(folder) / "workspace")]
        page = browser.new_context().new_page()
        times: list[tuple[float, float]] = []
        for _ in range(_RUNS + 1):
            page.goto("about:blank")
            began = now()
            with serve(command) as server:
                served = now()
                page.goto(server.address)
                page.locator(READY).wait_for()
                times.append((served - began, now() - began))
    for label, column in (("address printed", 0), ("page can be used", 1)):
        figures = sorted(each[column] for each in times[1:])
        print(f"  {label:<18} median {figures[len(figures) // 2]:5.2f} s, best {figures[0]:5.2f}  (at most 2.5)")


if __name__ == "__main__":
    main()
