"""Every demo, through the whole stack: each phrase alone, all of them in one thread, and what no scene answers."""

from collections.abc import Iterable, Iterator, Sequence

import pytest

from ghostos.contracts.model_driver import ModelRegistry
from ghostos.core.message import Message
from ghostos.drivers.models.rehearsal import find_rehearsal
from ghostos.drivers.models.rehearsal_file import RehearsalFile, Scene, read_rehearsal
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.target import load_target
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
DEMOS = (SHOP, JOJO, *MODEL_AGENTS)
FAILING = {"add-ruler": ["rejected", "ok"], "add-stapler": ["error", "ok"], "million-pencils": ["error", "ok"]}
"""What becomes of the code of scenes that show how a mistake is mended."""


def rehearsal(demo: str) -> RehearsalFile:
    path = find_rehearsal(demo)
    assert path is not None
    return read_rehearsal(path)


def all_phrases(demo: str) -> Iterator[tuple[Scene, str]]:
    for scene in rehearsal(demo).scenes:
        for phrase in scene.when:
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


@pytest.mark.parametrize("demo", DEMOS)
def test_what_no_scene_answers_is_declined_honestly_with_five_phrases_that_work(matrix, demo):
    conversation = open_demo(matrix, demo)
    (answer,) = talk(conversation, "xyzzy, plugh").said
    assert HONEST in answer
    offered = [line.removeprefix("- ") for line in answer.splitlines() if line.startswith("- ")]
    assert len(offered) == 5
    scenes = rehearsal(demo).scenes
    for phrase in offered:
        check_played(talk(conversation, phrase), scene_for(phrase, scenes, played=set()))


@pytest.mark.parametrize("demo", DEMOS)
def test_a_demo_says_that_it_is_a_rehearsal(matrix, demo):
    messages = talk(open_demo(matrix, demo), "Hello").messages
    (state,) = [message for message in messages if message.type == "state"]
    assert (state.content, data_of(state)["is_rehearsal"]) == ("rehearsal", True)


@pytest.mark.parametrize(("demo", "at_least"), [(SHOP, 20), (JOJO, 12), *((demo, 4) for demo in MODEL_AGENTS)])
def test_a_demo_knows_enough_phrases_each_in_several_words(demo, at_least):
    scenes = rehearsal(demo).scenes
    assert len(scenes) >= at_least
    assert all(len(scene.when) in (2, 3) for scene in scenes)
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
    assert {models.describe(load_target(demo).ghost.model, target=demo) for demo in DEMOS} == {"rehearsal"}
