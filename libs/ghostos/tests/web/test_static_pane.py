"""The live pane: nothing that is said, typed or looked at is lost or put elsewhere, whatever comes, and whenever."""

from collections.abc import Iterator
from typing import Any

import pytest

from .played_pane import PAGE, Item, PlayedPane, message, status
from .static_site import serve_static

pytestmark = pytest.mark.browser

CODE = {"id": "p1", "hash": "h1", "code": "remove()"}
REQUEST = {
    "id": "r1",
    "question": "May it write?",
    "what": "",
    "asker": "",
    "explanation": "",
    "option": "",
    "scopes": [{"scope": "once", "label": "Allow once"}],
}
REFUSED = {"error": {"happened": "It is too large.", "advice": "Say less."}}
PIXELS = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>'


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_static(PAGE) as served:
        yield served


@pytest.fixture
def pane(chromium: Any, address: str) -> Iterator[PlayedPane]:
    """The pane, with thread A in it. An error that nobody catches fails the test."""
    context = chromium.new_context(viewport={"width": 900, "height": 620})
    context.set_default_timeout(10_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    played = PlayedPane(page)
    played.open("A")
    yield played
    played.settle()
    context.close()
    assert faults == []


def call(seq: int, content: str, **facts: Any) -> Item:
    return message(seq, content, by="environment host_call", **facts)


def answer(seq: int, content: str, **facts: Any) -> Item:
    return message(seq, content, by="assistant text", **facts)


def delta(seq: int, text: str, *, offset: int = 0) -> Item:
    return {"kind": "delta", "seq": seq, "offset": offset, "delta": text, "type": "text", "role": "assistant"}


def many_turns(last: int) -> list[Item]:
    return [message(turn, f"turn {turn}", turn=turn, minute=turn) for turn in range(2, last + 1)]


def body(x: float, y: float) -> Item:
    handle = {"id": "box", "label": "box", "x": x, "y": y, "w": 20, "h": 20}
    # <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"></svg>
    picture = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxMDAgMTAwIj48L3N2Zz4="
    shown = {"name": "room", "text": "a room", "is_busy": False, "picture": picture, "handles": [handle]}
    return {"kind": "bodies", "bodies": [shown]}


# What comes again, and what is odd


def test_calls_in_a_fold_survive_a_reconnect(pane: PlayedPane) -> None:
    calls = [call(2, "go(1)"), call(3, "go(2)")]
    pane.begin(is_at_work=True)
    pane.give(*calls)
    pane.come_again()
    pane.give(*calls, answer(4, "done"), {"kind": "committed", "seq": 4}, {"kind": "turn"}, status())
    assert pane.find(".turns summary").all_inner_texts() == ["2 calls"]
    pane.find(".turns summary").click()
    assert pane.find(".turns .call").all_inner_texts() == ["go(1)", "go(2)"]
    assert "done" in pane.turns()[0]

    pane.come_again()
    assert pane.sockets()[-1]["seq"] == "4"


def test_what_is_half_said_stays_in_sight_until_it_comes_again(pane: PlayedPane) -> None:
    pane.begin(is_at_work=True)
    pane.give(delta(2, "half a sen"))
    pane.drop("away")
    assert pane.find(".speech").inner_text() == "half a sen"
    pane.page.evaluate("mood = 'open'")
    pane.page.locator('.pane[data-connected="true"]').wait_for()
    pane.give(delta(2, "half a sentence"))
    assert pane.find(".speech").all_inner_texts() == ["half a sentence"]


def test_calls_are_counted_as_they_come_and_go(pane: PlayedPane) -> None:
    pane.begin("A", call(2, "go(1)"), is_at_work=True)
    pane.give(call(3, "go(2)"), call(4, "go(…)", data={"more": 1200}))
    assert pane.find(".turns summary").all_inner_texts() == ["1,202 calls"]
    pane.give({"kind": "turn"})  # no more of them was stored than the first
    assert pane.find(".turns summary").count() == 0
    assert pane.turns() == ["said in A\ngo(1)"]


def test_how_far_code_has_come_stays_in_sight_until_its_output_comes(pane: PlayedPane) -> None:
    code = message(2, "print(1)\nwait()\nprint(2)", by="assistant code")
    progress = {"kind": "delta", "seq": 2, "offset": 24, "delta": "", "type": "code", "role": "assistant"}
    running, printed = pane.find(".program .line.running"), pane.find(".program .block pre")
    pane.begin("A", code, is_at_work=True)
    pane.give({**progress, "line": 2}, {**progress, "printed": "1\n"}, call(3, "wait()"))
    assert (running.inner_text().strip(), printed.inner_text()) == ("wait()", "1")
    pane.give({**progress, "printed": "\n".join(f"<b>{number}</b>" for number in range(99))})
    assert printed.inner_text().endswith("<b>97</b>\n<b>98</b>")
    assert printed.evaluate("box => box.scrollTop + box.clientHeight >= box.scrollHeight - 4"), "the end is in sight"
    printed.evaluate("box => { box.scrollTop = 0; }")
    pane.give({**progress, "printed": "\n".join(map(str, range(100)))})
    assert printed.evaluate("box => box.scrollTop") == 0, "unless somebody reads above"
    pane.give(message(4, "1\n2", by="environment output", data={"status": "ok"}))
    assert (running.count(), printed.count()) == (0, 0)

    pane.give({**progress, "line": 2}, {**progress, "printed": "1\n"}, {"kind": "turn"})
    assert (running.count(), printed.count()) == (0, 0)


def test_how_far_code_has_come_is_not_moved_by_other_code_nor_by_earlier_turns(pane: PlayedPane) -> None:
    first, second = (message(seq, f"step({seq})", by="assistant code", turn=2) for seq in (12, 13))
    progress = {"kind": "delta", "offset": 8, "delta": "", "type": "code", "role": "assistant"}
    running, printed = pane.find(".program .line.running"), pane.find(".program .block pre")
    pane.give({"kind": "begins", "seq": 12, "has_earlier": True}, first, second, status(turn=2, is_at_work=True))
    pane.give({**progress, "seq": 12, "line": 1}, {**progress, "seq": 13, "printed": "1"})
    assert (running.inner_text().strip(), printed.inner_text()) == ("step(12)", "1")
    pane.give({**progress, "seq": 13, "line": 1})
    assert (running.all_inner_texts(), printed.inner_text()) == (["step(13)"], "1")
    earlier = [message(2, "before", turn=1), message(3, "was printed", by="environment output", turn=1)]
    pane.button("Show earlier turns").click()
    pane.answer("earlier", {"messages": [item["message"] for item in earlier], "has_earlier": False})
    pane.find(".turns").get_by_text("was printed").wait_for()
    assert (running.count(), printed.inner_text()) == (1, "1")


def test_what_woke_the_ghost_is_named_and_what_it_was_told_of_a_stop_is_folded(pane: PlayedPane) -> None:
    kinds = ("callback", "timer", "external", "attachment", "cancel", "constructor")
    told = [
        message(seq, f"told of {kind}", by="environment text", data={"event": kind})
        for seq, kind in enumerate(kinds, 2)
    ]
    pane.begin("A", *told)
    assert pane.find(".block .label").all_inner_texts() == [
        "from a task that it made",
        "its timer",
        "from outside",
        "a file of yours",
        "event",
    ]
    folded = pane.find(".block details pre")
    assert not folded.is_visible()
    pane.find(".block summary").click()
    assert folded.inner_text() == "told of cancel"


def test_an_odd_item_takes_nothing_with_it(pane: PlayedPane) -> None:
    pane.give(
        {"kind": "of a later version", "facts": None},
        message(1, "said"),
        call(2, "go(1)"),
        call(3, "go(2)", data=None),
        message(4, "", by="environment variable"),
        message(5, "x.png", by="user image"),
        message(6, "odd", by="environment later"),
        message(7, "", by="system state", data={"model": None}),
        message(8, "no data", by="environment error"),
        answer(9, "the end"),
        {"kind": "committed", "seq": 9},
        status(),
    )
    [text] = pane.turns()
    assert all(words in text for words in ("said", "2 calls", "x.png", "odd", "no data", "the end"))
    assert pane.find(".facts").inner_text().endswith("thread A")


# Several threads on one page


def test_what_is_said_in_one_thread_and_answered_late_leaves_the_other_as_it_is(pane: PlayedPane) -> None:
    pane.begin()
    pane.say("slow")
    pane.show("B")
    pane.begin("B", answer(2, "answered in B"))
    before = len(pane.sockets())
    pane.answer("say", {"thread": "A", "event": "e1"})
    assert pane.turns() == ["said in B\n\nanswered in B"]
    assert pane.find(".queue li").count() == 0
    assert pane.told() == []
    assert len(pane.sockets()) == before


def test_a_thread_that_is_begun_and_left_before_it_has_a_name_does_not_take_the_page_back(pane: PlayedPane) -> None:
    pane.show(None)
    pane.give({**status(thread="", task=None), "is_new": True})
    pane.say("the first words")
    pane.show("B")
    pane.begin("B")
    pane.answer("say", {"thread": "begun", "event": "e1"})
    assert pane.told() == []
    assert pane.turns() == ["said in B"]
    assert [socket["thread"] for socket in pane.sockets() if not socket["isClosed"]] == ["B"]


def test_all_that_was_typed_in_a_thread_that_is_begun_goes_into_one_thread(pane: PlayedPane) -> None:
    pane.show(None)
    pane.give({**status(thread="", task=None), "is_new": True})
    pane.say("one")
    pane.say("two")
    pane.show("B")
    pane.begin("B")
    pane.answer("say", {"thread": "begun", "event": "e1"})
    assert [facts.get("thread") for facts in pane.posts("say")] == [None, "begun"]
    assert [facts.get("is_new") for facts in pane.posts("say")] == ["1", None]


def test_what_waits_in_one_thread_is_not_shown_in_another(pane: PlayedPane) -> None:
    pane.begin(is_at_work=True)
    pane.say("next in A")
    pane.answer("say", {"thread": "A", "event": "e1"})
    assert "next in A" in pane.find(".queue").inner_text()
    pane.show("B")
    pane.begin("B", is_at_work=True)
    assert pane.find(".queue").inner_text() == ""


def test_earlier_turns_of_one_thread_do_not_come_into_another(pane: PlayedPane) -> None:
    pane.give({"kind": "begins", "seq": 100, "has_earlier": True}, message(100, "late in A", turn=50), status(turn=50))
    pane.button("Show earlier turns").click()
    pane.show("B")
    pane.begin("B")
    pane.answer("earlier", {"messages": [message(99, "a secret of A", turn=49)["message"]], "has_earlier": True})
    assert pane.turns() == ["said in B"]
    assert not pane.button("Show earlier turns").is_visible()


def test_all_that_was_typed_in_a_thread_is_said_in_it_whatever_is_shown_by_then(pane: PlayedPane) -> None:
    pane.begin()
    pane.say("one")
    pane.say("two")
    pane.show("B")
    pane.begin("B")
    pane.answer("say", {"thread": "A", "event": "e1"})
    pane.answer("say", {"thread": "A", "event": "e2"})
    assert [(facts["text"], facts["thread"]) for facts in pane.posts("say")] == [("one", "#A"), ("two", "#A")]


def test_a_text_that_is_refused_is_the_draft_of_the_thread_in_which_it_was_typed(pane: PlayedPane) -> None:
    pane.begin()
    pane.say("one")
    pane.say("two")
    pane.show("B")
    pane.begin("B")
    pane.field.fill("draft of B")
    pane.answer("say", REFUSED, code=413)
    pane.answer("say", {"thread": "A", "event": "e2"})
    assert pane.field.input_value() == "draft of B"
    assert "too large" not in pane.find(".conversation").inner_text()
    assert [facts["thread"] for facts in pane.posts("say")] == ["#A", "#A"]
    pane.show("A")
    pane.begin()
    assert pane.field.input_value() == "one"


# Drafts


def test_a_draft_stays_with_its_thread_and_survives_a_reload(pane: PlayedPane) -> None:
    pane.begin()
    pane.field.fill("draft of A")
    pane.show("B")
    pane.begin("B")
    assert pane.field.input_value() == ""
    pane.field.fill("draft of B")
    pane.show("A")
    pane.begin()
    assert pane.field.input_value() == "draft of A"

    pane.page.reload()
    pane.open("B")
    pane.begin("B")
    assert pane.field.input_value() == "draft of B"
    pane.say("said at last")
    pane.page.reload()
    pane.open("B")
    pane.begin("B")
    assert pane.field.input_value() == ""
    pane.show("A")
    pane.begin()
    assert pane.field.input_value() == "draft of A"


def test_a_draft_of_a_thread_that_is_not_begun_survives_a_look_elsewhere(pane: PlayedPane) -> None:
    pane.show(None)
    pane.give({**status(thread="", task=None), "is_new": True})
    pane.field.fill("first words")
    pane.show("A")
    pane.begin()
    assert pane.field.input_value() == ""
    pane.show(None)
    assert pane.field.input_value() == "first words"


def test_a_draft_goes_with_its_thread_when_that_gets_a_name(pane: PlayedPane) -> None:
    pane.show(None)
    pane.give({**status(thread="", task=None), "is_new": True})
    pane.say("first words")
    pane.field.fill("and then")
    pane.answer("say", {"thread": "begun", "event": "e1"})
    assert pane.told() == ["begun"]
    pane.show("A")
    pane.begin()
    assert pane.field.input_value() == ""
    pane.show("begun")
    assert pane.field.input_value() == "and then"
    pane.give(status("renamed"))
    pane.show(None)
    assert pane.field.input_value() == ""
    pane.show("renamed")
    assert pane.field.input_value() == "and then"


# What its user is in the middle of


def test_an_edit_that_was_begun_survives_a_status(pane: PlayedPane) -> None:
    pane.begin("A", answer(2, "x"))
    pane.button("Edit").click()
    edited = pane.page.get_by_role("textbox", name="Say instead")
    edited.fill("words of ten minutes")
    pane.give(status(children={"child": 5}))
    assert edited.input_value() == "words of ten minutes"
    assert edited.evaluate("(field) => shadow.activeElement === field")


@pytest.mark.parametrize("name", ["Fork", "Approve"])
def test_the_focus_of_the_keyboard_survives_a_status(pane: PlayedPane, name: str) -> None:
    waits: dict[str, Any] = {"pending_code": CODE}
    pane.begin("A", answer(2, "x"), **waits)
    pane.button(name).focus()
    pane.give(status(children={"child": 5}, **waits))
    assert pane.page.evaluate("shadow.activeElement.textContent") == name


@pytest.mark.parametrize(
    ("name", "command"),
    [("Retry", "retry"), ("Fork", "fork"), ("Approve", "answer"), ("Allow once", "allow"), ("a phrase", "say")],
)
def test_a_double_click_does_it_once(pane: PlayedPane, name: str, command: str) -> None:
    pane.begin("A", answer(2, "x"), pending_code=CODE, requests=[REQUEST], phrases=["a phrase"])
    pane.button(name).evaluate("(button) => { button.click(); button.click() }")
    pane.settle()
    assert len(pane.posts(command)) == 1


@pytest.mark.parametrize(
    ("name", "command"),
    [("Retry", "retry"), ("Approve", "answer"), ("Reject", "answer"), ("Allow once", "allow")],
)
def test_a_double_click_does_it_once_though_the_first_click_was_answered_between(
    pane: PlayedPane, name: str, command: str
) -> None:
    pane.begin("A", answer(2, "x"), pending_code=CODE, requests=[REQUEST])
    pane.button(name).scroll_into_view_if_needed()
    box = pane.button(name).bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    pane.page.mouse.click(*middle)
    pane.answer(command, {})
    pane.page.mouse.move(*middle)
    pane.page.mouse.down(click_count=2)
    pane.page.mouse.up(click_count=2)
    pane.settle()
    assert len(pane.posts(command)) == 1


def test_code_is_rejected_with_the_keyboard_too(pane: PlayedPane) -> None:
    pane.begin(pending_code=CODE)
    reason = pane.page.get_by_label("Why not? For the agent")
    reason.fill("not now")
    reason.press("Enter")
    reason.press("Enter")
    pane.settle()
    [facts] = pane.posts("answer")
    assert facts == {"thread": "#A", "id": "p1", "hash": "h1", "decision": "reject", "reason": "not now"}


def test_what_could_not_be_done_can_be_asked_for_again(pane: PlayedPane) -> None:
    pane.begin("A", answer(2, "x"), pending_code=CODE)
    for _ in range(2):
        pane.button("Approve").click()
        pane.answer("answer", REFUSED, code=409)
    assert len(pane.posts("answer")) == 2
    assert pane.problem() == "It is too large. Say less."


def test_the_queue_is_left_as_it_is_by_text_that_comes(pane: PlayedPane) -> None:
    waits = {"id": "q1", "text": "next", "files": 0, "steers": False}
    pane.begin(is_at_work=True, queued=[waits])
    first = pane.find(".queue li").element_handle()
    pane.give(delta(2, "a"))
    pane.give(delta(2, "b", offset=1), status(is_at_work=True, queued=[waits]))
    assert pane.find(".queue li").evaluate("(item, first) => item === first", first)
    assert pane.find(".speech").inner_text() == "ab"


def test_a_permission_is_said_to_stand_behind_code_only_while_code_waits(pane: PlayedPane) -> None:
    words = "Code waits for you, too"
    pane.begin(requests=[REQUEST], pending_code=CODE)
    assert words in pane.find(".cards").inner_text()
    pane.give(status(requests=[REQUEST]))
    assert words not in pane.find(".cards").inner_text()
    assert pane.button("Allow once").count() == 1


# Subtasks


def find_subtasks(pane: PlayedPane) -> dict[str, str]:
    """The turn behind which each subtask stands, by its ghost."""
    places = "(all) => all.map((each) => [each.querySelector('strong').innerText, each.closest('.turn').dataset.turn])"
    return dict(pane.find(".subtask").evaluate_all(places))


def test_a_subtask_stands_behind_the_turn_that_made_it(pane: PlayedPane) -> None:
    pane.begin("A", *many_turns(3), turn=3, children={"second": 2, "first": 1})
    assert find_subtasks(pane) == {"first ghost": "1", "second ghost": "2"}
    pane.give(status(turn=3, children={"second": 2, "first": 1, "third": 8}))
    assert find_subtasks(pane) == {"first ghost": "1", "second ghost": "2", "third ghost": "3"}


def test_a_subtask_of_earlier_turns_comes_with_them(pane: PlayedPane) -> None:
    *early, late = many_turns(30)
    pane.give(
        {"kind": "begins", "seq": 30, "has_earlier": True},
        late,
        {"kind": "committed", "seq": 30},
        status(turn=30, children={"child": 2}),
    )
    assert find_subtasks(pane) == {}
    pane.button("Show earlier turns").click()
    pane.answer("earlier", {"messages": [item["message"] for item in early], "has_earlier": True})
    assert find_subtasks(pane) == {"child ghost": "2"}


def test_a_subtask_of_turns_that_are_put_away_lets_its_socket_go_and_comes_back_with_them(pane: PlayedPane) -> None:
    turns = many_turns(61)
    children = {"child": 2}
    pane.begin("A", *turns[:1], turn=2, children=children)
    pane.find(".subtask summary").click()
    pane.page.wait_for_function("findSocket('#child')")
    pane.give(*turns[1:], {"kind": "committed", "seq": 61}, status(turn=61, children=children))
    pane.draw()
    pane.give({"kind": "turn"})
    assert pane.turns()[0] == "turn 22"
    assert find_subtasks(pane) == {}
    assert [socket["isClosed"] for socket in pane.sockets() if socket["thread"] == "#child"] == [True]

    pane.button("Show earlier turns").click()
    pane.answer("earlier", {"messages": [item["message"] for item in turns[:20]], "has_earlier": True})
    assert pane.turns()[0] == "turn 2"
    assert find_subtasks(pane) == {"child ghost": "2"}
    pane.find(".subtask summary").click()
    pane.page.wait_for_function("findSocket('#child').isClosed === false")
    pane.give(message(1, "said to the child"), status("child"), to="#child")
    assert "said to the child" in pane.find(".subtask").inner_text()


def test_a_subtask_that_waits_for_an_approval_asks_for_it_and_leads_to_its_thread(pane: PlayedPane) -> None:
    pane.begin(children={"child": 1})
    pane.find(".subtask summary").click()
    pane.page.wait_for_function("findSocket('#child')")
    failed = {"kind": "error", "happened": "The child failed.", "advice": "Look.", "is_final": False}
    pane.give(answer(1, "the child speaks"), status("child", pending_code=CODE), failed, to="#child")
    assert "The child failed. Look." in pane.find(".subtask").inner_text()
    pane.find(".subtask").get_by_role("button", name="Approve").click()
    [facts] = pane.posts("answer")
    assert facts == {"thread": "#child", "id": "p1", "hash": "h1", "decision": "approve"}

    pane.button("Open its thread").click()
    pane.settle()
    assert pane.told() == ["child"]
    assert [socket["thread"] for socket in pane.sockets() if not socket["isClosed"]] == ["child"]


# What is in sight


def test_nothing_is_put_away_while_somebody_reads_above(pane: PlayedPane) -> None:
    pane.begin("A", *many_turns(70), turn=70)
    pane.draw()
    pane.scroll(0)
    pane.give({"kind": "turn"})
    assert pane.turns()[0] == "said in A"
    pane.button("↓ latest").click()
    pane.draw()
    pane.give({"kind": "turn"})
    assert pane.turns()[0] == "turn 31"


def test_the_end_stays_in_sight_when_what_is_typed_grows(pane: PlayedPane) -> None:
    pane.begin("A", *many_turns(40), turn=40)
    pane.draw()
    assert pane.is_at_end()
    pane.field.fill("\n".join("abcdefghi"))
    pane.draw()
    assert pane.is_at_end()


def test_the_end_stays_in_sight_when_an_image_loads_late(pane: PlayedPane) -> None:
    asked: list[Any] = []

    def keep_waiting(route: Any) -> None:
        asked.append(route)

    pane.page.route("**/ghostos/assets/*", keep_waiting)
    image = {"sha256": "0" * 64, "media_type": "image/svg+xml", "size_bytes": 9}
    pane.begin("A", *many_turns(40), message(41, "x.svg", turn=41, by="user image", data=image), turn=41)
    while not asked:
        pane.draw()
    asked[0].fulfill(body=PIXELS, content_type="image/svg+xml")
    pane.page.wait_for_function("shadow.querySelector('.asset img').offsetHeight > 200")
    pane.draw()
    assert pane.is_at_end()
    assert not pane.find(".latest").is_visible()


def test_the_end_stays_in_sight_when_text_grows_before_the_browser_says_that_it_scrolled(pane: PlayedPane) -> None:
    pane.begin("A", *many_turns(40), turn=40)
    pane.draw()
    pane.find(".scroller").evaluate(
        """(box) => {
          findSocket().give([{ kind: "delta", seq: 41, offset: 0, delta: "more", type: "text", role: "assistant" }]);
          const grown = document.createElement("div");
          grown.style.height = "300px";
          box.querySelector(".turns").lastElementChild.append(grown);
          box.dispatchEvent(new Event("scroll"));
        }"""
    )
    pane.draw()
    assert pane.is_at_end()
    pane.give(answer(41, "all of it\n\n" * 20, turn=40))
    pane.draw()
    assert pane.is_at_end()
    assert not pane.find(".latest").is_visible()


def test_who_reads_above_is_left_there_and_has_a_way_back(pane: PlayedPane) -> None:
    pane.begin("A", *many_turns(40), turn=40)
    pane.draw()
    pane.scroll(0.5)
    place = pane.find(".scroller").evaluate("(box) => box.scrollTop")
    pane.give(answer(41, "more\n\n" * 20, turn=40))
    pane.draw()
    assert pane.find(".scroller").evaluate("(box) => box.scrollTop") == place
    pane.button("↓ latest").click()
    pane.draw()
    assert pane.is_at_end()


# The connection


def test_what_runs_can_be_stopped_while_the_websocket_is_away(pane: PlayedPane) -> None:
    pane.begin(is_at_work=True)
    pane.drop("away")
    assert pane.button("Stop").is_visible()
    pane.button("Stop").click()
    assert pane.posts("stop") == [{"thread": "#A"}]


def test_an_error_that_stays_is_not_asked_for_again_and_again(pane: PlayedPane) -> None:
    pane.page.clock.install()
    pane.begin()
    before = len(pane.sockets())
    pane.drop("failing")
    pane.page.clock.run_for(60_000)
    assert 3 < len(pane.sockets()) - before < 30
    assert pane.problem() == "The settings are broken. Mend them."


def test_a_thread_that_was_deleted_while_the_page_was_away_is_said_to_be_gone(pane: PlayedPane) -> None:
    pane.begin()
    pane.come_again()
    pane.give({"kind": "gone"})
    assert pane.problem() == "This thread was deleted. Begin another one."
    assert pane.turns() == ["said in A"]
    assert pane.sockets()[-1]["isClosed"]


def test_a_subtask_that_was_deleted_is_said_to_be_gone(pane: PlayedPane) -> None:
    pane.begin(children={"child": 1})
    pane.find(".subtask summary").click()
    pane.page.wait_for_function("findSocket('#child')")
    pane.give({"kind": "gone"}, to="#child")
    assert "It was deleted." in pane.find(".subtask").inner_text()


def test_a_thread_that_was_never_begun_is_not_said_to_be_gone(pane: PlayedPane) -> None:
    for _ in range(2):
        pane.give({**status(thread="", task=None), "is_new": True, "is_missing": True})
        assert pane.problem() == ""
        pane.come_again()


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("away", "The server does not answer: trying again …"),
        ("refused", "This browser is not let in (any more): open the address that `ghostos web` printed."),
    ],
)
def test_why_there_is_no_connection_is_said_until_there_is_one(pane: PlayedPane, mood: str, words: str) -> None:
    pane.page.clock.install()
    pane.begin()
    pane.drop(mood)
    pane.page.clock.run_for(20_000)
    pane.settle()
    assert pane.find(".work").inner_text() == words
    pane.page.clock.run_for(3_000)
    assert pane.find(".work").inner_text() == words
    pane.page.evaluate("mood = 'open'")
    pane.page.clock.run_for(10_000)
    assert pane.find(".work").inner_text() == ""


