"""What a user of the page decides besides talking: to stop a turn, and what becomes of code that waits."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from ghostos.testing import ScriptedModel

from .test_page import ServePage, checked, click, open_page, say, serve_page

__all__ = ["serve_page"]  # a fixture

ADDS = "<moss>\nprint(plus(2, 3))\n</moss>"


def code_blocks(page: AppTest) -> list[str]:
    return [block.value for block in page.code]


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def test_code_that_waits_is_shown_and_runs_when_it_is_approved(serve_page: ServePage, agent_file: Path) -> None:
    serve_page(agent_file, ScriptedModel([ADDS, "It is 5."]), approve="code")
    page = say(open_page(), "add")
    assert code_blocks(page)[-1] == "print(plus(2, 3))"
    assert "Approve" in labels(page)
    page = click(page, "Approve")
    assert page.chat_message[-1].markdown[-1].value == "It is 5."
    assert "5" in code_blocks(page)
    assert "Approve" not in labels(page)
    assert any(r"You approved the code\." in text.value for text in page.markdown)


def test_code_that_is_rejected_does_not_run_and_the_agent_is_told_why(serve_page: ServePage, agent_file: Path) -> None:
    model = ScriptedModel([ADDS, "As you wish."])
    serve_page(agent_file, model, approve="code")
    page = say(open_page(), "add")
    page.text_input[0].set_value("not today")
    page = click(page, "Reject")
    assert page.chat_message[-1].markdown[-1].value == "As you wish."
    assert code_blocks(page) == ["print(plus(2, 3))"]
    assert "not today" in str(model.prompts[-1].messages)


def test_other_code_can_run_in_its_place(serve_page: ServePage, agent_file: Path) -> None:
    serve_page(agent_file, ScriptedModel([ADDS, "It is 9."]), approve="code")
    page = say(open_page(), "add")
    page.text_area[0].set_value("print(plus(4, 5))")
    page = click(page, "Run this instead")
    assert code_blocks(page) == ["print(plus(2, 3))", "print(plus(4, 5))", "9"]


def test_of_two_tabs_that_answer_code_the_second_is_told(serve_page: ServePage, agent_file: Path) -> None:
    serve_page(agent_file, ScriptedModel([ADDS, "It is 5."]), first_thread="t1", approve="code")
    one = say(open_page(), "add")
    two = open_page()
    click(one, "Approve")
    two = click(two, "Reject")
    assert len(two.error) == 1
    assert "5" in code_blocks(two)


def test_events_are_no_words_of_the_agent(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel(["I heard it."]), first_thread="t1")
    _, receiver = app.open_conversation("t1").send_event("external", {"door": "*open*"})
    with receiver:
        list(receiver.recv())
    page = open_page()
    assert code_blocks(page) == ['{"door": "*open*"}']
    assert ":small[:gray[event]]" in [text.value for text in page.markdown]


def test_earlier_threads_of_the_target_are_a_click_away(
    serve_page: ServePage, chatbot_file: Path, agent_file: Path
) -> None:
    serve_page(agent_file, ScriptedModel(["Elsewhere."]))
    say(open_page(), "somebody else's")
    serve_page(chatbot_file, ScriptedModel(["Milk.", "Eggs."]))
    first = say(open_page(), "*buy* milk")
    second = say(open_page(), "buy eggs " * 20)
    page = open_page()
    listed = [button.label for button in page.button if button.key and button.key.startswith("thread-")]
    assert len(listed) == 2
    assert listed[0].startswith("buy eggs buy eggs")
    assert "…" in listed[0]
    assert listed[1].startswith(r"\*buy\* milk :gray[· ")
    page = checked(next(button for button in page.button if "milk" in button.label).click().run())
    assert page.query_params["thread"] == first.query_params["thread"] != second.query_params["thread"]
    assert page.chat_message[-1].markdown[0].value == "Milk."
