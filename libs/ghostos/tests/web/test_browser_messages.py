"""Every kind of message as it is seen: calls, values, images, sounds, subtasks, the line that runs, who answers."""

import re

import pytest

from ghostos.testing import StreamReply
from ghostos.testing.server import ModelRequest

from .conftest import AGENT, TALKER, OpenStage, OpenTab, ServeTarget, Stage, last_user_text, slow
from .pictures import make_png, make_wav

pytestmark = pytest.mark.browser

RICH = f"""
from pathlib import Path

from ghostos_moss import Moss as Parent, on_host

from ghostos.contracts.assets import Assets
from ghostos.contracts.variables import Variables
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.subtasks import Subtasks


class Moss(Parent):
    assets: Assets
    variables: Variables
    subtasks: Subtasks


@on_host
def ring(at: int) -> str:
    return "[a](b)"


# <moss-hide>
IMAGE = {make_png(40, 30)!r}
SOUND = {make_wav(0.05)!r}
# </moss-hide>
"""
PRICES = """
[models."openai:gpt-4o"]
input_price = 1000
output_price = 1000
"""
COUNTING = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen. " * 2


def code(*lines: str) -> str:
    return "\n".join(["<moss>", *lines, "</moss>"])


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(RICH, name="shows_all.py", settings=PRICES)


def test_calls_are_folded_and_can_be_unfolded(stage: Stage) -> None:
    rings = code("for at in range(30): ring(at)", "print('rung')")
    with stage.play(rings, code("ring(31)", "print('rung')"), "Rung.", name="calls") as tab:
        tab.say("ring")
        tab.see("Rung.")
        tab.settle()
        fold = tab.page.get_by_text("30 calls", exact=True)
        call = tab.page.get_by_text("ring(0) = '[a](b)'")
        assert not call.is_visible()
        fold.click()
        call.wait_for()
        tab.shot("unfolded")
        assert tab.page.locator(".folded .call").count() == 30
        assert tab.page.get_by_text("ring(31) = '[a](b)'").is_visible(), "one alone is not folded"
        assert tab.page.locator(".turns .call a").count() == 0


def test_a_value_is_shown_as_a_table(stage: Stage) -> None:
    saves = code(
        "moss.variables.save([{'city': 'Oslo', 'people': 700}, {'city': 'Rome', 'people': 2800}], 'cities')",
        "moss.flow.observe()",
    )
    with stage.play(saves, "Saved.", name="table") as tab:
        tab.say("save")
        tab.see("Saved.")
        tab.settle()

        table = tab.page.get_by_role("table")
        table.wait_for()
        tab.shot("shown")
        assert [cell.inner_text() for cell in table.get_by_role("columnheader").all()] == ["city", "people"]
        assert [cell.inner_text() for cell in table.get_by_role("cell").all()] == ["Oslo", "700", "Rome", "2800"]


def test_an_image_and_a_sound_that_code_shows_reach_the_user_and_the_model(stage: Stage) -> None:
    draws = code(
        "Path('a.png').write_bytes(IMAGE)",
        "Path('a.wav').write_bytes(SOUND)",
        "moss.assets.show(moss.assets.save_file('a.png'))",
        "moss.assets.show(moss.assets.save_file('a.wav'))",
        "moss.flow.observe()",
    )
    with stage.play(draws, "It is black.", name="assets") as tab:
        tab.say("draw")
        tab.see("It is black.")
        tab.settle()
        image = tab.page.locator(".asset img")
        tab.wait_until(lambda: image.evaluate("node => node.complete && node.naturalWidth") == 40)
        sound = tab.page.locator(".asset audio")
        tab.wait_until(lambda: sound.evaluate("node => node.readyState") > 0, what="the sound is not loaded")
        assert sound.get_attribute("aria-label") == "a.wav"
        tab.see("image a.png, ")
        tab.see("audio a.wav, ")
    content = [message["content"] for message in stage.requests[1].body["messages"]]
    shown = [part for parts in content if isinstance(parts, list) for part in parts if part["type"] == "image_url"]
    assert [part["image_url"]["url"][:32] for part in shown] == ["data:image/png;base64,iVBORw0KGg"]


