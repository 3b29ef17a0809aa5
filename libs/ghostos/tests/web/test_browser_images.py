"""An image that code drew, in a real browser, and in what the model is sent next."""

from pathlib import Path

import pytest

from ghostos.testing import ModelServer

from .conftest import OpenTab, ServeTarget
from .test_page_assets import FILE, make_png

pytestmark = pytest.mark.browser


def test_an_image_that_code_shows_reaches_the_user_and_the_model(
    serve_target: ServeTarget, open_tab: OpenTab, tmp_path: Path
) -> None:
    target = tmp_path / "draws_in_browsers.py"
    target.write_text(f"{FILE}\nIMAGE = {make_png(40, 30)!r}\n")
    draws = (
        "<moss>\nPath('a.png').write_bytes(IMAGE)\nmoss.assets.show(moss.assets.save_file('a.png'))\n"
        "moss.flow.observe()\n</moss>"
    )
    with ModelServer([draws, "It is black."]) as model:
        tab = open_tab(serve_target(target, model=model).address)
        tab.say("draw")
        tab.see("It is black.")
        tab.settle()
        image = tab.page.locator("[data-testid=stImage] img")
        image.wait_for()
        tab.page.wait_for_function("document.querySelector('[data-testid=stImage] img').complete")
        assert image.evaluate("node => [node.naturalWidth, node.naturalHeight]") == [40, 30]
        tab.see("image a.png, ")
        tab.shot("image")
    content = [message["content"] for message in model.requests[1].body["messages"]]
    (shown,) = [parts for parts in content if isinstance(parts, list)]
    assert shown[0]["text"].startswith("[image a.png, asset ")
    assert shown[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