def test_what_lets_in_goes_with_the_websocket_and_with_each_command(pane: PlayedPane) -> None:
    pane.page.evaluate("localStorage.setItem('ghostos-key', 'k1')")
    pane.begin(is_at_work=True)
    pane.come_again()
    pane.say("hello")
    pane.button("Stop").click()
    assert pane.sockets()[-1]["protocols"] == ["ghostos", "ghostos.k1"]
    assert pane.page.evaluate("posts.map(({ headers }) => headers['X-GhostOS-Key'])") == ["k1", "k1"]


# Bodies


def test_a_drag_without_a_movement_moves_nothing(pane: PlayedPane) -> None:
    pane.give(body(50, 50))
    pane.find(".handle").click()
    pane.settle()
    assert pane.posts("move-handle") == []


def test_a_drag_moves_by_as_much_as_the_pointer_wherever_it_took_hold(pane: PlayedPane) -> None:
    pane.give(body(50, 50))
    handle = pane.find(".handle")
    box, picture = handle.bounding_box(), pane.find(".picture").bounding_box()
    pane.page.mouse.move(box["x"] + 3, box["y"] + 3)
    pane.page.mouse.down()
    pane.page.mouse.move(box["x"] + 3 + picture["width"] / 10, box["y"] + 3)
    pane.page.mouse.up()
    [facts] = pane.posts("move-handle")
    assert (round(facts["x"]), round(facts["y"])) == (60, 50)


def test_keys_that_come_faster_than_pictures_add_up(pane: PlayedPane) -> None:
    pane.give(body(50, 50))
    for _ in range(3):
        pane.find(".handle").press("ArrowRight")
    assert [facts["x"] for facts in pane.posts("move-handle")] == [52, 54, 56]
    pane.give(body(53, 50))  # it was stopped by a wall
    pane.find(".handle").press("ArrowRight")
    assert pane.posts("move-handle")[-1]["x"] == 55
