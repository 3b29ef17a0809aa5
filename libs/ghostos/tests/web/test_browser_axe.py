"""Every page of the application, looked at by axe: nothing that is serious for people who do not see, or not well."""

import functools
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import AGENT, OpenStage, Stage, Tab
from .pictures import make_png
from .threads import Said, write_thread

pytestmark = pytest.mark.browser

ALL_KINDS: list[Said] = [
    ("user", "text", "show me all"),
    ("assistant", "reasoning", "I had better *think*."),
    (
        "assistant",
        "text",
        "# A head\n\nSome **text**, `code`, [a link](https://example.org).\n\n| a | b |\n|-|-|\n| 1 | 2 |",
    ),
    ("assistant", "text", "- one\n- two\n\n> said\n\n```python\nprint(plus(2, 3))  # five\n```"),
    ("assistant", "code", "print(plus(2, 3))\n" + "x = 1\n" * 40),
    ("environment", "host_call", "Ball.go(1) = None, 0.1 ms"),
    ("environment", "host_call", "Ball.go(2) = None, 0.1 ms", {"error": "Broken"}),
    ("environment", "output", "\n".join(str(number) for number in range(60)), {"status": "ok"}),
    ("environment", "output", "ZeroDivisionError", {"status": "error"}),
    ("environment", "variable", "cities", {"variable": "v1", "type": "list"}),
    ("environment", "state", "answered", {"model": "openai:gpt-4o"}),
    ("environment", "text", "Your subtask has finished."),
    ("system", "text", "The older turns were summarised."),
    ("environment", "error", "The model's service failed.", {"advice": "Try again."}),
]
PAGES = ("threads", "matrix", "inspect", "models", "about")
OF_STREAMLIT: dict[str, str] = {}
"""Violations in Streamlit's own elements, which are not ours to mend: rule and the beginning of the element's HTML."""


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(AGENT, "--approve", "code", name="adding.py")


@functools.cache
def make_axe() -> Axe:
    return Axe()


def find_violations(tab: Tab) -> list[str]:
    """What is serious or critical: rule, element, and what is wrong with it."""
    found: dict[str, Any] = make_axe().run(tab.page, options={"resultTypes": ["violations"]}).response
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if not node["html"].startswith(tuple(html for known, html in OF_STREAMLIT.items() if known == rule["id"]))
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_talk_is_for_everybody(stage: Stage, scheme: str) -> None:
    thread = f"all-{scheme}"
    write_thread(stage.workspace, target=stage.target, name=thread, turns=[ALL_KINDS, ALL_KINDS[:3]])
    waits = "<moss>\nprint(plus(2, 3))\n</moss>"
    with stage.play(waits, "Done.", name=f"axe-{scheme}", scheme=scheme) as tab:
        assert find_violations(tab) == [], "an empty page"
        tab.open(f"{stage.web.address}/?thread={thread}")
        tab.see("The older turns were summarised.")
        tab.page.get_by_text("reasoning", exact=True).first.click()
        tab.page.get_by_text("2 calls", exact=True).first.click()
        tab.give("paste", tab.field, [("a.png", "image/png", make_png(4, 4))])
        tab.shot("all")
        assert find_violations(tab) == [], "a page with all kinds of messages"
        tab.button("Edit").first.click()
        assert find_violations(tab) == [], "a page with a form in a turn"
        tab.button("Cancel").click()
        tab.say("add")
        tab.see("The agent wants to run this code")
        tab.settle()
        tab.page.get_by_text("Run other code in its place").click()
        tab.shot("waits")
        assert find_violations(tab) == [], "a page with code that waits"
        tab.button("Approve").click()
        tab.see("Done.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_the_other_pages_are_for_everybody(stage: Stage, page: str, scheme: str) -> None:
    with stage.play(name=f"axe-{page}-{scheme}", scheme=scheme) as tab:
        tab.page.goto(f"{stage.web.address}/{page}?thread=all-{scheme}")
        tab.page.get_by_role("heading").first.wait_for()
        tab.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        tab.shot("page")
        found = find_violations(tab)
        tab.open(f"{stage.web.address}/")
        assert found == []


def test_what_a_ghost_shows_of_a_body_is_for_everybody(open_stage: OpenStage) -> None:
    stage = open_stage(BALL, name="ball.py")
    with stage.play(name="axe-body") as tab:
        tab.button("Stop moving").wait_for()
        assert find_violations(tab) == []


BALL = """
from ghostos.prototypes.spherogpt.bolt import Arena, Ball, Box, simulated_bolt
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball


def __matrix_providers__():
    return simulated_bolt(Arena(boxes=[Box(-120, -120, -80, -80)]))
"""
