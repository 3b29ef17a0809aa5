"""Every demo, through the whole stack: each phrase alone, all of them in one thread, and what no scene answers."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml

import ghostos.demo
from ghostos.abcd import Conversation
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.core.message import Message
from ghostos.core.prompt import PromptMessage
from ghostos.drivers.models.rehearsal import find_rehearsal, load_rehearsal
from ghostos.drivers.models.rehearsal_file import RehearsalFile, Scene, read_rehearsal
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.target import load_target
from ghostos.ghosts.thread_prompt import ThreadPrompt
from ghostos.testing import ModelServer

from .conftest import Turn, data_of, open_demo, shuffled, talk

HONEST = "This is a rehearsal: nothing reads what you write, only recorded phrases are answered."
SHOP = "ghostos.demo.agents.shop"
JOJO = "ghostos.demo.agents.jojo"
MODEL_AGENTS = {
    "ghostos.demo.test_agents.moonshot": ("moonshot", "moonshot-v1-32k"),
    "ghostos.demo.test_agents.deepseek_chat": ("deepseek", "deepseek-chat"),
    "ghostos.demo.test_agents.openai_o1_mini": ("openai", "o1-mini"),
}
BOLT = "ghostos.demo.sphero.bolt_gpt"
DEMOS = (SHOP, JOJO, BOLT, *MODEL_AGENTS)
FAILING = {"add-ruler": ["rejected", "ok"], "add-stapler": ["error", "ok"], "million-pencils": ["error", "ok"]}
"""What becomes of the code of scenes that show how a mistake is mended."""

NEWCOMER = {
    "hi": "hello",
    "help": "abilities",
    "how can you help me": "abilities",
    "thanks": "thanks",
    "put 3 pens in my cart": "add-pens",
    "buy a notebook": "add-notebook",
    "what does a notebook cost?": "notebook-price",
    "how much is an eraser?": "prices",
    "What do pencils cost?": "prices",
    "price of the desk lamp": "prices",
    "show the stock": "stock",
    "How many notebooks are left?": "notebooks-left",
    "cancel my order": "cancel",
    "Cancel order 1": "cancel-first",
    "what orders do I have": "list-orders",
    "take in a delivery": "delivery",
}
"""What people say to the shop who have not read its file, and the scene that answers."""


def rehearsal(demo: str) -> RehearsalFile:
    path = find_rehearsal(demo)
    assert path is not None
    return read_rehearsal(path)


def all_phrases(demo: str) -> Iterator[tuple[Scene, str]]:
    for scene in rehearsal(demo).scenes:
        for phrase in scene.when:
            if not phrase.startswith("/"):
                yield scene, phrase


def scene_for(phrase: str, scenes: Iterable[Scene], *, played: set[str]) -> Scene:
    """The scene that a click on a phrase must play: of those that list it, the one that needs most."""
    listed = [scene for scene in scenes if phrase in scene.when and played.issuperset(scene.needs)]
    return max(listed, key=lambda scene: len(scene.needs))


def check_played(turn: Turn, scene: Scene) -> None:
    """The whole scene came, word for word, and its code did what it was recorded with."""
    assert turn.said == [played.say.strip() for played in scene.rounds if played.say]
    assert turn.code == [played.code.strip() for played in scene.rounds if played.code]
    assert [status for status, _ in turn.outputs] == FAILING.get(scene.id, ["ok"] * len(turn.code))
    assert not [message for message in turn.messages if message.type == "error"]


@pytest.mark.parametrize(
    ("demo", "scene", "phrase"),
    [
        pytest.param(demo, scene, phrase, id=f"{demo.rpartition('.')[2]}-{scene.id}-{phrase}")
        for demo in DEMOS
        if demo != BOLT  # in `test_bolt_gpt.py`, with what comes of it
        for scene, phrase in all_phrases(demo)
    ],
)
def test_each_phrase_plays_its_scene_in_a_fresh_thread(matrix, demo, scene, phrase):
    conversation = open_demo(matrix, demo)
    scenes = {entry.id: entry for entry in rehearsal(demo).scenes}
    for needed in scene.needs:
        check_played(talk(conversation, scenes[needed].when[0]), scenes[needed])
    check_played(talk(conversation, phrase), scene)
    assert conversation.get_task().state == "waiting"


@pytest.mark.parametrize("demo", DEMOS)
def test_all_phrases_play_in_one_thread_in_any_order(matrix, demo):
    conversation = open_demo(matrix, demo)
    scenes = rehearsal(demo).scenes
    played: set[str] = set()
    for phrase in shuffled((phrase for _, phrase in all_phrases(demo)), seed=1):
        if not any(phrase in scene.when and played.issuperset(scene.needs) for scene in scenes):
            continue  # its time comes later
        scene = scene_for(phrase, scenes, played=played)
        check_played(talk(conversation, phrase), scene)
        played.add(scene.id)
    assert len(played) > 0.9 * len(scenes)


def miss(conversation: Conversation) -> list[str]:
    """Say what no scene answers; return what is offered in its place."""
    (answer,) = talk(conversation, "xyzzy, plugh").said
    assert HONEST in answer
    return [line.removeprefix("- ") for line in answer.splitlines() if line.startswith("- ")]


@pytest.mark.parametrize("demo", DEMOS)
def test_what_is_offered_after_a_miss_works_then_and_leads_through_the_whole_file(matrix, demo):
    conversation = open_demo(matrix, demo)
    path = find_rehearsal(demo)
    assert path is not None
    player, scenes = load_rehearsal(path), rehearsal(demo).scenes
    played: set[str] = set()
    while len(played) < len(scenes):
        offered = miss(conversation)
        thread = ThreadPrompt().render(conversation.history())
        assert player.phrases_for(thread) == offered
        offers = [(phrase, scene_for(phrase, scenes, played=played)) for phrase in offered]
        assert len({scene.id for _, scene in offers}) == 5
        for phrase, scene in offers:
            first = player.reply([*thread, PromptMessage("user", phrase)])
            assert (scene.rounds[0].say or scene.rounds[0].code or "").strip() in first
            assert HONEST not in first
        fresh = [scene.id not in played for _, scene in offers]
        assert any(fresh), "a scene that was not played yet is not offered"
        assert fresh == sorted(fresh, reverse=True), "a scene that was played is offered before one that was not"
        for phrase, scene in offers:
            check_played(talk(conversation, phrase), scene)
            played.add(scene.id)
    offered = miss(conversation)
    assert len(offered) == 5
    for phrase in offered:
        check_played(talk(conversation, phrase), scene_for(phrase, scenes, played=played))


@pytest.mark.parametrize("after_order", [False, True], ids=["fresh", "after an order"])
@pytest.mark.parametrize(("text", "scene"), NEWCOMER.items())
def test_the_shop_understands_what_newcomers_say(matrix, text, scene, after_order):
    conversation = open_demo(matrix, SHOP)
    if after_order:
        talk(conversation, "Put two notebooks in my cart")
        talk(conversation, "Place my order")
    (expected,) = [entry for entry in rehearsal(SHOP).scenes if entry.id == scene]
    check_played(talk(conversation, text), expected)


@pytest.mark.parametrize("text", ["cancel my order", "Cancel order 1"])
def test_an_order_is_cancelled_once(matrix, text):
    conversation = open_demo(matrix, SHOP)
    talk(conversation, "Buy a notebook")
    talk(conversation, "Place my order")
    ((_, cancelled),) = talk(conversation, text).outputs
    assert cancelled.startswith("order 1, cancelled")
    ((_, refused),) = talk(conversation, text).outputs
    assert refused.startswith("There is no order")


@pytest.mark.parametrize("demo", DEMOS)
@pytest.mark.parametrize("text", ["hi", "Hi there!", "thanks", "Thanks a lot"])
def test_every_demo_has_manners(matrix, demo, text):
    (said,) = talk(open_demo(matrix, demo), text).said
    assert HONEST not in said


@pytest.mark.parametrize("demo", DEMOS)
def test_a_demo_says_that_it_is_a_rehearsal(matrix, demo):
    messages = talk(open_demo(matrix, demo), "Hello").messages
    (state,) = [message for message in messages if message.type == "state"]
    assert (state.content, data_of(state)["is_rehearsal"]) == ("rehearsal", True)


@pytest.mark.parametrize(
    ("demo", "at_least"), [(SHOP, 20), (JOJO, 12), (BOLT, 25), *((demo, 4) for demo in MODEL_AGENTS)]
)
def test_a_demo_knows_enough_phrases_each_in_several_words(demo, at_least):
    scenes = rehearsal(demo).scenes
    assert len(scenes) >= at_least
    assert all(len(scene.when) >= 2 for scene in scenes)
    known: dict[str, Sequence[str]] = {}
    for scene in scenes:
        for phrase in scene.when:
            assert known.get(phrase, scene.when) == scene.when, f"{phrase!r} stands in two scenes"
            known[phrase] = scene.when


@pytest.mark.parametrize(("demo", "model"), MODEL_AGENTS.items())
def test_with_a_key_a_test_agent_asks_the_model_that_it_is_named_for(start, tmp_path, monkeypatch, demo, model):
    service, name = model
    with ModelServer(["Hello from the service."]) as server:
        monkeypatch.setenv(f"{service.upper()}_API_KEY", "made-up")
        monkeypatch.setenv(f"{service.upper()}_BASE_URL", server.base_url)
        messages: list[Message] = talk(open_demo(start(tmp_path), demo), "Hello").messages
    assert [m.content for m in messages if m.type == "state"] == [f"{service}:{name}"]
    assert [m.content for m in messages if m.role == "assistant"] == ["Hello from the service."]
    (request,) = server.requests
    assert request.body["model"] == name
    roles = {message["role"] for message in request.body["messages"]}
    assert roles == ({"user"} if name == "o1-mini" else {"system", "user"})


def test_jojo_is_a_chatbot_with_a_persona():
    ghost = load_target(JOJO).ghost
    assert isinstance(ghost, Chatbot)
    assert ghost.name == "JoJo"
    assert ghost.persona


def test_no_key_is_needed_to_describe_a_demo(matrix):
    models = matrix.container.force_fetch(ModelRegistry)
    assert {models.get(load_target(demo).ghost.model, target=demo).label for demo in DEMOS} == {"rehearsal"}


@pytest.mark.parametrize("demo", DEMOS)
def test_a_rehearsal_reads_the_same_where_yaml_has_no_parser_in_c(demo):
    path = Path(f"{demo.replace('.', '/')}.rehearsal.yaml")
    text = (Path(ghostos.demo.__file__).parents[2] / path).read_text(encoding="utf-8")
    assert yaml.load(text, Loader=yaml.SafeLoader) == yaml.load(text, Loader=yaml.CSafeLoader)
