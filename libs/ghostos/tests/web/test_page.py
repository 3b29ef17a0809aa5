"""The page's own logic, run by Streamlit's stand-in for a browser over a real Matrix."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ghostos.web
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.errors import MatrixClosedError, ModelServerError
from ghostos.ghosts.target import Approve, load_target
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos.web.app import WebApp
from ghostos.web.running import get_app, running
from ghostos.web.turn_feed import TurnFeed

SCRIPT = Path(ghostos.web.__file__).parent / "entry" / "ghostos_page.py"

ServePage = Callable[..., WebApp]


@pytest.fixture
def serve_page(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServePage]:
    """Serve a target to this process's pages, with a scripted model or with none; the last one served counts."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = workspace / "configs" / "ghostos.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("version = 1\n[turn]\nmodel_retries = 0\n")
    with ExitStack() as stack:

        def serve(
            target: Path,
            model: ScriptedModel | None = None,
            *,
            first_thread: str | None = None,
            approve: Approve | None = None,
        ) -> WebApp:
            loaded = load_target(str(target), approve=approve)
            container = make_app_container(workspace, providers=[use_model(model)] if model else [])
            stack.callback(container.shutdown)
            matrix = stack.enter_context(get_ghostos(container).create_matrix("test", providers=loaded.providers))
            app = WebApp.over(matrix, target=loaded, first_thread=first_thread)
            stack.enter_context(running(app))
            return app

        yield serve


@pytest.fixture
def calling_file(tmp_path: Path) -> Path:
    path = tmp_path / "calling_file.py"
    path.write_text("from ghostos_moss import on_host\n\n\n@on_host\ndef ring(at: int) -> str:\n    return '[a](b)'\n")
    return path


def open_page(thread: str | None = None) -> AppTest:
    page = AppTest.from_file(str(SCRIPT), default_timeout=20)
    if thread is not None:
        page.query_params["thread"] = thread
    return checked(page.run())


def say(page: AppTest, text: str) -> AppTest:
    return checked(page.chat_input[0].set_value(text).run())


