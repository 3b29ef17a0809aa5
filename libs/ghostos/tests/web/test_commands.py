"""What a page asks for: what comes of it, and what it is told where that cannot be done."""

import asyncio
import base64
import json
import resource
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from ghostos.contracts.body_feed import BodyHandle
from ghostos.contracts.store import Store
from ghostos.core.body_state import BodyState
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.styled_text import StyledLine
from ghostos.runtime.saved_values import save_value
from ghostos.testing import ScriptedModel

from .live_client import GatedModel, Served, ServeLive, serve_live

__all__ = ["serve_live"]  # a fixture

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
HUGE = 10**40
REFUSED = [
    ("nothing-like-it", {}, 400),
    ("say", {}, 400),
    ("say", {"text": None}, 400),
    ("say", {"text": 3, "thread": "t1"}, 400),
    ("say", {"text": ""}, 400),
    ("say", {"text": " \n", "thread": "t1"}, 400),
    ("say", {"text": "x", "thread": "nowhere"}, 404),
    ("say", {"text": "x", "thread": ["t1"]}, 400),
    ("say", {"text": "x", "thread": "other"}, 400),
    ("say", {"text": "x", "thread": "other", "is_new": True}, 400),
    ("say", {"text": "x", "thread": "a\x00b", "is_new": True}, 400),
    ("say", {"text": "x", "thread": "a" * 10_000, "is_new": True}, 400),
    ("say", {"text": "x", "thread": "t1", "files": ["a.txt"]}, 400),
    ("say", {"text": "x", "thread": "t1", "files": "/etc/passwd"}, 400),
    ("stop", {}, 400),
    ("stop", {"thread": None}, 400),
    ("stop", {"thread": "nowhere"}, 404),
    ("stop", {"thread": "other"}, 400),
    ("allow", {"thread": "t1", "id": "nothing"}, 400),
    ("allow", {"thread": "t1", "id": "nothing", "scope": "everything"}, 400),
    ("allow", {"thread": "t1", "id": "nothing", "scope": ["once"]}, 400),
    ("allow", {"thread": "t1", "id": "nothing", "scope": "once"}, 400),
    ("allow", {"thread": "nowhere", "id": "x", "scope": "once"}, 404),
    ("answer", {"thread": "t1", "id": "x"}, 400),
    ("answer", {"thread": "t1", "id": "x", "decision": "approve"}, 400),
    ("answer", {"thread": "t1", "id": "x", "decision": "maybe", "hash": "x"}, 400),
    ("answer", {"thread": "t1", "id": "x", "decision": "approve", "hash": "x"}, 400),
    ("answer", {"thread": "t1", "id": "x", "decision": "edit", "hash": "x", "code": 3}, 400),
    ("fork", {"thread": "t1"}, 400),
    ("fork", {"thread": "t1", "turn": "1"}, 400),
    ("fork", {"thread": "t1", "turn": True}, 400),
    ("fork", {"thread": "t1", "turn": 1.5}, 400),
    ("fork", {"thread": "t1", "turn": -1}, 400),
    ("fork", {"thread": "t1", "turn": 99}, 400),
    ("fork", {"thread": "t1", "turn": HUGE}, 400),
    ("fork", {"thread": "other", "turn": 1}, 400),
    ("rewind", {"thread": "t1"}, 400),
    ("rewind", {"thread": "t1", "turn": -1}, 400),
    ("rewind", {"thread": "t1", "turn": 99}, 400),
    ("rewind", {"thread": "t1", "turn": HUGE}, 400),
    ("rewind", {"thread": "nowhere", "turn": 0}, 404),
    ("retry", {"thread": "t1"}, 400),
    ("retry", {"thread": "t1", "turn": 0}, 400),
    ("retry", {"thread": "t1", "turn": -1}, 400),
    ("retry", {"thread": "t1", "turn": 99}, 400),
    ("retry", {"thread": "t1", "turn": HUGE}, 400),
    ("retry", {"thread": "t1", "turn": 1, "text": ["x"]}, 400),
    ("retry", {"thread": "t1", "turn": 1, "text": ""}, 400),
    ("retry", {"thread": "t1", "turn": 1, "text": " \n"}, 400),
    ("earlier", {"thread": "t1"}, 400),
    ("earlier", {"thread": "t1", "before": "9"}, 400),
    ("earlier", {"thread": "t1", "before": HUGE}, 400),
    ("earlier", {"thread": "nowhere", "before": 9}, 404),
    ("variable", {}, 400),
    ("variable", {"thread": "t1", "id": "nothing"}, 400),
    ("variable", {"thread": "nowhere", "id": "nothing"}, 404),
    ("move-handle", {}, 400),
    ("move-handle", {"body": "lamp", "handle": "x", "x": "1", "y": 1}, 400),
    ("move-handle", {"body": "lamp", "handle": "x", "x": 1, "y": True}, 400),
    ("move-handle", {"body": "nowhere", "handle": "x", "x": 1, "y": 1}, 400),
    ("move-handle", {"body": "lamp", "handle": "nowhere", "x": 1, "y": 1}, 400),
    ("move-handle", {"body": "lamp", "handle": "x", "x": float("nan"), "y": 1}, 400),
    ("move-handle", {"body": "lamp", "handle": "x", "x": 1, "y": float("inf")}, 400),
    ("move-handle", {"body": "lamp", "handle": "x", "x": 1, "y": 10**400}, 400),
]


