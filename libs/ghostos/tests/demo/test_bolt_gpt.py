"""The ball's demo: each phrase does what it is for; what was learned is there after a restart; the prompt fits."""

from pathlib import Path

import pytest

from ghostos.bootstrap import make_app_container
from ghostos.drivers.models.rehearsal_file import Scene
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model

from .bolt_outcomes import HAPPY, OUTCOMES, acts_happy
from .bolt_stage import BOLT, open_stage
from .conftest import quick_models
from .test_demos import HONEST, rehearsal

PROMPT = Path(__file__).parent / "data" / "bolt_prompt.txt"
SCENES = {scene.id: scene for scene in rehearsal(BOLT).scenes}


@pytest.fixture(scope="module")
def container(no_keys, tmp_path_factory):
    container = make_app_container(tmp_path_factory.mktemp("workspace"), providers=[quick_models])
    yield container
    container.shutdown()


@pytest.fixture
def stage(container, tmp_path):
    with open_stage(container, skills=tmp_path / "moves.json") as stage:
        yield stage


def list_phrases():
    """Each phrase with its scene. One of each scene is tried in short runs, too."""
    return [
        pytest.param(scene, phrase, id=f"{scene.id}-{phrase}", marks=[pytest.mark.slow] if number else [])
        for scene in SCENES.values()
        if not scene.needs
        for number, phrase in enumerate(scene.when)
    ]


@pytest.mark.parametrize(("scene", "phrase"), list_phrases())
def test_each_phrase_does_what_it_is_for(stage, scene: Scene, phrase: str):
    before, check = OUTCOMES[scene.id]
    before(stage)
    seen = stage.play(phrase)
    assert seen.turn.said == [played.say.strip() for played in scene.rounds if played.say]
    assert [status for status, _ in seen.turn.outputs] == ["ok"] * len(seen.turn.code)
    check(seen)


def test_there_is_enough_to_say_each_in_three_ways():
    assert len(SCENES) >= 25
    assert all(len(scene.when) >= 3 for scene in SCENES.values())
    assert OUTCOMES.keys() == {scene.id for scene in SCENES.values() if not scene.needs}


@pytest.mark.parametrize("scene", ["be-happy", "boo", "show-code", "edit-happy", "rename-happy", "forget-happy"])
def test_what_needs_a_learned_move_goes_on_without_one(stage, scene):
    seen = stage.play(SCENES[scene].when[0])
    assert [status for status, _ in seen.turn.outputs] == ["ok"]
    assert len(seen.turn.said) == len([played for played in SCENES[scene].rounds if played.say])
    assert seen.learned == {}


def test_what_it_learned_is_there_after_a_restart_and_in_another_thread(no_keys, tmp_path):
    def play(*phrases, thread):
        """As one more process would."""
        container = make_app_container(tmp_path, providers=[quick_models])
        try:
            with open_stage(container, thread=thread) as stage:
                return [stage.play(phrase) for phrase in phrases][-1]
        finally:
            container.shutdown()

    play("Learn to be happy", thread="first")
    acts_happy(play("Be happy again", thread="first"))
    acts_happy(play("Hello", "Be happy", thread="second"))
    assert (tmp_path / "learned" / "SpheroBoltGPT.json").exists()
    ((_, listed),) = play("What have you learned?", thread="third").turn.outputs
    assert listed == "happy: when something good happens\n1 learned"
    assert play("Waddle when you are happy", thread="first").codes["happy"].startswith(HAPPY)
    play("Forget happy", thread="first")
    ((_, listed),) = play("What have you learned?", thread="second").turn.outputs
    assert listed == "0 learned"


def test_an_unknown_phrase_is_answered_honestly_with_five_that_work(stage):
    (answer,) = stage.play("Fetch me a beer from the fridge").turn.said
    assert HONEST in answer
    offered = [line.removeprefix("- ") for line in answer.splitlines() if line.startswith("- ")]
    assert offered == ["Roll a square", "Smile", "Learn to be happy", "What have you learned?", "Dance"]
    for phrase in offered:
        seen = stage.play(phrase)
        assert [status for status, _ in seen.turn.outputs] == ["ok"]
        assert HONEST not in "".join(seen.turn.said)


@pytest.fixture
def scripted(no_keys, tmp_path):
    """What the model is sent, and what comes of one reply."""
    model = ScriptedModel(["Hi."])
    container = make_app_container(tmp_path, providers=[use_model(model)])
    with open_stage(container) as stage:
        yield stage, model
    container.shutdown()


def test_the_prompt_is_as_it_is_written_down_and_fits(scripted, count_cl100k):
    stage, model = scripted
    stage.play("Hello")
    system, said, state = (message.content for message in model.prompts[0].messages)
    assert said == "Hello"
    assert state.splitlines()[2:] == ["moss.body: at (0, 0), heading 0", "</moss-state>"]
    assert system == PROMPT.read_text(encoding="utf-8").rstrip("\n"), "ghostos moss prompt ghostos.demo.sphero.bolt_gpt"
    assert count_cl100k(system) + count_cl100k(state) <= 1500
