"""Saying something: with the keyboard, while a turn runs, with files; and stopping what came of it."""

from pathlib import Path

import psutil
import pytest

from ghostos.testing.server import ModelRequest

from .conftest import AGENT, OpenStage, Stage, Tab, last_user_text, slow
from .pictures import make_png

pytestmark = pytest.mark.browser

COUNTING = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen. " * 2
ENDLESS = slow("One, two, " * 3000, delay_s=0.02)
THINKING = slow(f"{'I think about it. ' * 12}\n\n<moss>\nprint(plus(2, 3))\n</moss>", delay_s=0.03)
PNG = ("image/png", make_png(40, 30))


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(AGENT, name="adding.py")


def said(tab: Tab) -> list[str]:
    """What the user has said, as it stands in the talk."""
    return [str(part.inner_text()) for part in tab.page.locator(".turns .said").all()]


def images_in(request: ModelRequest) -> int:
    contents = [message["content"] for message in request.body["messages"] if isinstance(message["content"], list)]
    return sum(part["type"] == "image_url" for content in contents for part in content)


def test_enter_sends_and_shift_enter_begins_a_line(stage: Stage) -> None:
    with stage.play("Two lines.", name="enter") as tab:
        tab.field.click()
        tab.page.keyboard.type("first")
        tab.page.keyboard.press("Shift+Enter")
        tab.page.keyboard.type("second")
        assert tab.field.input_value() == "first\nsecond"
        tab.page.keyboard.press("Enter")
        tab.see("Two lines.")
        assert said(tab) == ["first\nsecond"]
        assert tab.field.input_value() == ""
        tab.page.keyboard.press("Enter")  # nothing is said where nothing was typed
        tab.settle()
    assert [last_user_text(request) for request in stage.requests] == ["first\nsecond"]


@pytest.mark.parametrize("way", ["button", "key"])
def test_what_steers_joins_the_next_round_of_the_turn_that_runs(stage: Stage, way: str) -> None:
    with stage.play(THINKING, "As you wish.", name=f"steer-{way}") as tab:
        tab.say("add")
        tab.see("I think about it.")
        tab.field.fill("rather three")
        if way == "button":
            tab.button("Steer").click()
        else:
            tab.field.press("Alt+Enter")
        tab.see("steers: joins at the next round")
        tab.shot("waits")
        tab.see("As you wish.")
        tab.settle()
        assert said(tab) == ["add", "rather three"]
        assert tab.page.locator(".turn").count() == 1
        assert tab.button("Steer").count() == 0
    assert len(stage.requests) == 2
    told = "\n".join(str(message["content"]) for message in stage.requests[1].body["messages"])
    assert "rather three" in told
    assert "<moss-output" in told


def test_what_is_said_while_a_turn_runs_is_queued_and_answered(stage: Stage) -> None:
    with stage.play(slow(COUNTING), "Second answer.", "Third answer.", name="queue") as tab:
        tab.say("first")
        tab.see("One, two")
        tab.say("second")
        tab.see("queued: answered next")
        tab.button("Queue").wait_for()
        tab.say("third")
        tab.page.get_by_text("queued: answered next").nth(1).wait_for()
        tab.shot("queued")
        tab.see("Third answer.")
        talk = [line.splitlines()[-1] for line in tab.conversation()]
    assert talk == ["first", COUNTING.strip(), "second", "Second answer.", "third", "Third answer."]


def test_nothing_is_lost_of_what_is_said_in_quick_succession(stage: Stage) -> None:
    sayings = [f"saying {number}" for number in range(4)]
    with stage.play(*[slow(f"answer {number}") for number in range(4)], name="quick") as tab:
        for saying in sayings:
            tab.say(saying)
        tab.see("answer 3")
        tab.settle()
        assert said(tab) == sayings


def list_calls(stage: Stage) -> list[int]:
    """The connections over which the server asks the model, or has asked it and keeps them."""
    assert stage.web.process is not None
    port = int(stage.model.base_url.partition("127.0.0.1:")[2].removesuffix("/v1"))
    connections = psutil.Process(stage.web.process.pid).net_connections("tcp")
    open_ones = [one for one in connections if one.raddr and one.raddr.port == port and one.status == "ESTABLISHED"]
    return [one.laddr.port for one in open_ones]


@pytest.mark.parametrize("way", ["button", "key"])
def test_stop_ends_the_model_s_call_and_what_was_said_stays(stage: Stage, way: str) -> None:
    with stage.play(ENDLESS, "Here I am.", name=f"stop-{way}") as tab:
        tab.say("count")
        tab.see("One, two,")
        assert list_calls(stage)
        tab.shot("working")
        if way == "button":
            tab.button("Stop").click()
        else:
            tab.field.press("Escape")
        tab.see("cut short")
        tab.settle()
        tab.wait_until(lambda: not list_calls(stage), what="the model is still asked")
        assert tab.button("Stop").count() == 0
        tab.shot("stopped")
        tab.say("and now?")
        tab.see("Here I am.")
        assert said(tab) == ["count", "and now?"]


def find_tick(stage: Stage) -> int:
    """When the code last said that it runs; 0 where it has not yet."""
    return max((path.stat().st_mtime_ns for path in stage.scratch.glob("*/tick")), default=0)


