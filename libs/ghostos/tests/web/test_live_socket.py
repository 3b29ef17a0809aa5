"""The websocket of the live pane: what it says beside the messages, whom it serves, and that nothing of it is left."""

import asyncio
import gc
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.websockets import WebSocket, WebSocketState
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ghostos.config import AppSettings
from ghostos.core.body_state import BodyState
from ghostos.core.prompt import ModelDelta
from ghostos.ghosts.target import Approve
from ghostos.testing import ScriptedModel
from ghostos.web.live_socket import LiveSocket
from ghostos.web.outbox import Outbox, OverflowedError

from .live_client import GatedModel, Served, ServeLive, serve_live

__all__ = ["serve_live"]  # a fixture

PARENT = """
from ghostos_moss import Moss as Parent

from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.subtasks import Subtasks


class Moss(Parent):
    subtasks: Subtasks
"""
CREATES = "<moss>\nmoss.subtasks.create(Chatbot('helper'), 'help me')\nmoss.flow.wait()\n</moss>"
_STARTED_S = 20


def await_true(is_true: Callable[[], object], *, timeout_s: float = _STARTED_S) -> None:
    """Wait until something holds."""
    until = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.02)


def has_listeners(served: Served, thread: str) -> bool:
    """Whether anybody still listens to a thread."""
    task = served.app.find_task(thread)
    assert task is not None
    return served.app.matrix.log_of(task.id).has_listeners  # pyright: ignore[reportAttributeAccessIssue] - its own class


def count_tasks(served: Served) -> int:
    """What runs on the loop that serves."""

    async def count() -> int:
        return len(asyncio.all_tasks())

    return asyncio.run_coroutine_threadsafe(count(), served.loop).result(10)


# --- whom it shows what


REHEARSAL = (
    "version: 1\n"
    "scenes:\n"
    "- {id: add, when: [add two and three], rounds: [{say: It is 5.}]}\n"
    "otherwise: {say: I do not know., offer: [add two and three]}\n"
)


def test_a_page_without_a_thread_is_told_who_would_answer(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel([], label="some:model"))
    with served.open() as page:
        status = page.see_kind("status")
        assert status["is_new"] is True
        assert page.status["model"]["label"] == "some:model"
        assert page.status["is_at_work"] is False
    with served.open("not-there") as page:
        assert page.see_kind("status")["is_new"] is True
    assert served.app.find_task("not-there") is None


def test_without_a_key_a_page_says_what_to_set(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file)
    with served.open() as page:
        page.see_kind("status")
        assert "OPENAI_API_KEY" in page.status["model"]["missing_key"]


def test_phrases_of_a_rehearsal_are_offered_and_a_broken_one_is_named(serve_live: ServeLive, agent_file: Path) -> None:
    rehearsal = agent_file.with_name("adding.rehearsal.yaml")
    rehearsal.write_text(REHEARSAL)
    served = serve_live(agent_file)
    with served.open() as page:
        page.see_kind("status")
        assert page.status["phrases"] == ["add two and three"]
        assert page.status["model"]["is_rehearsal"] is True
    served.say("t1", "add two and three")
    rehearsal.write_text("version: 1\nscenes: [{}]\n")
    for thread in (None, "t1"):
        with served.open(thread) as page:
            page.see_kind("status")
            assert "rehearsal" in page.status["model"]["missing_key"]
            assert page.status["phrases"] == []
            rehearsal.write_text(REHEARSAL)
            page.see(lambda it: it.status["model"]["is_rehearsal"] and it.status["phrases"] == ["add two and three"])
            rehearsal.write_text("version: 1\nscenes: [{}]\n")
            page.see(lambda it: it.status["model"]["missing_key"] and it.status["phrases"] == [])
            assert not any(item["kind"] == "error" for item in page.items)


