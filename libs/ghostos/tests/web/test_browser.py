"""The page as its user sees it: a real browser, a real server, a model on a local port."""

import itertools
import signal
import time
from pathlib import Path

import pytest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.ghosts.target import load_target
from ghostos.testing import ErrorReply, ModelServer, StreamReply
from ghostos.testing.server import ModelRequest

from .conftest import OpenTab, ServeTarget, Tab, get_status, last_user_text, slow

pytestmark = pytest.mark.browser

COUNTING = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen. " * 2
BANNER = "Model-written code runs UNCONFINED in this process"


def adds(request: ModelRequest) -> str | StreamReply:
    """A model that adds with the file's function, then says the sum."""
    if last_user_text(request).startswith("<moss-output"):
        return "The sum is **5**."
    return slow(f"{COUNTING}\n\n<moss>\nprint(plus(2, 3))\n</moss>")


def growing_states(tab: Tab, *, until: str) -> list[str]:
    """Every different text of the last bubble until the page shows `until`."""
    states: list[str] = []
    deadline = time.monotonic() + 20
    while not states or until not in states[-1]:
        assert time.monotonic() < deadline, states[-1:]
        text = str(tab.bubbles().last.inner_text())
        if not states or text != states[-1]:
            states.append(text)
        tab.page.wait_for_timeout(20)
    return states


def test_a_slow_reply_is_seen_to_grow(serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path) -> None:
    with ModelServer([slow(COUNTING)]) as model:
        tab = open_tab(serve_target(chatbot_file, model=model).address)
        tab.say("count")
        tab.see("One, two")
        states = growing_states(tab, until=COUNTING.strip())
    assert len(states) >= 5
    assert all(longer.startswith(shorter.strip()) for shorter, longer in itertools.pairwise(states))


def test_code_and_what_it_put_out_are_blocks_of_their_own(
    serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path
) -> None:
    with ModelServer(repeat=adds) as model:
        tab = open_tab(serve_target(agent_file, model=model).address)
        tab.say("add 2 and 3")
        tab.see("The sum is")
        tab.settle()
        tab.shot("light")
    code = [block.inner_text() for block in tab.page.get_by_test_id("stCode").all()]
    assert code == ["print(plus(2, 3))", "5"]
    assert [tab.see(label, exact=True).is_visible() for label in ("code", "output")] == [True, True]
    assert "moss>" not in tab.text()
    assert tab.page.get_by_text("5", exact=True).last.evaluate("node => node.tagName") == "STRONG"


def test_failed_code_is_shown_as_failed(serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path) -> None:
    with ModelServer(["<moss>\n1 / 0\n</moss>", "It cannot be divided."]) as model:
        tab = open_tab(serve_target(agent_file, model=model).address, color_scheme="dark")
        tab.say("divide")
        tab.see("It cannot be divided.")
        tab.see("output · the code failed")
        tab.see("ZeroDivisionError")


