"""From the command to a page that can be used: `python -m benchmarks.web.start`.

The browser runs already, and files are warm.
"""

import tempfile
from pathlib import Path

from benchmarks.web.page import READY, now, open_browser, serve

_RUNS = 5


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        command = ["-m", "ghostos", "web", "ghostos.demo.sphero.bolt_gpt", "--headless", "--port", "0"]
        command += ["--workspace", str(Path(folder) / "workspace")]
        times: list[tuple[float, float]] = []
        for _ in range(_RUNS + 1):
            context = browser.new_context()
            page = context.new_page()
            began = now()
            with serve(command) as server:
                served = now()
                page.goto(server.address)
                page.locator(READY).wait_for()
                times.append((served - began, now() - began))
                context.close()
    for label, column in (("address printed", 0), ("page can be used", 1)):
        figures = sorted(each[column] for each in times[1:])
        print(f"  {label:<18} median {figures[len(figures) // 2]:5.2f} s, best {figures[0]:5.2f}  (at most 2.5)")


if __name__ == "__main__":
    main()
