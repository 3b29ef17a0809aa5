"""A thread as one page hears it: all that is stored, nothing twice, and each turn as it comes."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ghostos.contracts.store import Claim, RoundCommit, Store
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.message import Message, encode_message
from ghostos.core.prompt import ModelDelta
from ghostos.errors import ModelServerError
from ghostos.testing import ScriptedModel

from .live_client import GatedModel, Page, Served, ServeLive, serve_live
from .threads import Said, write_thread

__all__ = ["serve_live"]  # a fixture

REPLIES = ["I add *them*.\n<moss>\nprint(plus(2, 3))\nprint('and more')\n</moss>\nSo be it.", "It is 5."]
WORDS = 15


def stored(served: Served, thread: str = "t1") -> list[dict[str, Any]]:
    """A thread as it is kept."""
    conversation = served.app.find_conversation(thread)
    assert conversation is not None
    return [json.loads(encode_message(message)) for message in conversation.history()]


def assert_shows_the_thread(page: Page, served: Served, thread: str = "t1") -> None:
    """Check that a page shows a thread as it is kept, and nothing else."""
    shown = [message for _, message in sorted(page.shown.messages.items())]
    assert shown == stored(served, thread)
    assert page.shown.begun == {}
    assert page.shown.committed == shown[-1]["seq"]


def is_over(turn: int) -> Callable[[Page], object]:
    """Whether that many turns are stored, and the page knows it."""
    return lambda page: page.status["turn"] >= turn and not page.status["is_at_work"]


def test_an_answer_comes_word_by_word_and_stays_as_it_was(serve_live: ServeLive, chatbot_file: Path) -> None:
    model = GatedModel(["Hello to you."])
    served = serve_live(chatbot_file, model)
    served.done("say", thread="t1", text="Hi.", is_new=True)
    with served.open("t1") as page:
        seen: list[str] = []
        for words in ("Hello", "Hello to", "Hello to you."):
            model.let()
            page.see(lambda it, words=words: words in [*it.shown.begun.values()] or f"text: {words}" in it.texts())
            seen.append(words)
        page.see(is_over(1))
        assert page.texts() == ["text: Hi.", "state: scripted", "text: Hello to you."]
        assert_shows_the_thread(page, served)
        assert page.shown.repeated == []
    with served.open("t1") as later:
        assert_shows_the_thread(later.see(is_over(1)), served)
        assert [kind for kind in later.kinds() if kind != "turn"] == ["begins", *["message"] * 3, "committed"]


def test_a_page_that_loses_its_connection_after_any_word_shows_the_same_in_the_end(
    serve_live: ServeLive, agent_file: Path
) -> None:
    model = GatedModel(REPLIES * (WORDS + 1))
    served = serve_live(agent_file, model)
    for words in range(WORDS + 1):
        thread = f"t{words}"
        served.done("say", thread=thread, text="add", is_new=True)
        with served.open(thread) as page:
            model.let(words)
            page.take_frame()
            page.come_again()
            page.take_frame()
            page.come_again()
            model.let(WORDS - words)
            page.see(is_over(1))
            assert_shows_the_thread(page, served, thread)
            assert page.shown.repeated == []


def test_a_page_that_loses_its_connection_after_any_item_shows_the_same_in_the_end(
    serve_live: ServeLive, agent_file: Path
) -> None:
    served = serve_live(agent_file, ScriptedModel(REPLIES * 40))
    with served.open("t") as page:
        page.see_kind("status")
    served.done("say", thread="t", text="add", is_new=True)
    with served.open("t") as page:
        items = len(page.see(is_over(1)).items)
    for cut in range(items + 1):
        thread = f"t{cut}"
        served.done("say", thread=thread, text="add", is_new=True)
        with served.open(thread) as page:
            page.take_until(cut)
            page.come_again()
            page.see(is_over(1))
            assert_shows_the_thread(page, served, thread)


def test_many_pages_see_the_same(serve_live: ServeLive, agent_file: Path) -> None:
    served = serve_live(agent_file, ScriptedModel(REPLIES))
    served.done("say", thread="t1", text="add", is_new=True)
    pages = [served.open("t1") for _ in range(20)]
    for page in pages:
        assert_shows_the_thread(page.see(is_over(1)), served)
        page.close()


def test_a_thread_that_is_rewound_is_shown_anew(serve_live: ServeLive, chatbot_file: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One.", "Two.", "Three."]))
    for text in ("a", "b", "c"):
        served.say("t1", text)
    with served.open("t1") as page, served.open("t1") as away:
        page.see(is_over(3))
        away.see(is_over(3)).close()
        served.done("rewind", thread="t1", turn=1)
        page.see_kind("reset")
        page.see(lambda it: any("Rewound" in text for text in it.texts()))
        assert [text for text in page.texts() if not text.startswith("state")] == ["text: a", "text: One."]
        assert_shows_the_thread(page, served)
        away.come_again()
        away.see(lambda it: any("Rewound" in text for text in it.texts()))
        assert_shows_the_thread(away, served)


def talk(turns: int) -> list[list[Said]]:
    """Turns of a question and an answer."""
    return [[("user", "text", f"q{number}"), ("assistant", "text", f"a{number}")] for number in range(turns)]


def test_a_long_thread_that_is_rewound_says_again_where_it_begins(
    serve_live: ServeLive, chatbot_file: Path, workspace: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))
    write_thread(workspace, target=chatbot_file, name="t1", turns=talk(200))
    with served.open("t1") as page:
        page.see(is_over(200))
        served.done("rewind", thread="t1", turn=180)
        page.see_kind("reset")
        page.see(lambda it: any("Rewound" in text for text in it.texts()))
        assert len(page.shown.messages) == 150
        assert page.see_kind("begins") == {"kind": "begins", "seq": 212, "has_earlier": True}


def test_a_long_thread_begins_with_its_end_and_the_rest_comes_when_it_is_asked_for(
    serve_live: ServeLive, chatbot_file: Path, workspace: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["Welcome back."]))
    write_thread(workspace, target=chatbot_file, name="t1", turns=talk(400))
    with served.open("t1") as page:
        page.see(is_over(400))
        assert page.see_kind("begins") == {"kind": "begins", "seq": 651, "has_earlier": True}
        assert [*page.shown.messages] == [*range(651, 801)]
        heard = [*page.shown.messages.values()]
        has_earlier = True
        while has_earlier:
            answer = served.done("earlier", thread="t1", before=heard[0]["seq"])
            heard, has_earlier = [*answer["messages"], *heard], answer["has_earlier"]
        assert heard == stored(served)
        served.done("say", thread="t1", text="I am back")
        page.see(is_over(401))
        assert page.texts()[-1] == "text: Welcome back."
        assert "reset" not in page.kinds()


MIB = 1024 * 1024


def test_a_thread_of_huge_messages_opens_with_as_many_as_fit(
    serve_live: ServeLive, chatbot_file: Path, workspace: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))
    turns: list[list[Said]] = [[("user", "text", f"{number} {'x' * 4 * MIB}")] for number in range(20)]
    write_thread(workspace, target=chatbot_file, name="t1", turns=turns)
    with served.open("t1") as page:
        page.see(is_over(20))
        begins = page.see_kind("begins")
        assert begins == {"kind": "begins", "seq": 18, "has_earlier": True}
        first, has_earlier = 18, True
        while has_earlier:
            answer = served.done("earlier", thread="t1", before=first)
            assert len(answer["messages"]) in (2, 3)
            first, has_earlier = answer["messages"][0]["seq"], answer["has_earlier"]
        assert first == 1


def test_one_message_that_is_larger_than_all_that_may_wait_is_shown(
    serve_live: ServeLive, chatbot_file: Path, workspace: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))
    turns: list[list[Said]] = [[("user", "text", "q"), ("assistant", "text", "x" * 70 * MIB)], [("user", "text", "?")]]
    write_thread(workspace, target=chatbot_file, name="t1", turns=turns)
    with served.open("t1") as page:
        page.see(is_over(2))
        assert page.see_kind("begins")["seq"] == 3
    for each in range(2):
        with served.open("t1") as page:
            page.shown.committed = each  # it has seen the first, and not what is too large
            page.come_again()
            page.see(is_over(2))
    write_thread(workspace, target=chatbot_file, name="t2", turns=turns[:1])
    with served.open("t2") as page:
        page.see(is_over(1))
        assert len(page.shown.messages[2]["content"]) == 70 * MIB


def test_a_page_that_was_away_for_long_is_shown_the_end_anew(
    serve_live: ServeLive, chatbot_file: Path, workspace: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel([]))
    write_thread(workspace, target=chatbot_file, name="t1", turns=talk(10))
    with served.open("t1") as page:
        page.see(is_over(10)).close()
        asyncio.run(add_round(served.app.matrix.store, calls=580))
        page.come_again()
        page.see(is_over(11))
        assert "reset" in page.kinds()
        assert [*page.shown.messages] == [*range(451, 601)]
        assert page.shown.committed == 600


async def add_round(store: Store, *, calls: int) -> None:
    """Add a round in which code made many calls."""
    task = await store.find_task("t1")
    assert task is not None
    time = utc_now()
    await store.post_event(Event(id=new_id(), task_id=task.id, type="input", payload={"text": "x"}, created_at=time))
    claim = await store.claim(task.id)
    assert isinstance(claim, Claim), claim
    first, turn = claim.task.next_seq, claim.task.turn + 1
    messages = [
        Message(
            seq=first + number,
            id=new_id(),
            thread=task.id,
            turn=turn,
            round=turn,
            role="environment",
            type="host_call",
            content=f"call {number}",
            created_at=time,
        )
        for number in range(calls)
    ]
    await store.commit_round(
        RoundCommit(claim=claim, state="waiting", messages=messages, turn=turn, round=turn, started_at=time)
    )


@pytest.mark.parametrize("seq", ["", "x", "-5", "999999", "1e3", "9" * 15, "9" * 400, "%00", "٣"])
def test_a_page_that_claims_to_have_seen_anything_is_shown_the_thread(
    serve_live: ServeLive, chatbot_file: Path, seq: str
) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One."]))
    served.say("t1", "a")
    with served.connect(f"/ghostos/live?thread=t1&seq={seq}") as socket:
        items: list[dict[str, Any]] = []
        while not any(item["kind"] == "status" for item in items):
            items += json.loads(socket.recv(timeout=20))
    assert [item["message"] for item in items if item["kind"] == "message"] == stored(served)


def test_a_page_that_has_all_of_a_thread_by_its_id_is_sent_none_of_it_again(
    serve_live: ServeLive, chatbot_file: Path
) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One."]))
    served.say("t1", "a")
    with served.open("t1") as page:
        page.see(is_over(1))
        begun = len(page.items)
        page.come_again()
        page.see(lambda it: any(item["kind"] == "status" for item in it.items[begun:]))
        assert not any(item["kind"] in ("message", "reset") for item in page.items[begun:])


def test_what_a_failed_turn_said_is_kept_and_its_error_is_shown_once(serve_live: ServeLive, chatbot_file: Path) -> None:
    failure = ModelServerError("The service is down.", advice="Wait, then say it again.")
    replies = [[ModelDelta(kind="text", text="I was about"), failure], "Now it works."]
    served = serve_live(chatbot_file, ScriptedModel(replies))
    with served.open("t1") as page:
        page.see_kind("status")
    served.done("say", thread="t1", text="Hello.", is_new=True)
    with served.open("t1") as page:
        page.see(is_over(1)).see(lambda it: "turn" in it.kinds() or it.shown.committed >= 3)
        assert_shows_the_thread(page, served)
        assert [text for text in page.texts() if "about" in text] == ["text: I was about"]
        errors = [text for text in page.texts() if text.startswith("error")]
        errors += [item["happened"] for item in page.items if item["kind"] == "error"]
        assert len(errors) == 1, errors
        assert "The service is down." in errors[0]
        served.done("say", thread="t1", text="Again.")
        page.see(is_over(2))
        assert_shows_the_thread(page, served)


def test_a_stopped_turn_leaves_what_it_said(serve_live: ServeLive, chatbot_file: Path) -> None:
    model = GatedModel(["One two three.", "Four."])
    served = serve_live(chatbot_file, model)
    served.done("say", thread="t1", text="count", is_new=True)
    with served.open("t1") as page:
        model.let(2)
        page.see(lambda it: "One two" in it.shown.begun.values())
        served.done("stop", thread="t1")
        page.see(is_over(1))
        assert "text: One two" in page.texts()
        assert_shows_the_thread(page, served)
        model.let(9)
        served.done("say", thread="t1", text="go on")
        page.see(is_over(2))
        assert_shows_the_thread(page, served)


def test_a_megabyte_is_shown_as_it_is(serve_live: ServeLive, chatbot_file: Path) -> None:
    text = "<script>alert(1)</script> \u202e" + "x" * 1_000_000
    served = serve_live(chatbot_file, ScriptedModel([[ModelDelta(kind="text", text=text), ModelDelta(kind="done")]]))
    served.done("say", thread="t1", text=text, is_new=True)
    with served.open("t1") as page:
        page.see(is_over(1))
        assert_shows_the_thread(page, served)
        assert page.texts()[0] == page.texts()[2] == f"text: {text}"


TALKS = """
import sys
from pathlib import Path
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Confinement
from ghostos.ghosts.target import load_target
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model

workspace, target = Path(sys.argv[1]), sys.argv[2]
model = ScriptedModel(["Heard from elsewhere."])
container = make_app_container(workspace, providers=[use_model(model)], confinement=Confinement("off"))
with get_ghostos(container).create_matrix("other") as matrix:
    ghost = load_target(target)
    conversation = matrix.sync(ghost.ghost, thread="t1", target=ghost.name)
    for _ in conversation.talk("I am another process.")[1].recv():
        pass
container.shutdown()
"""


def test_a_turn_of_another_process_is_heard(serve_live: ServeLive, chatbot_file: Path, workspace: Path) -> None:
    served = serve_live(chatbot_file, ScriptedModel(["One.", "Three."]))
    served.say("t1", "a")
    with served.open("t1") as page:
        page.see(is_over(1))
        command = [sys.executable, "-c", TALKS, str(workspace), str(chatbot_file)]
        subprocess.run(command, check=True, timeout=60)
        page.see(is_over(2))
        assert_shows_the_thread(page, served)
        assert "text: Heard from elsewhere." in page.texts()
        served.done("say", thread="t1", text="c")
        page.see(is_over(3))
        assert_shows_the_thread(page, served)