def test_a_subtask_is_seen_at_work_in_its_own_thread(stage: Stage) -> None:
    def answer(request: ModelRequest) -> str | StreamReply:
        told = last_user_text(request)
        if told.startswith("go"):
            return code("moss.subtasks.create(Chatbot('poet', instruction='Rhyme.'), 'a rhyme on cats')")
        return slow(COUNTING) if "a rhyme on cats" in told else "The poet has said something."

    with stage.play(repeat=answer, name="subtask") as tab:
        tab.say("go")
        summary = tab.page.locator(".subtask > summary")
        summary.wait_for()
        assert "poet" in summary.inner_text()
        summary.click()
        nested = tab.page.locator(".turns.nested")
        nested.get_by_text("a rhyme on cats").wait_for()
        speech = nested.locator(".speech")
        speech.get_by_text("One, two").wait_for()
        assert COUNTING.strip() not in speech.inner_text(), "it is seen while it comes"
        tab.shot("runs")
        nested.get_by_text(COUNTING.strip()).wait_for()
        tab.see("The poet has said something.")
        tab.settle()
        summary.get_by_text("waiting").wait_for()


def test_the_line_that_runs_is_marked_and_what_it_has_printed_is_shown(stage: Stage) -> None:
    waits = code("print('begun')", "while not Path('go').exists():", "    pass", "print('gone on')")
    with stage.play(waits, "Done.", name="line") as tab:
        before = {*stage.scratch.glob("*")}
        tab.say("wait")
        running = tab.page.locator(".program .line.running")
        running.wait_for()
        so_far = tab.page.locator(".program .block", has_text="output so far")
        so_far.get_by_text("begun").wait_for()
        tab.shot("marked")
        assert running.count() == 1
        assert running.inner_text().strip() in ("while not Path('go').exists():", "pass")
        for folder in {*stage.scratch.glob("*")} - before:
            (folder / "go").touch()
        tab.see("Done.")
        tab.settle()
        assert running.count() == 0
        assert so_far.count() == 0
        assert tab.page.locator(".output pre").inner_text() == "begun\ngone on"


def test_who_answers_and_what_it_has_cost_is_said(stage: Stage) -> None:
    used: dict[str, object] = {"prompt_tokens": 1234, "completion_tokens": 56, "total_tokens": 1290}
    with stage.play(StreamReply(text="Hello.", usage=used), name="cost") as tab:
        tab.say("hello")
        tab.see("Hello.")
        tab.see("1,234 tokens read, 56 written")
        facts = tab.page.locator(".facts").inner_text()
        assert "openai:gpt-4o" in facts
        assert "code runs confined" in facts
        assert "cost 1.29" in facts


REHEARSAL = """
version: 1
scenes:
  - id: add
    when: [what is 2 + 3?]
    rounds:
      - {say: I shall add them., code: 'print(plus(2, 3))', expect: '5'}
      - {say: That makes five.}
otherwise: {say: This is not in the rehearsal., offer: ['what is 2 + 3?']}
"""


def test_the_phrases_of_a_rehearsal_can_be_clicked(serve_target: ServeTarget, open_tab: OpenTab, agent_file) -> None:
    agent_file.with_name("adding.rehearsal.yaml").write_text(REHEARSAL)
    tab = open_tab(serve_target(agent_file))
    tab.see("rehearsal: recorded replies, no model")
    tab.shot("phrases")
    tab.button("what is 2 + 3?").click()
    tab.see("That makes five.")
    tab.settle()
    assert tab.output() == ["5"]
    tab.page.reload()
    tab.see("rehearsal: recorded replies, no model")


def test_a_model_that_is_another_than_before_is_named_in_the_talk(open_stage: OpenStage) -> None:
    stage = open_stage(TALKER, name="talker.py")
    with stage.play("Hello.", "Hello from another.", name="other-model") as tab:
        tab.say("hello")
        tab.see("Hello.")
        tab.settle()
        assert "answered by" not in tab.text(), "the page says it below already"
        stage.web.stop()
        stage.web.arguments += ["--model", "openai:gpt-4o-mini"]
        stage.web.start_again()
        tab.settle()
        tab.say("and you?")
        tab.see("Hello from another.")
        tab.see("answered by openai:gpt-4o-mini")


def test_code_without_confinement_is_said_loudly(open_stage: OpenStage) -> None:
    stage = open_stage(AGENT, "--sandbox", "off", name="adding.py")
    with stage.play(name="unconfined") as tab:
        banner = tab.see("Model-written code runs UNCONFINED in this process")
        color = banner.evaluate("node => getComputedStyle(node).color")
        red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
        assert red > green + 50
        assert red > blue + 50