@pytest.mark.parametrize("way", ["button", "key"])
def test_stop_ends_code_that_would_never_end(stage: Stage, way: str) -> None:
    endless = "<moss>\nfrom pathlib import Path\nwhile True:\n    Path('tick').write_text('x')\n</moss>"
    before = find_tick(stage)
    with stage.play(endless, "Here I am.", name=f"stop-code-{way}") as tab:
        tab.say("run")
        tab.wait_until(lambda: find_tick(stage) > before, what="the code does not run")
        if way == "button":
            tab.button("Stop").click()
        else:
            tab.field.press("Escape")
        tab.see("code · cut short")
        tab.settle()
        last = find_tick(stage)
        tab.say("and now?")
        tab.see("Here I am.")
        assert find_tick(stage) == last


def test_stop_drops_what_waits_behind_the_turn(stage: Stage) -> None:
    with stage.play(ENDLESS, name="stop-queue") as tab:
        tab.say("count")
        tab.see("One, two,")
        tab.say("never answered")
        tab.see("queued: answered next")
        tab.button("Stop").click()
        tab.see("cut short")
        tab.settle()
        tab.page.locator(".queue li").wait_for(state="detached")
    assert len(stage.requests) == 1


@pytest.mark.parametrize("way", ["paste", "drop", "choose"])
def test_an_image_that_is_given_is_shown_and_reaches_the_model(stage: Stage, tmp_path: Path, way: str) -> None:
    with stage.play("It is black.", name=f"image-{way}") as tab:
        if way == "paste":
            assert tab.give("paste", tab.field, [("a.png", *PNG)])
        elif way == "drop":
            area = tab.page.locator(".scroller")
            assert tab.give("dragover", area, [("a.png", *PNG)])
            tab.page.locator(".pane.dropping").wait_for()
            assert tab.give("drop", area, [("a.png", *PNG)])
            tab.page.locator(".pane.dropping").wait_for(state="detached")
        else:
            (path := tmp_path / "a.png").write_bytes(PNG[1])
            with tab.page.expect_file_chooser() as chosen:
                tab.button("Add files").click()
            chosen.value.set_files(path)
        tab.button("Leave out a.png").wait_for()
        tab.shot("given")
        tab.say("what is it?")
        tab.see("It is black.")
        image = tab.page.locator(".bubble.user .asset img")
        tab.wait_until(lambda: image.evaluate("node => node.complete && node.naturalWidth") == 40)
        assert tab.page.locator(".files li").count() == 0
    (request,) = stage.requests
    assert images_in(request) == 1


def test_an_image_that_is_left_out_again_is_not_sent(stage: Stage) -> None:
    with stage.play("No image.", name="left-out") as tab:
        tab.give("paste", tab.field, [("a.png", *PNG)])
        tab.give("paste", tab.field, [("b.txt", "text/plain", b"milk")])
        tab.button("Leave out a.png").click()
        assert tab.page.locator(".files li").count() == 1
        tab.button("Leave out b.txt").click()
        tab.say("nothing?")
        tab.see("No image.")
        assert tab.page.locator(".turns .asset").count() == 0
    assert images_in(stage.requests[0]) == 0


def test_a_file_may_be_sent_without_a_word(stage: Stage) -> None:
    with stage.play("An image.", name="wordless") as tab:
        tab.give("paste", tab.field, [("a.png", *PNG)])
        tab.button("Send").click()
        tab.see("An image.")
    assert images_in(stage.requests[0]) == 1


def focused(tab: Tab) -> str:
    """What has the focus, as a screen reader names it."""
    return str(
        tab.page.evaluate(
            "() => { let node = document.activeElement; while (node?.shadowRoot) node = node.shadowRoot.activeElement;"
            " return node ? node.getAttribute('aria-label') ?? node.textContent.trim() : ''; }"
        )
    )


def has_outline(tab: Tab) -> bool:
    """Whether it is seen what has the focus: by its own outline, or by the frame of the field it stands in."""
    return bool(
        tab.page.evaluate(
            "() => { let node = document.activeElement; while (node?.shadowRoot) node = node.shadowRoot.activeElement;"
            " const look = getComputedStyle(node); const frame = node.closest('.composer');"
            " const outlined = look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0;"
            " return outlined || (node.tagName === 'TEXTAREA' && frame"
            " && getComputedStyle(frame).borderColor !== getComputedStyle(frame.parentElement).borderColor); }"
        )
    )


def test_all_can_be_reached_with_the_keyboard_alone(stage: Stage) -> None:
    with stage.play("Hello.", "Hello again.", name="keyboard") as tab:
        tab.say("hi")
        tab.see("Hello.")
        tab.settle()
        tab.field.focus()
        tab.page.keyboard.type("again")
        tab.page.keyboard.press("Tab")
        assert (focused(tab), has_outline(tab)) == ("Send", True)
        tab.page.keyboard.press("Enter")
        tab.see("Hello again.")
        tab.settle()
        tab.field.focus()
        reached: list[str] = []
        while "Retry" not in reached and len(reached) < 12:
            tab.page.keyboard.press("Shift+Tab")
            reached.append(focused(tab))
            assert has_outline(tab), reached
        assert {"Add files", "Fork", "Edit", "Retry"} <= {*reached}