def test_a_failed_model_call_is_shown_with_advice(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    with ModelServer([ErrorReply(status=401, message="wrong key"), "Now it works."]) as model:
        tab = open_tab(serve_target(chatbot_file, model=model).address)
        tab.say("hello")
        alert = tab.page.get_by_test_id("stAlert").filter(has_text="OPENAI_API_KEY")
        alert.wait_for()
        tab.say("again")
        tab.see("Now it works.")


def test_the_page_is_the_same_after_a_reload_and_after_a_restart(
    serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path
) -> None:
    with ModelServer(repeat=adds) as model:
        web = serve_target(agent_file, model=model)
        tab = open_tab(web.address)
        tab.say("add 2 and 3")
        tab.see("The sum is")
        before = tab.conversation()
        assert len(before) == 2
        thread = tab.page.url.partition("?")[2]
        assert thread.startswith("thread=")
        tab.page.reload()
        tab.see("The sum is")
        assert tab.conversation() == before
        assert web.stop() == 128 + signal.SIGTERM
        again = serve_target(agent_file, model=model)
        tab.open(f"{again.address}/?{thread}")
        tab.see("The sum is")
        assert tab.conversation() == before
        tab.say("and once more")
        tab.page.get_by_text("The sum is").nth(1).wait_for()
        assert tab.conversation()[:2] == before


def test_a_reload_in_the_middle_of_a_turn_goes_on_with_it(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    with ModelServer([slow(COUNTING, delay_s=0.1)]) as model:
        tab = open_tab(serve_target(chatbot_file, model=model).address)
        tab.say("count")
        tab.see("One, two, three")
        tab.page.reload()
        tab.see("One, two, three")
        assert tab.page.get_by_text("working").first.is_visible()
        assert [said.splitlines()[-1] for said in tab.conversation()] == ["count", COUNTING.strip()]
        assert len(model.requests) == 1


def test_a_closed_tab_does_not_stop_the_turn(serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path) -> None:
    with ModelServer([slow(COUNTING)]) as model:
        web = serve_target(chatbot_file, "--thread", "t1", model=model)
        tab = open_tab(web.address)
        tab.say("count")
        tab.see("One, two")
        tab.page.close()
        other = open_tab(web.address)
        other.see(COUNTING.strip())
        assert len(model.requests) == 1


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_turn_that_an_ended_process_left_is_finished_first(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path, end: signal.Signals
) -> None:
    with ModelServer([slow(COUNTING), "Here again.", "And this is new."]) as model:
        web = serve_target(chatbot_file, "--thread", "t1", model=model)
        tab = open_tab(web.address)
        tab.say("count")
        tab.see("One, two, three")
        web.stop(end)
        again = serve_target(chatbot_file, "--thread", "t1", model=model)
        tab.open(again.address)
        tab.see("Here again.")
        tab.see("cut short")
        tab.say("new")
        tab.see("And this is new.")
        assert tab.text().count("count") == 1


def test_what_is_said_while_a_turn_runs_is_queued_and_answered(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    with ModelServer([slow(COUNTING), "Second answer.", "Third answer."]) as model:
        tab = open_tab(serve_target(chatbot_file, model=model).address)
        tab.say("first")
        tab.see("One, two")
        tab.say("second")
        tab.see("queued: answered next")
        tab.say("third")
        tab.page.get_by_text("queued: answered next").nth(1).wait_for()
        tab.shot("queued")
        tab.see("Third answer.")
        said = tab.conversation()
    assert [line.splitlines()[-1] for line in said] == [
        "first", COUNTING.strip(), "second", "Second answer.", "third", "Third answer."
    ]  # fmt: skip


def test_nothing_is_lost_of_what_is_said_in_quick_succession(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    sayings = [f"saying {number}" for number in range(4)]
    with ModelServer([slow(f"answer {number}") for number in range(4)]) as model:
        tab = open_tab(serve_target(chatbot_file, "--thread", "t1", model=model).address)
        for saying in sayings:
            tab.say(saying)
        tab.see("answer 3")
        assert [said.splitlines()[-1] for said in tab.conversation()[::2]] == sayings


def test_two_tabs_on_one_thread_show_the_same(serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path) -> None:
    with ModelServer([slow(COUNTING), "To the second tab."]) as model:
        web = serve_target(chatbot_file, "--thread", "t1", model=model)
        one, two = open_tab(web.address), open_tab(web.address)
        one.say("from one")
        one.see("One, two")
        two.see("One, two")
        two.say("from two")
        two.see("To the second tab.")
        one.see("To the second tab.")
        assert one.conversation() == two.conversation()
        assert len(one.conversation()) == 4


def test_a_new_thread_begins_empty(serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path) -> None:
    with ModelServer(["First thread.", "Second thread."]) as model:
        tab = open_tab(serve_target(chatbot_file, "--thread", "t1", model=model).address)
        tab.say("hello")
        tab.see("First thread.")
        tab.settle()
        tab.page.get_by_role("button", name="New thread").click()
        tab.page.get_by_text("First thread.").wait_for(state="detached")
        tab.say("hello again")
        tab.see("Second thread.")
        assert "First thread." not in tab.text()
        assert "thread=t1" not in tab.page.url


def test_the_phrases_of_a_rehearsal_can_be_clicked(
    serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path
) -> None:
    agent_file.with_name("adding.rehearsal.yaml").write_text(
        "version: 1\n"
        "scenes:\n"
        "  - id: add\n"
        "    when: [what is 2 + 3?]\n"
        "    rounds:\n"
        "      - {say: I shall add them., code: 'print(plus(2, 3))', expect: '5'}\n"
        "      - {say: That makes five.}\n"
        "otherwise: {say: This is not in the rehearsal., offer: ['what is 2 + 3?']}\n"
    )
    tab = open_tab(serve_target(agent_file).address)
    tab.see("rehearsal: recorded replies, no model")
    tab.shot("phrases")
    tab.page.get_by_role("button", name="what is 2 + 3?").click()
    tab.see("That makes five.")
    assert len(tab.conversation()) == 2


def test_code_without_confinement_is_said_in_red(
    serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path, chatbot_file: Path
) -> None:
    with ModelServer() as model:
        tab = open_tab(serve_target(agent_file, "--sandbox", "off", model=model).address)
        banner = tab.page.get_by_test_id("stAlert").filter(has_text=BANNER)
        banner.wait_for()
        color = banner.evaluate("node => getComputedStyle(node.querySelector('p')).color")
        red, green, blue = (int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(","))
        assert red > green + 50
        assert red > blue + 50
        talker = open_tab(serve_target(chatbot_file, model=model).address)
        talker.settle()
        assert BANNER not in talker.text()
        confined = open_tab(serve_target(agent_file, model=model).address)
        confined.see("code runs confined")
        assert BANNER not in confined.text()


MARKUP = (
    "<script>window.injected = 1</script><img src=x onerror='window.injected = 2'>"
    "<b>bold</b> [click](javascript:window.injected=3) ![pixel](http://elsewhere.test/secret.png) :red[alarm] "
    ":material/warning: :streamlit: \\\\![second](http://elsewhere.test/two.png) "
    "a\\` ![third](http://elsewhere.test/three.png) :red[alarm] \\:streamlit: \\` b"
)


def test_markup_in_what_is_said_and_put_out_is_inert(
    serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path
) -> None:
    code = f"<moss>\nprint({MARKUP!r})\n</moss>"
    with ModelServer([f"{MARKUP}\n\n{code}", f"Done. {MARKUP}"]) as model:
        tab = open_tab(serve_target(agent_file, model=model).address)
        tab.say(MARKUP)
        tab.see("Done.")
        tab.settle()
    bubbles = tab.bubbles()
    assert tab.page.evaluate("window.injected") is None
    assert bubbles.locator("script, b, img, .stMarkdown [role=img]").count() == 0
    assert bubbles.locator(".stMarkdownColoredText").all_inner_texts() == ["code", "output"]
    assert bubbles.locator("a[href^=javascript]").count() == 0
    assert bubbles.first.inner_text().splitlines()[-1] == MARKUP
    assert bubbles.last.inner_text().replace("\ufeff", "").count(":red[alarm]") == 4 * MARKUP.count(":red[alarm]")


def test_without_a_key_the_page_says_how_to_set_it(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path, tmp_path: Path
) -> None:
    tab = open_tab(serve_target(chatbot_file).address)
    tab.see("No key is configured for openai:gpt-4o.")
    assert f"{tmp_path}/workspace/.env" in tab.text()
    assert "OPENAI_API_KEY=" in tab.text()
    assert "Traceback" not in tab.text()
    assert tab.page.get_by_test_id("stChatInputTextArea").is_disabled()
    tab.shot("no-key")


def test_a_thread_of_another_target_is_named_and_left_alone(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path, agent_file: Path
) -> None:
    with ModelServer(["Hello."]) as model:
        first = serve_target(chatbot_file, "--thread", "t1", model=model)
        tab = open_tab(first.address)
        tab.say("hi")
        tab.see("Hello.")
        tab.settle()
        other = serve_target(agent_file, model=model)
        tab.page.goto(f"{other.address}/?thread=t1")
        tab.see("belongs to")
        assert tab.page.get_by_test_id("stChatInput").count() == 0
        assert "Traceback" not in tab.text()
        assert tab.bubbles().count() == 0


def test_a_page_of_another_site_cannot_talk_to_the_ghost(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    with ModelServer() as model:
        address = serve_target(chatbot_file, model=model).address
        tab = open_tab(address)
        assert get_status(address, origin=address) == 101
        assert get_status(address, origin="http://evil.test") == 403
        tab.settle()


def test_code_waits_where_the_command_says_that_it_shall(
    serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path, tmp_path: Path
) -> None:
    with ModelServer(["<moss>\nprint(plus(1, 2))\n</moss>"]) as model:
        tab = open_tab(serve_target(agent_file, "--approve", "code", "--thread", "t1", model=model).address)
        tab.say("go")
        tab.see("print(plus(1, 2))")
        tab.settle()
    container = make_app_container(tmp_path / "workspace")
    with get_ghostos(container).create_matrix("test") as matrix:
        conversation = matrix.sync(load_target(str(agent_file)).ghost, thread="t1", target=str(agent_file))
        assert conversation.pending_code() is not None
        assert "output" not in [message.type for message in conversation.history()]
    container.shutdown()