def test_a_page_hears_of_a_key_that_was_stored_elsewhere(
    serve_live: ServeLive, chatbot_file: Path, workspace: Path
) -> None:
    served = serve_live(chatbot_file)
    served.app.open_conversation("t1")
    with served.open() as page, served.open("t1") as other:
        for each in (page, other):
            each.see_kind("status")
            assert each.status["model"]["missing_key"]
        (workspace / ".env").write_text("OPENAI_API_KEY=sk-made-up\n")
        (workspace / ".env").chmod(0o600)
        for each in (page, other):
            each.see(lambda it: not it.status["model"]["missing_key"])


def test_a_page_on_which_nothing_happens_is_told_nothing(serve_live: ServeLive, agent_file: Path) -> None:
    served = serve_live(agent_file, ScriptedModel(["One."]))
    served.say("t1", "a")
    with served.open() as page, served.open("t1") as other:
        for each in (page, other):
            each.see_kind("status")
        other.settle()
        for each in (page, other):
            with pytest.raises(TimeoutError):
                each.take_frame(timeout_s=2.5)


def test_a_status_has_the_same_keys_before_a_thread_was_begun_and_after(
    serve_live: ServeLive, chatbot_file: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One."]))
    with served.open("t1") as page:
        page.see_kind("status")
        before = page.status
        served.say("t1", "a")
        page.see(lambda it: it.status["turn"] == 1)
        assert {*before} == {*page.status}
        assert (before["thread"], before["task"], before["turn"]) == (None, None, 0)


def test_a_thread_of_another_target_is_refused_for_good(
    serve_live: ServeLive, chatbot_file: Path, agent_file: Path
) -> None:
    elsewhere = serve_live(agent_file, ScriptedModel(["Elsewhere."]))
    elsewhere.say("other", "secret")
    elsewhere.close()
    served = serve_live(chatbot_file, ScriptedModel([]))
    with served.open("other") as page:
        assert page.await_end() == 1000
        error = page.see_kind("error")
        assert error["is_final"] is True
        assert "belongs to" in error["happened"]
        assert page.texts() == []


def test_a_thread_that_is_deleted_is_gone(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One."]))
    served.say("t1", "a")
    with served.open("t1") as page:
        page.settle()
        served.app.open_conversation("t1").delete()
        page.await_end()
        assert page.items[-1]["kind"] == "gone"
        page.come_again()
        page.await_end()
        assert [item["kind"] for item in page.items[-2:]] == ["hello", "gone"]
    with served.open("t1") as page:
        assert page.see_kind("status")["is_new"] is True


def test_a_thread_that_takes_a_deleted_ones_name_is_not_mixed_with_it(
    serve_live: ServeLive, chatbot_file: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["Old.", "New.", "Newer."]))
    served.say("t1", "old question")
    with served.open("t1") as page, served.open("t1") as unsettled:
        page.settle()
        unsettled.settle().close()
        task = page.status["task"]
        served.app.open_conversation("t1").delete()
        new = served.say("t1", "new question") and served.say("t1", "newer question")
        page.come_again()
        page.await_end()
        assert page.items[-1]["kind"] == "gone"
        unsettled.ask_for("t1")  # as one that was lost before it knew the id
        unsettled.come_again()
        unsettled.see(lambda it: it.texts() == new)
        for name, facts in (("say", {"text": "x", "is_new": True}), ("stop", {}), ("rewind", {"turn": 0})):
            assert served.do(name, thread=task, **facts).status_code == 404, name
    assert [thread.name for thread in served.app.list_threads(limit=9)] == ["t1"]


def test_a_thread_that_is_renamed_stays_on_the_page(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One.", "Two."]))
    served.say("t1", "a")
    with served.open("t1") as page:
        page.settle()
        served.app.open_conversation("t1").rename("t2")
        page.see(lambda it: it.status["thread"] == "t2")
        served.done("say", thread="t2", text="b")
        page.see(lambda it: "text: Two." in it.texts())
    assert [thread.name for thread in served.app.list_threads(limit=9)] == ["t2"]


def test_a_thread_that_a_ghost_has_made_is_shown_and_its_parent_knows_of_it(
    serve_live: ServeLive, tmp_path: Path
) -> None:
    target = tmp_path / "parent.py"
    target.write_text(PARENT)

    def reply(prompt) -> str:
        said = [message.content for message in prompt.messages]
        if any("help me" in text for text in said) and not any("begin" in text for text in said):
            return "I help."
        return CREATES if not any("moss.subtasks.create" in text for text in said) else "All is done."

    served = serve_live(target, ScriptedModel([reply] * 9))
    served.done("say", thread="t1", text="begin", is_new=True)
    with served.open("t1") as page:
        page.see(lambda it: it.status.get("children"))
        (child,) = page.status["children"]
        assert child["ghost"] == "helper"
        with served.open(child["thread"]) as sub:
            sub.see(lambda it: "text: I help." in it.texts())
        page.see(lambda it: "text: All is done." in it.texts())


def test_code_that_waits_is_in_the_status_until_it_is_answered(serve_live: ServeLive, agent_file: Path) -> None:
    approve: Approve = "code"
    replies = ["<moss>\nprint(plus(2, 3))\n</moss>", "It is 5.", "<moss>\nprint(plus(9, 9))\n</moss>", "As you wish."]
    replies += ["<moss>\nprint(plus(1, 1))\n</moss>", "It is 9."]
    model = ScriptedModel(replies)
    served = serve_live(agent_file, model, approve=approve)
    served.done("say", thread="t1", text="add", is_new=True)
    with served.open("t1") as one, served.open("t1") as two:
        for page in (one, two):
            page.see(lambda it: it.status.get("pending_code"))
        pending = one.status["pending_code"]
        assert pending["code"].strip() == "print(plus(2, 3))"
        refused = served.do("answer", thread="t1", id=pending["id"], hash="another", decision="approve")
        assert refused.status_code == 400
        answer = {"thread": "t1", "id": pending["id"], "hash": pending["hash"]}
        served.done("answer", **answer, decision="approve")
        late = served.do("answer", **answer, decision="reject")
        assert late.status_code == 400
        for page in (one, two):
            page.see(lambda it: "text: It is 5." in it.texts() and it.status["pending_code"] is None)
        served.done("say", thread="t1", text="add nines")
        one.see(lambda it: "plus(9, 9)" in str(it.status["pending_code"]))
        pending = one.status["pending_code"]
        answer = {"thread": "t1", "id": pending["id"], "hash": pending["hash"]}
        served.done("answer", **answer, decision="reject", reason="not today")
        one.see(lambda it: "text: As you wish." in it.texts())
        assert "not today" in str(model.prompts[-1].messages)
        served.done("say", thread="t1", text="add ones")
        one.see(lambda it: "plus(1, 1)" in str(it.status["pending_code"]))
        pending = one.status["pending_code"]
        answer = {"thread": "t1", "id": pending["id"], "hash": pending["hash"]}
        served.done("answer", **answer, decision="edit", code="print(plus(4, 5))")
        one.see(lambda it: "text: It is 9." in it.texts())
        assert "output: 9" in [text.strip() for text in one.texts()]


def test_usage_is_counted_and_a_rewind_changes_the_turn(serve_live: ServeLive, chatbot_file: Path) -> None:
    from ghostos.core.usage import Usage

    reply = [
        ModelDelta(kind="text", text="Yes."),
        ModelDelta(kind="usage", usage=Usage(model_calls=1, input_tokens=7, cached_tokens=3, output_tokens=2)),
        ModelDelta(kind="done"),
    ]
    served = serve_live(chatbot_file, ScriptedModel([reply, reply]))
    served.say("t1", "a")
    served.say("t1", "b")
    with served.open("t1") as page:
        page.settle()
        usage = page.status["usage"]
        assert (usage["input"], usage["cached"], usage["output"]) == (14, 6, 4)
        assert page.status["turn"] == 2
        served.done("rewind", thread="t1", turn=1)
        page.see(lambda it: it.status["turn"] != 2 or "reset" in it.kinds())


def test_the_end_of_the_matrix_is_said_once_and_what_is_said_then_is_refused(
    serve_live: ServeLive, chatbot_file: Path
) -> None:
    model = GatedModel(["One, two, three."])
    served = serve_live(chatbot_file, model)
    served.done("say", thread="t1", text="count", is_new=True)
    model.let()
    with served.open("t1") as page:
        page.see(lambda it: "One," in it.shown.begun.values())
        served.app.matrix.close()
        page.see_kind("error")
        page.take_until(len(page.items) + 100)
        (error,) = [item["happened"] for item in page.items if item["kind"] == "error"]
        assert "closed" in error
    refused = served.do("say", thread="t1", text="do not lose this")
    assert refused.status_code == 500
    assert "closed" in refused.json()["error"]["happened"]
    with served.open("t1") as page:
        assert "closed" in page.see_kind("error")["happened"]
        page.await_end()


def test_thoughts_events_and_a_change_of_model_are_messages_of_their_own(
    serve_live: ServeLive, chatbot_file: Path
) -> None:
    reply = [ModelDelta(kind="reasoning", text="Hm."), ModelDelta(kind="text", text="Yes."), ModelDelta(kind="done")]
    first = serve_live(chatbot_file, ScriptedModel([reply, "I heard it."], label="first:model"))
    first.say("t1", "Is it?")
    with first.open("t1") as page:
        page.settle()
        receiver = first.app.open_conversation("t1").send_event("external", {"door": "*open*"})[1]
        page.see(lambda it: "text: I heard it." in it.texts())
        receiver.close()
        assert page.texts()[:4] == ["text: Is it?", "state: first:model", "reasoning: Hm.", "text: Yes."]
        (event,) = [message for message in page.shown.messages.values() if "*open*" in message["content"]]
        assert event["role"] == "environment"
    first.close()
    second = serve_live(chatbot_file, ScriptedModel(["Two.", "Three."], label="second:model"))
    second.say("t1", "b")
    assert "state: second:model" in second.say("t1", "c")


# --- permissions


def reading(path: Path) -> str:
    return f"<moss>\nprint(open({str(path)!r}).read())\n</moss>"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "secret.txt"
    path.parent.mkdir()
    path.write_text("milk")
    return path


def test_of_two_pages_that_answer_a_question_the_first_counts_and_the_second_is_told(
    serve_live: ServeLive, agent_file: Path, secret: Path
) -> None:
    model = ScriptedModel([reading(secret), "I may not.", reading(secret), "Milk."])
    served = serve_live(agent_file, model, is_confined=True)
    served.done("say", thread="t1", text="read", is_new=True)
    with served.open("t1") as one, served.open("t1") as two:
        for page in (one, two):
            page.see(lambda it: it.status.get("requests") and not it.status["is_at_work"])
        (request,) = one.status["requests"]
        assert two.status["requests"] == [request]
        assert [scope["label"] for scope in request["scopes"]] == [
            "Allow once",
            "Allow for this thread",
            "Allow always",
        ]
        assert request["what"] == str(secret)
        served.done("allow", thread="t1", id=request["id"], scope="once")
        late = served.do("allow", thread="t1", id=request["id"], scope="thread")
        assert late.status_code == 400
        assert "answered already: it is allowed until this turn ends" in late.json()["error"]["happened"]
        for page in (one, two):
            page.see(lambda it: "text: Milk." in it.texts() and not it.status["requests"])
    task = served.app.find_task("t1")
    assert task is not None
    assert [grant.scope for grant in task.grants] == ["once"]


def test_a_question_is_void_once_the_user_has_spoken_again(
    serve_live: ServeLive, agent_file: Path, secret: Path
) -> None:
    model = ScriptedModel([reading(secret), "I may not.", "As you wish."])
    served = serve_live(agent_file, model, is_confined=True)
    served.done("say", thread="t1", text="read", is_new=True)
    with served.open("t1") as page:
        page.see(lambda it: it.status.get("requests") and not it.status["is_at_work"])
        (request,) = page.status["requests"]
        served.done("say", thread="t1", text="never mind")
        page.see(lambda it: "text: As you wish." in it.texts() and not it.status["requests"])
    late = served.do("allow", thread="t1", id=request["id"], scope="always")
    assert "gone on since this was asked" in late.json()["error"]["happened"]
    assert "permissions" not in settings_file(served).read_text()


def test_what_is_allowed_for_a_thread_or_always_stays_so(serve_live: ServeLive, agent_file: Path, secret: Path) -> None:
    replies = [reading(secret), "I may not.", reading(secret), "Milk."]
    served = serve_live(agent_file, ScriptedModel(replies * 2), is_confined=True)
    for thread, scope in (("t1", "thread"), ("t2", "always")):
        served.done("say", thread=thread, text="read", is_new=True)
        with served.open(thread) as page:
            page.see(lambda it: it.status.get("requests") and not it.status["is_at_work"])
            served.done("allow", thread=thread, id=page.status["requests"][0]["id"], scope=scope)
            page.see(lambda it: "text: Milk." in it.texts() and f"read {secret}" in it.status["profile"])
    settings = settings_file(served)
    assert f'read = ["{secret}"]' in settings.read_text()
    with served.open() as page:
        page.see_kind("status")
        assert f"read {secret}" in page.status["profile"]


def test_a_question_stays_open_however_much_its_turn_has_said_since(
    serve_live: ServeLive, secret: Path, tmp_path: Path
) -> None:
    target = tmp_path / "agent" / "calling.py"
    target.parent.mkdir()
    target.write_text("from ghostos_moss import on_host\n\n\n@on_host\ndef ring(at: int) -> str:\n    return 'x'\n")
    many = "<moss>\nfor at in range(130): ring(at)\nprint('rung')\n</moss>"
    served = serve_live(target, ScriptedModel([reading(secret), many, many, many, "I may not."]), is_confined=True)
    served.say("t1", "read")
    with served.open("t1") as page:
        page.settle()
        assert page.shown.messages.keys() != {*range(1, page.shown.committed + 1)}, "the question is not shown"
        (request,) = page.status["requests"]
        assert request["what"] == str(secret)


def test_what_is_allowed_while_the_turn_runs_holds_in_it(serve_live: ServeLive, agent_file: Path, secret: Path) -> None:
    thinking = "I shall think.\n<moss>\nprint('thought')\n</moss>"
    model = GatedModel([reading(secret), thinking, reading(secret), "It says milk."])
    served = serve_live(agent_file, model, is_confined=True)
    served.done("say", thread="t1", text="read", is_new=True)
    model.let(3)
    with served.open("t1") as page:
        page.see(lambda it: it.status.get("requests"))
        served.done("allow", thread="t1", id=page.status["requests"][0]["id"], scope="once")
        model.let(99)
        page.see(lambda it: "text: It says milk." in it.texts() and not it.status["is_at_work"])
        assert "output: milk" in [text.strip() for text in page.texts()]
        assert page.status["turn"] == 1


def test_what_has_no_button_says_why_and_which_option_would_do(
    serve_live: ServeLive, agent_file: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(agent_file.parent))
    code = f"<moss>\nopen({str(home / 'new.txt')!r}, 'w')\n</moss>"
    served = serve_live(agent_file, ScriptedModel([code, "I may not."]), is_confined=True)
    served.done("say", thread="t1", text="write", is_new=True)
    with served.open("t1") as page:
        page.see(lambda it: it.status.get("requests") and not it.status["is_at_work"])
        (request,) = page.status["requests"]
    assert request["scopes"] == []
    assert "Not with a click: it is your home folder" in request["explanation"]
    assert request["option"] == f"--allow-write={home}"


def test_what_code_says_of_itself_is_its_word_with_nothing_hidden(serve_live: ServeLive, agent_file: Path) -> None:
    said = "x](http://e.test) **Allow** <b>b</b>\n# \u202e"
    code = f"import sys\nsys.audit('socket.connect', None, {said!r})\nraise PermissionError(13, 'no')"
    served = serve_live(agent_file, ScriptedModel([f"<moss>\n{code}\n</moss>", "I may not."]), is_confined=True)
    served.done("say", thread="t1", text="connect", is_new=True)
    with served.open("t1") as page:
        page.see(lambda it: it.status.get("requests") and not it.status["is_at_work"])
        (request,) = page.status["requests"]
    assert request["question"] == "Allow the code to open network connections, to any host?"
    assert r"it asked for x](http://e.test) **Allow** <b>b</b>\n# \u202e" in request["asker"]
    assert "\u202e" not in request["asker"]


# --- bodies


class BrokenDrawing:
    """A drawing of the user's own, with a fault."""

    def draw_svg(self, state: BodyState) -> str:
        raise ValueError(state.text)

    def draw_lines(self, state: BodyState, *, rows: int, has_color: bool) -> list[tuple[()]]:
        return []


@pytest.mark.parametrize("drawing", [None, BrokenDrawing()])
def test_a_body_that_cannot_be_drawn_is_shown_as_its_text(
    serve_live: ServeLive, chatbot_file: Path, drawing: BrokenDrawing | None
) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))
    with served.open(bodies=True) as page, served.open() as blind:
        feed = served.app.bodies
        feed.open("lamp", stop=lambda: None, drawing=drawing)
        feed.publish(BodyState(body="lamp", kind="lamp", text="the *lamp* is on", data={}, is_busy=True))
        (shown,) = page.see_kind("bodies")["bodies"]
        assert (shown["name"], shown["text"], shown["is_busy"]) == ("lamp", "the *lamp* is on", True)
        assert (shown["picture"], shown["handles"]) == ("", [])
        feed.close("lamp")
        page.see(lambda it: [item for item in it.items if item["kind"] == "bodies"][-1]["bodies"] == [])
        blind.see_kind("status")
        assert not any(item["kind"] == "bodies" for item in blind.items)


