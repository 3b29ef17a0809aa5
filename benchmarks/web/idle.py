"""What a page costs that nobody uses: `python -m benchmarks.web.idle`."""

import tempfile
import time
from pathlib import Path

from benchmarks.web.page import READY, open_browser, say, serve, wait_until_done, write_ball

_SECONDS = 20.0
_TABS = 3


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        folder = Path(name)
        target = write_ball(folder)
        with serve(["-m", "benchmarks.web.served", str(target), str(folder / "workspace")]) as server:
            context = browser.new_context()
            pages = [context.new_page()]
            pages[0].goto(server.address)
            pages[0].locator(READY).wait_for()
            say(pages[0], "hello")
            pages[0].get_by_text("Heard: hello").wait_for()
            wait_until_done(pages[0])
            for tabs in (1, _TABS):
                while len(pages) < tabs:
                    pages.append(context.new_page())
                    pages[-1].goto(pages[0].url)
                    pages[-1].locator(READY).wait_for()
                time.sleep(3)
                began = server.cpu_s()
                time.sleep(_SECONDS)
                share = (server.cpu_s() - began) / _SECONDS
                print(f"  {tabs} tab(s) open: {share * 100:.2f} % of a processor (at most 1)", flush=True)


if __name__ == "__main__":
    main()