def checked(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def bubbles(page: AppTest) -> list[tuple[str, list[str]]]:
    """Who said it, and the texts of what was said."""
    return [(bubble.name, [getattr(part, "value", "") for part in bubble]) for bubble in page.chat_message]


def test_an_answer_is_on_the_page_and_in_the_thread(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel(["Hello to you."]))
    page = say(open_page(), "Hello.")
    conversation = app.find_conversation(page.query_params["thread"])
    assert conversation is not None
    assert [said.content for said in conversation.history() if said.type == "text"] == ["Hello.", "Hello to you."]
    assert [bubble.name for bubble in page.chat_message] == ["user", "assistant"]
    assert page.chat_message[1].markdown[0].value == "Hello to you."


def test_a_finished_turn_looks_as_it_did_while_it_ran(serve_page: ServePage, agent_file: Path) -> None:
    serve_page(agent_file, ScriptedModel(["Adding.\n<moss>\nprint(plus(2, 3))\n</moss>", "It is 5."]))
    live = say(open_page(), "add")
    later = open_page(live.query_params["thread"])
    assert bubbles(live) == bubbles(later)
    assert [block.value for block in later.code] == ["print(plus(2, 3))", "5"]


def test_calls_of_objects_are_folded_and_look_as_they_did_while_they_came(
    serve_page: ServePage, calling_file: Path
) -> None:
    many = "<moss>\nfor at in range(130): ring(at)\nprint('rung')\n</moss>"
    serve_page(calling_file, ScriptedModel([many, "<moss>\nring(1)\n</moss>"]))
    live = say(open_page(), "ring")
    later = open_page(live.query_params["thread"])
    assert bubbles(live) == bubbles(later)
    assert [fold.label for fold in later.expander] == ["130 calls"]
    lines = later.expander[0].code[0].value.split("\n")
    assert len(lines) == 101
    assert lines[0].startswith("Host.ring(0) = '[a](b)', ")
    assert lines[-1].startswith("and 30 more, the last: Host.ring(129)")
    alone = [text.value for text in later.markdown if "ring" in text.value]
    assert len(alone) == 1
    assert r"Host\.ring\(1\) = '\[a\]\(b\)'" in alone[0]


def test_a_page_that_only_looks_makes_no_thread(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel([]))
    page = open_page("not-there")
    assert app.find_task("not-there") is None
    assert not page.chat_message


def test_the_first_thread_is_the_one_that_was_asked_for(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel(["Yes."]), first_thread="t1")
    page = say(open_page(), "Hello.")
    assert page.query_params["thread"] == "t1"
    assert app.find_task("t1") is not None


def test_a_failed_call_is_an_error_with_advice_and_the_thread_goes_on(
    serve_page: ServePage, chatbot_file: Path
) -> None:
    failure = ModelServerError("The service is down.", advice="Wait, then say it again.")
    serve_page(chatbot_file, ScriptedModel([failure, "Now it works."]))
    page = say(open_page(), "Hello.")
    assert "Wait, then say it again" in page.error[0].value.replace("\\", "")
    page = say(page, "Again.")
    assert page.chat_message[-1].markdown[0].value == "Now it works."


def test_the_model_is_named_in_the_thread_where_it_changes(serve_page: ServePage, chatbot_file: Path) -> None:
    serve_page(chatbot_file, ScriptedModel(["One."], label="first:model"), first_thread="t1")
    assert not any("answered by" in caption.value for caption in say(open_page(), "a").caption)
    serve_page(chatbot_file, ScriptedModel(["Two.", "Three."], label="second:model"), first_thread="t1")
    page = say(say(open_page(), "b"), "c")
    assert [caption.value for caption in page.caption if "answered by" in caption.value] == [
        r"answered by first\:model",
        r"answered by second\:model",
    ]


def test_words_of_the_user_are_shown_as_typed(serve_page: ServePage, chatbot_file: Path) -> None:
    typed = "# no heading\n*stars* <b>x</b> $1 $2"
    serve_page(chatbot_file, ScriptedModel(["Yes."]))
    page = say(open_page(), typed)
    assert [text.value for text in page.chat_message[0].text] == [typed]


def test_without_a_key_nothing_can_be_said_and_the_page_says_what_to_set(
    serve_page: ServePage, chatbot_file: Path, workspace: Path
) -> None:
    serve_page(chatbot_file)
    page = open_page()
    assert page.chat_input[0].proto.disabled
    assert page.code[0].value == f"# {workspace}/.env\nOPENAI_API_KEY=..."


def test_the_page_cannot_be_run_by_itself() -> None:
    with pytest.raises(RuntimeError, match="ghostos web TARGET"):
        get_app()


def test_what_could_not_be_stored_is_given_back(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel([]))
    page = open_page()
    app.matrix.close()
    page = say(page, "do not lose this")
    assert "closed" in page.error[0].value
    assert page.code[0].value == "do not lose this"


class UnendingModel(ScriptedModel):
    """Begins a reply and does not end it."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        yield ModelDelta(kind="text", text="One, two")
        await asyncio.Event().wait()


def test_a_turn_that_the_end_of_the_matrix_cuts_short_is_an_error_on_the_page(
    serve_page: ServePage, chatbot_file: Path
) -> None:
    app = serve_page(chatbot_file, UnendingModel([]))
    page = open_page()

    def close() -> None:
        while not any(thread.name == "ghostos-web-turn" for thread in threading.enumerate()):
            time.sleep(0.01)
        app.matrix.close()

    closing = threading.Thread(target=close)
    closing.start()
    page = say(page, "Count.")
    closing.join()
    assert "The Matrix was closed" in page.error[0].value
    assert page.chat_message[-1].markdown[0].value == "One, two"


def test_waiting_for_a_turn_that_never_begins_ends_with_the_matrix(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel([]))
    with TurnFeed(app.open_conversation("t1").attach()) as feed:
        app.matrix.close()
        assert feed.take(timeout_s=10) is None
        assert isinstance(feed.error, MatrixClosedError)


def test_what_a_model_thinks_is_folded_away(serve_page: ServePage, chatbot_file: Path) -> None:
    reply = [ModelDelta(kind="reasoning", text="Hm."), ModelDelta(kind="text", text="Yes."), ModelDelta(kind="done")]
    serve_page(chatbot_file, ScriptedModel([reply]))
    page = say(open_page(), "Is it?")
    assert page.expander[0].label == "reasoning"
    assert not page.expander[0].proto.expanded
    assert page.expander[0].markdown[0].value == "Hm."


def test_earlier_turns_are_shown_when_they_are_asked_for(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel([f"Answer {number}." for number in range(35)]))
    conversation = app.open_conversation("t1")
    for number in range(35):
        _, receiver = conversation.talk(f"Question {number}.")
        list(receiver.recv())
    page = open_page("t1")
    assert len(page.chat_message) == 60
    page = checked(page.button(key="earlier").click().run())
    assert len(page.chat_message) == 70
    assert page.chat_message[0].text[0].value == "Question 0."


def test_a_broken_rehearsal_is_named_on_the_page(serve_page: ServePage, agent_file: Path) -> None:
    serve_page(agent_file)
    agent_file.with_name("adding.rehearsal.yaml").write_text("version: 1\nscenes: [{}]\n")
    page = open_page()
    assert "rehearsal" in page.error[0].value
    assert not page.chat_input


def reading(path: Path) -> str:
    return f"<moss>\nprint(open({str(path)!r}).read())\n</moss>"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "secret.txt"
    path.parent.mkdir()
    path.write_text("milk")
    return path


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.button if button.label.startswith("Allow")]


def click(page: AppTest, label: str) -> AppTest:
    (button,) = [button for button in page.button if button.label == label]
    return checked(button.click().run())


def test_of_two_tabs_that_answer_the_first_counts_and_the_second_says_so(
    serve_page: ServePage, agent_file: Path, secret: Path
) -> None:
    replies = [reading(secret), "I may not.", reading(secret), "Milk."]
    app = serve_page(agent_file, ScriptedModel(replies), first_thread="t1")
    one = say(open_page(), "read")
    two = open_page()
    assert buttons(one) == buttons(two) == ["Allow once", "Allow for this thread", "Allow always"]
    one = click(one, "Allow once")
    assert buttons(one) == []
    two = click(two, "Allow for this thread")
    assert two.error[0].value.startswith("**This was answered already\\: it is allowed until this turn ends\\.**")
    assert buttons(two) == []
    task = app.find_task("t1")
    assert task is not None
    assert [grant.scope for grant in task.grants] == ["once"]
    assert [block.value for block in one.code][-2:] == [f"print(open({str(secret)!r}).read())", "milk"]


def test_a_tab_that_has_not_heard_the_user_speak_again_allows_nothing(
    serve_page: ServePage, agent_file: Path, secret: Path
) -> None:
    app = serve_page(
        agent_file, ScriptedModel([reading(secret), "I may not.", "As you wish.", "Hello."]), first_thread="t1"
    )
    one = say(open_page(), "read")
    two = open_page()
    say(one, "never mind")
    two = click(two, "Allow always")
    assert "The thread has gone on since this was asked" in two.error[0].value
    assert "permissions" not in (app.env_file.parent / "configs" / "ghostos.toml").read_text()
    assert "gone on" not in "".join(error.value for error in say(two, "hello").error), "it is said once"


def test_a_click_where_the_thread_is_gone_says_so(serve_page: ServePage, agent_file: Path, secret: Path) -> None:
    serve_page(agent_file, ScriptedModel([reading(secret), "I may not."]), first_thread="t1")
    page = say(open_page(), "read")
    page.query_params["thread"] = "gone"
    page = click(page, "Allow once")
    assert "There is no thread 'gone'" in page.error[0].value
