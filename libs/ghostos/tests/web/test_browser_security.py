"""Whatever models, their code, users and names say is text on the page; and who was not let in sees nothing."""

from urllib.parse import quote

import pytest

from ghostos.testing import StreamReply

from .conftest import AGENT, OpenStage, Stage, Tab, get_status
from .pictures import make_png
from .threads import write_thread

pytestmark = pytest.mark.browser

MARKUP = (
    "<script>window.injected = 1</script><img src=x onerror='window.injected = 2'><b>bold</b>"
    "<svg onload='window.injected = 3'></svg><iframe src='http://elsewhere.test'></iframe>"
    "<style>* { display: none }</style><form action='http://elsewhere.test'><input autofocus onfocus=alert(1)></form>"
    " [click](javascript:window.injected=4) ![pixel](http://elsewhere.test/secret.png) :red[alarm] :material/warning:"
    " [data](data:text/html,<script>alert(1)</script>) <a href='javascript:alert(1)'>here</a> <http://elsewhere.test/>"
)
BIDI = "safe \u202egnp.exe\u2066 \u200b\U000e0041 end"
MEGABYTE = "<b>x</b> a long, long line & more " * (1_048_576 // 34)
HOSTILE_ELEMENTS = "script, b, svg, iframe, style, form:not(.composer), input:not([type=file]), img[src*=elsewhere]"


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(AGENT, name="adding.py")


def assert_inert(tab: Tab) -> None:
    """Nothing of what was said has become part of the page."""
    assert tab.page.evaluate("window.injected") is None
    talk = tab.page.locator(".scroller")
    assert talk.locator(HOSTILE_ELEMENTS).count() == 0
    links = [str(link.get_attribute("href")) for link in talk.get_by_role("link").all()]
    assert not [link for link in links if not link.startswith(("http:", "https:", "mailto:", "/ghostos/assets/"))]
    assert "elsewhere.test" not in " ".join(tab.strangers)


def test_markup_that_is_said_and_put_out_is_text(stage: Stage) -> None:
    prints = f"{MARKUP}\n\n<moss>\nprint({MARKUP!r})\n</moss>"
    with stage.play(prints, f"Done. {MARKUP}", name="markup") as tab:
        tab.say(MARKUP)
        tab.see("Done.")
        tab.settle()
        tab.shot("shown")
        assert_inert(tab)
        assert tab.page.locator(".turns .said").inner_text() == MARKUP
        assert tab.output() == [MARKUP]
        speech = tab.page.locator(".turns .speech").last.inner_text()
        assert "<script>window.injected = 1</script>" in speech
        assert ":red[alarm] :material/warning:" in speech


def test_characters_that_hide_or_turn_others_round_are_written_out(stage: Stage) -> None:
    prints = f"{BIDI}\n\n<moss>\nprint({BIDI!r})\nx = '{BIDI}'\n</moss>"
    with stage.play(prints, "Done.", name="bidi") as tab:
        tab.say(BIDI)
        tab.see("Done.")
        tab.settle()
        tab.shot("shown")
        text = tab.text()
        assert not {"\u202e", "\u2066", "\u200b", "\U000e0041"} & {*text}
        written_out = r"safe \u202Egnp.exe\u2066 \u200B\u{E0041} end"
        assert text.count(written_out) >= 4, "of the user, the model, its code, and what it put out"


def test_a_megabyte_of_each_is_shown_as_text(stage: Stage) -> None:
    said = [("user", "text", MEGABYTE), ("assistant", "text", MEGABYTE), ("assistant", "code", f"x = '''{MEGABYTE}'''")]
    said += [("environment", "output", MEGABYTE), ("assistant", "text", "Done.")]
    write_thread(stage.workspace, target=stage.target, name="large", turns=[said])  # pyright: ignore[reportArgumentType]
    with stage.play(name="megabyte") as tab:
        tab.open(f"{stage.web.address}/?thread=large")
        tab.see("Done.")
        tab.settle()
        assert_inert(tab)
        texts = tab.page.locator(".turns .part").evaluate_all("parts => parts.map((part) => part.textContent.length)")
        assert [length >= len(MEGABYTE) - 8 for length in texts] == [True, True, True, True, False], texts


def test_a_megabyte_is_shown_as_text_while_it_comes(stage: Stage) -> None:
    pieces = [MEGABYTE[start : start + 16_384] for start in range(0, len(MEGABYTE), 16_384)]
    with stage.play(StreamReply(chunks=pieces), name="comes") as tab:
        tab.say("go on")
        speech = tab.page.locator(".turns .speech")
        speech.wait_for()
        tab.settle()
        assert_inert(tab)
        assert speech.evaluate("node => node.textContent.length") >= len(MEGABYTE) - 8


def test_a_megabyte_can_be_said(stage: Stage) -> None:
    with stage.play("That was long.", name="long") as tab:
        tab.field.fill(MEGABYTE)
        tab.field.press("Enter")
        tab.see("That was long.")
        assert_inert(tab)
        assert tab.page.locator(".turns .said").evaluate("node => node.textContent.length") == len(MEGABYTE)


def test_a_name_of_a_file_is_text(stage: Stage) -> None:
    name = "<img src=x onerror=alert(1)>\u202e.png"
    with stage.play("Seen.", name="file-name") as tab:
        tab.give("paste", tab.field, [(name, "image/png", make_png(4, 4))])
        chip = tab.page.locator(".files li")
        assert chip.inner_text().startswith(r"<img src=x onerror=alert(1)>\u202E.png")
        assert chip.locator("img").count() == 0
        tab.say("look")
        tab.see("Seen.")
        tab.settle()
        tab.shot("shown")
        assert_inert(tab)
        assert "\u202e" not in tab.text()
        assert tab.page.locator(".turns .asset img").count() == 1


def test_a_name_of_a_thread_is_text(stage: Stage) -> None:
    name = "<img src=x onerror=alert(1)> **b** :red[x] [a](javascript:alert(1))"
    write_thread(stage.workspace, target=stage.target, name=name, turns=[[("user", "text", MARKUP)]])
    with stage.play(name="thread-name") as tab:
        tab.open(f"{stage.web.address}/?thread={quote(name)}")
        tab.see(f"thread {name}")
        tab.page.reload()  # the sidebar lists it by now
        tab.settle()
        tab.shot("shown")
        assert_inert(tab)
        sidebar = tab.page.get_by_test_id("stSidebar")
        assert sidebar.locator("a[href^=javascript], [data-testid=stMarkdownContainer] img").count() == 0
        assert "<img src=x onerror" in sidebar.inner_text()


def test_a_name_of_a_ghost_is_text(open_stage: OpenStage) -> None:
    name = "<img src=x onerror=alert(1)> :red[x]"
    source = f"from ghostos.ghosts.chatbot import Chatbot\n\n__ghost__ = Chatbot({name!r})\n"
    stage = open_stage(source, name="odd.py")
    with stage.play("Hello.", name="ghost-name") as tab:
        tab.say("hello")
        tab.see("Hello.")
        assert tab.page.title() == f"{name} · GhostOS"
        assert_inert(tab)


def test_who_was_not_let_in_sees_how_to_be_and_nothing_else(stage: Stage) -> None:
    with stage.play("A secret.", name="door") as tab:
        tab.say("tell me")
        tab.see("A secret.")
        tab.settle()
        stranger = stage.browser.new_context().new_page()
        stranger.goto(tab.page.url)
        stranger.get_by_role("heading", name="Not let in").wait_for()
        Tab(stranger, "door").shot("not-let-in")
        assert "A secret." not in stranger.content()
        assert stranger.locator(".pane").count() == 0
        for path in ("/ghostos/live?thread=x", "/_stcore/stream"):
            closed = stranger.evaluate(
                "path => new Promise((done) => { const socket = new WebSocket(`ws://${location.host}${path}`);"
                " socket.onopen = () => done('open'); socket.onclose = () => done('refused'); })",
                path,
            )
            assert closed == "refused", path
        for path in ("/ghostos/do/say", "/ghostos/do/stop"):
            answer = stranger.request.post(f"{stage.web.address}{path}", data={"thread": "x"})
            assert answer.status == 403, path
        stranger.context.close()


def test_an_address_lets_one_browser_in_and_no_second_one(stage: Stage) -> None:
    address = stage.web.new_address()
    first, second = (stage.browser.new_context().new_page() for _ in range(2))
    try:
        Tab(first, "first").open(address)
        second.goto(address)
        second.get_by_role("heading", name="Not let in").wait_for()
        assert "This address was used already" in second.content()
        Tab(first, "first").open(address)  # who is in may come by it again
    finally:
        first.context.close()
        second.context.close()


def test_a_page_of_another_site_cannot_talk_to_the_ghost(stage: Stage) -> None:
    with stage.play(name="other-site") as tab:
        (cookie,) = [each for each in tab.page.context.cookies() if each["name"].startswith("ghostos-")]
        shown = f"{cookie['name']}={cookie['value']}"
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        address = stage.web.address
        key = tab.page.evaluate("localStorage.getItem('ghostos-key')")
        for path, needed in (("/_stcore/stream", ""), ("/ghostos/live", key)):
            assert get_status(address, path=path, origin=address, cookie=shown, key=needed) == 101
            assert get_status(address, path=path, origin=address, key=needed) == 403
            assert get_status(address, path=path, origin="http://evil.test", cookie=shown, key=needed) == 403
        assert get_status(address, path="/ghostos/live", origin=address, cookie=shown) == 403