def test_many_pages_share_the_pictures_of_a_body_and_get_the_last(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))
    drawn: list[str] = []

    class Drawing(BrokenDrawing):
        def draw_svg(self, state: BodyState) -> str:
            drawn.append(state.text)
            return "<svg/>"

    pages = [served.open(bodies=True) for _ in range(10)]
    served.app.bodies.open("lamp", stop=lambda: None, drawing=Drawing())
    for number in range(20):
        text = f"state {number}"
        served.app.bodies.publish(BodyState(body="lamp", kind="lamp", text=text, data={}, is_busy=True))
        time.sleep(0.05)
    for page in pages:
        page.see(lambda it: "state 19" in str(it.items[-1:]))
        page.close()
    assert len(drawn) == len({*drawn}), "each state is drawn once, however many look at it"
    assert drawn[-1] == "state 19"


# --- whom it does not serve, and what is left of it


@pytest.mark.parametrize(
    ("cookie", "origin"),
    [(False, True), (True, False)],
    ids=["without the cookie", "from another page"],
)
def test_it_opens_for_our_own_page_alone(
    serve_live: ServeLive, chatbot_file: Path, cookie: object, origin: object
) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))
    with pytest.raises(InvalidStatus) as caught:
        connect(
            f"ws://127.0.0.1:{served.port}/ghostos/live",
            additional_headers={"Cookie": served.cookie} if cookie else {},
            origin=served.base if origin else "http://evil.test",  # pyright: ignore[reportArgumentType]
            subprotocols=["ghostos", f"ghostos.{served.page_key}"],  # pyright: ignore[reportArgumentType]
        )
    assert caught.value.response.status_code == 403