@pytest.fixture
def other(serve_live: ServeLive, agent_file: Path) -> str:
    """A thread of another target."""
    elsewhere = serve_live(agent_file, ScriptedModel(["Elsewhere."]))
    elsewhere.say("other", "hi")
    elsewhere.close()
    return "other"


@pytest.fixture
def served(serve_live: ServeLive, chatbot_file: Path) -> Served:
    """A thread in which one turn was, and a body."""
    served = serve_live(chatbot_file, ScriptedModel([f"Answer {number}." for number in range(30)]))
    served.say("t1", "hi")
    served.app.bodies.open("lamp", stop=lambda: None)
    return served


def stored(served: Served, thread: str = "t1") -> list[str]:
    """What was said in a thread."""
    conversation = served.app.find_conversation(thread)
    assert conversation is not None
    return [f"{each.role}: {each.content}" for each in conversation.history() if each.type != "state"]


def assert_refused(answer: httpx2.Response, status: int) -> str:
    """Check that an answer says what went wrong and what to do; return the former."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"happened", "advice"}
    assert all(error.values())
    return error["happened"]


class NoDrawing:
    """Draws next to nothing."""

    def draw_svg(self, state: BodyState) -> str:
        return f"<svg>{state.body}</svg>"

    def draw_lines(self, state: BodyState, *, rows: int, has_color: bool) -> list[StyledLine]:
        return []


@pytest.mark.usefixtures("other")
def test_what_makes_no_sense_is_refused_with_what_to_do_and_changes_nothing(served: Served) -> None:
    threads = [thread.name for thread in served.app.list_threads(limit=99)]
    for name, facts, status in REFUSED:
        answer = served.browser.post(f"/ghostos/do/{name}", content=json.dumps(facts))
        assert (name, facts, answer.status_code) == (name, facts, status), answer.text
        assert_refused(answer, status)
    assert [thread.name for thread in served.app.list_threads(limit=99)] == threads
    assert stored(served) == ["user: hi", "assistant: Answer 0."]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"3", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000],
    ids=lambda body: body[:6],
)
def test_what_is_no_json_object_is_refused(served: Served, body: bytes) -> None:
    assert "no JSON" in assert_refused(served.browser.post("/ghostos/do/say", content=body), 400)


def test_halves_of_characters_are_replaced_as_in_a_form(served: Served) -> None:
    before = json.dumps({"thread": "t1", "text": "a\ud800b \U0001f642"})
    assert served.browser.post("/ghostos/do/say", content=before).status_code == 200
    with served.open("t1") as page:
        page.see(lambda it: "text: Answer 1." in it.texts())
    assert stored(served)[2] == "user: a\ufffdb \U0001f642"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"abc"),
        ("multipart/form-data; boundary=x", b"abc"),
        ("multipart/form-data; boundary=x", b"--x\r\nabc"),
        ("Multipart/Form-Data; boundary=x", b"--x--\r\n"),
    ],
)
def test_a_broken_form_is_refused(served: Served, kind: str, body: bytes) -> None:
    assert_refused(served.browser.post("/ghostos/do/say", content=body, headers={"Content-Type": kind}), 400)


def send(served: Served, *files: tuple[str, bytes], text: str = "see", thread: str = "t1") -> httpx2.Response:
    """Say something with files."""
    return served.browser.post(
        "/ghostos/do/say",
        data={"text": text, "thread": thread, "is_new": "true"},
        files=[("files", file) for file in files],
    )


@pytest.mark.parametrize(
    "name", ["../../x", "..", ".", "/etc/passwd", "C:\\x", "a" * 500, "\U0001f642" * 200, "a\nb[x]"]
)
def test_a_file_of_any_name_is_kept_as_a_file(served: Served, name: str) -> None:
    answer = send(served, (name, PNG))
    assert answer.status_code == 200, answer.text
    with served.open("t1") as page:
        page.see(lambda it: "text: Answer 1." in it.texts())
    conversation = served.app.find_conversation("t1")
    assert conversation is not None
    (image,) = [each for each in conversation.history() if each.type == "image"]
    assert "/" not in image.content
    assert isinstance(image.data, dict)
    assert served.app.files.read(str(image.data["sha256"])) == PNG


def test_files_of_one_name_are_all_kept(served: Served) -> None:
    assert send(served, *[("a.png", PNG + bytes([number])) for number in range(20)]).status_code == 200
    with served.open("t1") as page:
        page.see(lambda it: "text: Answer 1." in it.texts())
    assert stored(served).count("user: a.png") == 20


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("a.png", b"")], "'a.png' is empty"),
        ([("b.png", b"x"), ("a.png", b"")], "'a.png' is empty"),
        ([("a.png", bytes(21 * 1024 * 1024))], "21.0 MiB; 20.0 MiB are the limit"),
        ([("a.png", b"x")] * 21, "Too many files"),
    ],
    ids=["empty", "one of them empty", "too large", "too many"],
)
def test_files_that_cannot_be_kept_are_named_and_no_thread_is_begun_for_them(
    served: Served, files: list[tuple[str, bytes]], words: str
) -> None:
    assert words in assert_refused(send(served, *files, thread="fresh"), 400)
    assert served.app.find_task("fresh") is None


def test_a_text_that_is_too_long_for_a_form_is_refused(served: Served) -> None:
    assert "4096KB" in assert_refused(send(served, ("a.png", PNG), text="x" * 5_000_000), 400)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_is_too_large_is_refused_and_not_held_in_memory(served: Served, kind: str) -> None:
    piece = bytes(1024 * 1024)

    def pour() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        for _ in range(300):
            yield piece

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = served.browser.post("/ghostos/do/say", content=pour(), headers={"Content-Type": kind})
    assert "was sent at once" in assert_refused(answer, 413)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_page_that_goes_while_it_sends_leaves_no_trace(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        head = f"POST /ghostos/do/say HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {served.cookie}\r\n"
        head += f"X-GhostOS-Key: {served.page_key}\r\n"
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    assert_refused(served.do("say", text=""), 400)
    assert "Traceback" not in caplog.text
    assert stored(served) == ["user: hi", "assistant: Answer 0."]


def test_a_turn_is_tried_again_with_its_files(served: Served) -> None:
    send(served, ("a[1].png", PNG), ("b.png", PNG + b"2"), text="see")
    with served.open("t1") as page:
        page.see(lambda it: "text: Answer 1." in it.texts())
    kept_in = served.done("retry", thread="t1", turn=2)["kept_in"]
    with served.open("t1") as page:
        page.see(lambda it: "text: Answer 2." in it.texts())
    said = ["user: hi", "assistant: Answer 0.", "user: see", "user: a_1_.png", "user: b.png"]
    assert stored(served) == [*said, "assistant: Answer 2."]
    assert stored(served, kept_in) == [*said, "assistant: Answer 1."]


def test_a_turn_is_tried_again_with_other_words(served: Served) -> None:
    kept_in = served.done("retry", thread="t1", turn=1, text="hello")["kept_in"]
    with served.open("t1") as page:
        page.see(lambda it: "text: Answer 1." in it.texts())
    assert stored(served) == ["user: hello", "assistant: Answer 1."]
    assert stored(served, kept_in) == ["user: hi", "assistant: Answer 0."]


def test_a_turn_is_tried_again_as_often_as_one_likes(served: Served) -> None:
    served.say("t1", "and then?")
    for turn in (2, 3, 4):  # a number that was taken back is not given again
        assert served.done("retry", thread="t1", turn=turn)["kept_in"]
        with served.open("t1") as page:
            page.see(lambda it, turn=turn: it.status["turn"] == turn + 1 and not it.status["is_at_work"])
        assert stored(served)[:3] == ["user: hi", "assistant: Answer 0.", "user: and then?"]
        assert stored(served)[3:] == [f"assistant: Answer {turn}."]


def test_of_many_that_try_a_turn_again_at_once_one_does(served: Served) -> None:
    with ThreadPoolExecutor() as pool:
        answers = [*pool.map(lambda _: served.do("retry", thread="t1", turn=1), range(5))]
    done = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer not in done:
            said = assert_refused(answer, 409)
            assert any(words in said for words in ("is being said again", "waits to be answered", "is at work")), said
    with served.open("t1") as page:
        page.settle().see(lambda it: any("Answer" in text for text in it.texts()))
    (answer,) = done
    assert stored(served) == ["user: hi", "assistant: Answer 1."]
    assert stored(served, answer.json()["kept_in"]) == ["user: hi", "assistant: Answer 0."]


def test_a_turn_that_was_taken_back_and_cannot_be_said_again_is_found_where_it_is_kept(
    served: Served, workspace: Path
) -> None:
    (path,) = workspace.rglob("*.db")
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.type = 'input'"
        " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    answer = served.do("retry", thread="t1", turn=1)
    database.execute("DROP TRIGGER full")
    database.close()
    assert "could not be said again" in assert_refused(answer, 500)
    (kept_in,) = [thread.name for thread in served.app.list_threads(limit=9) if thread.name != "t1"]
    assert f"'{kept_in}'" in answer.json()["error"]["advice"]
    assert stored(served, kept_in) == ["user: hi", "assistant: Answer 0."]
    assert served.done("retry", thread=kept_in, turn=1)["kept_in"]


@pytest.fixture
def working(serve_live: ServeLive, chatbot_file: Path) -> Iterator[tuple[Served, GatedModel]]:
    """A thread with a turn that is over, and one that runs."""
    model = GatedModel([f"Answer {number}." for number in range(9)])
    served = serve_live(chatbot_file, model)
    model.let(2)
    served.say("t1", "hi")
    served.done("say", thread="t1", text="go on")
    model.let(1)
    with served.open("t1") as page:
        page.see(lambda it: "Answer" in it.shown.begun.values())
    yield served, model
    model.let(99)


@pytest.mark.parametrize(
    ("name", "facts"),
    [("rewind", {"turn": 0}), ("rewind", {"turn": 1}), ("retry", {"turn": 1}), ("retry", {"turn": 2})],
)
def test_a_thread_at_work_is_not_taken_back(
    working: tuple[Served, GatedModel], name: str, facts: dict[str, int]
) -> None:
    served, model = working
    answer = served.do(name, thread="t1", **facts)
    assert "is at work" in assert_refused(answer, 409)
    model.let(99)
    with served.open("t1") as page:
        page.see(lambda it: "text: Answer 1." in it.texts() and not it.status["is_at_work"])
    assert stored(served) == ["user: hi", "assistant: Answer 0.", "user: go on", "assistant: Answer 1."]


def test_a_thread_at_work_is_stopped_and_what_came_is_kept(working: tuple[Served, GatedModel]) -> None:
    served, _ = working
    served.done("stop", thread="t1")
    with served.open("t1") as page:
        page.settle().see(lambda it: "text: Answer" in it.texts())
    assert stored(served)[:4] == ["user: hi", "assistant: Answer 0.", "user: go on", "assistant: Answer"]


def test_a_turn_is_not_taken_back_while_something_waits_to_be_answered(served: Served) -> None:
    task = served.app.find_task("t1")
    assert task is not None
    waits: JsonObject = {"text": "later"}
    later = utc_now() + timedelta(hours=1)
    event = Event(id=new_id(), task_id=task.id, type="input", payload=waits, created_at=utc_now(), not_before=later)
    asyncio.run(served.app.matrix.store.post_event(event))
    assert "waits to be answered" in assert_refused(served.do("retry", thread="t1", turn=1), 409)
    assert stored(served) == ["user: hi", "assistant: Answer 0."]


def test_what_is_said_to_a_thread_at_work_waits_and_can_be_seen(working: tuple[Served, GatedModel]) -> None:
    served, model = working
    served.done("say", thread="t1", text="and then?")
    served.done("say", thread="t1", text="faster", steer=True)
    with served.open("t1") as page:
        page.see(lambda it: len(it.status["queued"]) == 3)
        assert sorted((each["text"], each["steers"]) for each in page.status["queued"]) == [
            ("and then?", False),
            ("faster", True),
            ("go on", False),  # its message is shown already, under the same id
        ]
        model.let(99)
        page.see(lambda it: not it.status["is_at_work"] and not it.status["queued"])
    assert {line for line in stored(served) if line.startswith("user")} >= {"user: faster", "user: and then?"}


def test_a_fork_is_a_thread_of_its_own_from_that_turn_on(served: Served) -> None:
    served.say("t1", "more")
    fork = served.done("fork", thread="t1", turn=1)["thread"]
    assert stored(served, fork) == ["user: hi", "assistant: Answer 0."]
    assert len(stored(served)) == 4


def test_a_thread_without_a_name_gets_one(served: Served) -> None:
    made = served.done("say", text="hello")
    assert served.app.find_task(made["thread"]) is not None
    assert made["thread"] != served.done("say", text="hello", thread="")["thread"]


def test_bodies_are_stopped_and_one_that_cannot_be_is_named(served: Served) -> None:
    stopped: list[str] = []
    served.app.bodies.open("fan", stop=lambda: stopped.append("fan"))
    assert served.done("stop-bodies") == {}
    assert stopped == ["fan"]

    def fail() -> None:
        raise OSError("unplugged")

    served.app.bodies.open("drill", stop=fail)
    assert "unplugged" in assert_refused(served.do("stop-bodies"), 500)


def test_only_what_was_saved_for_a_thread_is_shown_in_it(other: str, served: Served) -> None:
    container = served.app.matrix.container
    ids: dict[str, str] = {}
    for thread in ("t1", other):
        task = served.app.find_task(thread)
        assert task is not None
        saving = save_value(container.force_fetch(Store), {"of": thread}, task_id=task.id)
        ids[thread] = asyncio.run(saving).id
    assert served.done("variable", thread="t1", id=ids["t1"])["rows"] == [["of", "t1"]]
    assert_refused(served.do("variable", thread="t1", id=ids[other]), 400)
    assert_refused(served.do("variable", thread=other, id=ids[other]), 400)


@pytest.fixture
def hanging_arm(served: Served) -> Iterator[None]:
    """A body that does not come back from being told to stop, and cannot be drawn either."""
    gate = threading.Event()

    class Drawing(NoDrawing):
        def draw_svg(self, state: BodyState) -> str:
            gate.wait(60)
            return "<svg/>"

    served.app.bodies.open("arm", stop=lambda: gate.wait(60), drawing=Drawing())
    served.app.bodies.publish(BodyState(body="arm", kind="arm", text="moves", is_busy=True, data={}))
    yield
    gate.set()


def test_a_body_that_hangs_is_named_and_keeps_nobody_else_waiting(served: Served, hanging_arm: None) -> None:
    stopped: list[str] = []
    served.app.bodies.open("leg", stop=lambda: stopped.append("leg"))
    with ThreadPoolExecutor(32) as pool:
        began = time.monotonic()
        answers = [pool.submit(served.do, "stop", thread="t1") for _ in range(32)]
        with served.open("t1") as page:
            page.see_kind("status")
        assert_refused(served.do("say", text=""), 400)
        assert time.monotonic() - began < 5
        for answer in answers:
            assert "'arm' did not come back" in assert_refused(answer.result(), 500)
    assert len(stopped) >= 32, "what does not hang is stopped each time"
    began = time.monotonic()
    served.close()
    assert time.monotonic() - began < 5


def test_a_drawing_that_hangs_costs_its_picture_alone(served: Served, hanging_arm: None) -> None:
    feed = served.app.bodies
    feed.open("leg", stop=lambda: None, drawing=NoDrawing())
    for text in ("bends", "stretches"):
        feed.publish(BodyState(body="leg", kind="leg", text=text, is_busy=False, data={}))
        with served.open(bodies=True) as page:
            (arm, leg) = page.see_kind("bodies")["bodies"]
        assert (arm["name"], arm["text"], arm["picture"]) == ("arm", "moves", "")
        assert (leg["text"], base64.b64decode(leg["picture"])) == (text, b"<svg>leg</svg>")


def test_a_handle_that_hangs_is_named(served: Served) -> None:
    gate = threading.Event()

    class Handles:
        def list_handles(self, state: BodyState) -> list[BodyHandle]:
            gate.wait(60)
            return []

        def move_handle(self, handle_id: str, *, x: float, y: float) -> None:
            raise AssertionError

    served.app.bodies.open("arm", stop=lambda: None, handles=Handles())
    served.app.bodies.publish(BodyState(body="arm", kind="arm", text="moves", is_busy=True, data={}))
    answer = served.do("move-handle", body="arm", handle="hand", x=1, y=2)
    assert "Moving 'hand' of 'arm' did not come back" in assert_refused(answer, 500)
    gate.set()


def test_bodies_are_stopped_before_a_database_that_is_busy_lets_the_turn_be(served: Served, workspace: Path) -> None:
    stopped_at: list[float] = []
    served.app.bodies.open("fan", stop=lambda: stopped_at.append(time.monotonic()))
    (database,) = workspace.rglob("*.db")
    busy = sqlite3.connect(database, isolation_level=None)
    busy.execute("begin immediate")
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(served.done, "stop", thread="t1")
        time.sleep(0.5)
        busy.execute("rollback")
        assert answer.result() == {}
    busy.close()
    assert stopped_at[0] - began < 0.2


def test_where_neither_the_turn_nor_a_body_can_be_stopped_both_is_said(served: Served) -> None:
    def fail() -> None:
        raise OSError("unplugged")

    served.app.bodies.open("drill", stop=fail)
    said = assert_refused(served.do("stop", thread="nowhere"), 500)
    assert "unplugged" in said
    assert "nowhere" in said


def test_a_stop_reaches_the_model_and_the_body_within_200_ms(working: tuple[Served, GatedModel]) -> None:
    served, model = working
    stopped_at: list[float] = []
    served.app.bodies.open("fan", stop=lambda: stopped_at.append(time.monotonic()))
    began = time.monotonic()
    served.done("stop", thread="t1")
    while not model.cut_at:
        assert time.monotonic() - began < 5
        time.sleep(0.005)
    assert stopped_at[0] - began < 0.2
    assert model.cut_at[-1] - began < 0.2