def test_a_page_that_sends_something_is_not_heard_and_served_on(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One."]))
    served.say("t1", "a")
    with served.connect("/ghostos/live?thread=t1") as sock:
        sock.send('{"kind": "say", "text": "b"}')
        sock.send("x" * 100_000)
        sock.send(b"\x00\xff")
        time.sleep(0.3)
    with served.open("t1") as page:
        page.settle()
        assert page.status["turn"] == 1


def settings_file(served: Served) -> Path:
    return served.app.matrix.container.force_fetch(AppSettings).workspace.config_file


def unread(served: Served, thread: str) -> socket.socket:
    """A page that has connected and reads nothing any more."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", served.port))
    lines = [f"GET /ghostos/live?thread={thread} HTTP/1.1", f"Host: 127.0.0.1:{served.port}", f"Origin: {served.base}"]
    lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Cookie: {served.cookie}"]
    lines += [f"Sec-WebSocket-Protocol: ghostos, ghostos.{served.page_key}"]
    lines += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", ""]
    sock.sendall("\r\n".join(lines).encode())
    assert sock.recv(12) == b"HTTP/1.1 101"
    return sock


@pytest.mark.slow
def test_a_page_that_does_not_read_keeps_no_turn_from_going_on(serve_live: ServeLive, chatbot_file: Path) -> None:
    pieces = [ModelDelta(kind="text", text="x" * 1_000_000) for _ in range(90)]
    served = serve_live(chatbot_file, ScriptedModel(["One.", [*pieces, ModelDelta(kind="done")]]))
    served.say("t1", "a")
    with unread(served, "t1"):
        await_true(lambda: has_listeners(served, "t1"))
        served.done("say", thread="t1", text="much")
        await_true(lambda: (task := served.app.find_task("t1")) is not None and task.turn == 2, timeout_s=60)
    history = served.app.open_conversation("t1").history()
    assert len(history[-1].content) == 90_000_000


def test_a_page_for_which_too_much_waits_is_let_go() -> None:
    outbox = Outbox()
    for _ in range(64):
        outbox.put(b"x" * 1024 * 1024)
    with pytest.raises(OverflowedError):
        outbox.put(b"x" * 1024 * 1024)


async def test_a_page_to_which_nothing_can_be_sent_is_not_waited_for(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))

    async def receive() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    tried: list[object] = []

    async def send(frame: object) -> None:
        tried.append(frame)
        await asyncio.Event().wait()

    websocket = WebSocket({"type": "websocket"}, receive, send)
    websocket.client_state = websocket.application_state = WebSocketState.CONNECTED
    page = LiveSocket(served.app, websocket, frames=None, patience_s=0.1)
    await asyncio.wait_for(page.run(None, seen=0), 5)
    assert tried, "it was tried"


@pytest.mark.slow
def test_after_many_pages_nothing_is_left(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One.", "Two."]))
    served.say("t1", "a")
    served.app.bodies.open("lamp", stop=lambda: None)
    served.app.bodies.publish(BodyState(body="lamp", kind="lamp", text="on", data={}, is_busy=False))

    def visit(times: int) -> None:
        for number in range(times):
            with served.open(["t1", None, "nowhere"][number % 3], bodies=number % 2 == 0) as page:
                if number % 5:
                    page.take_frame()

    def held() -> dict[str, int]:
        gc.collect()
        return {
            "tasks": count_tasks(served),
            "threads": threading.active_count(),
            "files": len(os.listdir("/proc/self/fd")),
            "pages": sum(type(each) is LiveSocket for each in gc.get_objects()),  # asks none of them,
        }

    visit(60)
    await_true(lambda: not has_listeners(served, "t1"))
    await_true(lambda: count_tasks(served) <= 2)
    before = held()
    visit(200)
    await_true(lambda: not has_listeners(served, "t1"))
    few = 5  # threads of the pool are begun when there is work for them
    await_true(lambda: all(now <= before[name] + few for name, now in held().items()))
    assert served.say("t1", "b")[-1] == "text: Two."


def test_the_server_ends_at_once_whatever_is_connected(serve_live: ServeLive, chatbot_file: Path) -> None:
    model = GatedModel(["One two three."])
    served = serve_live(chatbot_file, model)
    served.done("say", thread="t1", text="count", is_new=True)
    pages = [served.open("t1", bodies=True) for _ in range(10)] + [served.open() for _ in range(5)]
    model.let()
    pages[0].see(lambda it: "One" in it.shown.begun.values())
    unreading = unread(served, "t1")
    began = time.monotonic()
    served.close()
    assert time.monotonic() - began < 3
    for page in pages:
        assert page.await_end(timeout_s=3) in (1001, 1012)
    unreading.close()
    model.let(9)
