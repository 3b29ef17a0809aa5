"""The ball's demo: each phrase does what it is for; what was learned is there after a restart; the prompt fits."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghostos.bootstrap import make_app_container
from ghostos.core.message import Message
from ghostos.drivers.models.rehearsal_file import Scene
from ghostos.prototypes.spherogpt.bolt import SimulatedBolt
from ghostos.prototypes.spherogpt.bolt._view import view_of
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model

from .bolt_outcomes import DARK, HAPPY, OUTCOMES, SMILE, acts_happy, is_square
from .bolt_stage import ARENA, BOLT, Seen, Stage, open_stage
from .conftest import Turn, quick_models
from .test_demos import HONEST, rehearsal

PROMPT = Path(__file__).parent / "data" / "bolt_prompt.txt"
ALIKE = {frozenset({"dark", "goodbye"}), frozenset({"thanks", "hello-again"})}
"""Scenes that come to the same."""
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
        for number, phrase in enumerate(scene.when)
    ]


@pytest.mark.parametrize(("scene", "phrase"), list_phrases())
def test_each_phrase_does_what_it_is_for(stage, scene: Scene, phrase: str):
    before, check = OUTCOMES[scene.id]
    before(stage)
    for needed in scene.needs:
        stage.play(SCENES[needed].when[0])
    seen = stage.play(phrase)
    assert seen.turn.said == [played.say.strip() for played in scene.rounds if played.say]
    assert seen.turn.code == [played.code.strip() for played in scene.rounds if played.code]
    assert [status for status, _ in seen.turn.outputs] == ["ok"] * len(seen.turn.code)
    check(seen)
    assert seen.collisions == (scene.id == "until-bump"), "boxes and walls stand where no scene comes to"


def test_the_page_shows_obstacles_that_can_be_dragged_while_it_rolls(stage):
    feed = stage.conversation.bodies
    name = feed.look().states[-1].body
    assert [handle.label for handle in feed.list_handles(name)] == ["obstacle 1", "obstacle 2"]

    def put_into_its_way() -> Turn:
        turn = stage.talk("Roll a square")
        stage.bolt.player.advance(1)
        x, y = view_of(width=ARENA.width, depth=ARENA.depth).place(25, 60)
        feed.move_handle(name, "box-1", x=x, y=y)
        return turn

    seen = stage.watch(put_into_its_way)
    assert seen.collisions >= 1
    assert not seen.passed(25, 50)


def test_there_is_enough_to_say_each_in_three_ways():
    assert len(SCENES) >= 25
    assert all(len(scene.when) >= 3 for scene in SCENES.values())
    assert OUTCOMES.keys() == SCENES.keys()


def test_no_phrase_is_for_two_scenes():
    listed = [(phrase.casefold(), tuple(scene.needs)) for scene in SCENES.values() for phrase in scene.when]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("scene", [scene for scene in SCENES.values() if scene.rounds[0].code], ids=lambda it: it.id)
def test_what_is_said_and_not_done_is_not_taken_for_right(scene):
    """So that there is no outcome that asks for nothing."""
    bolt = SimulatedBolt(ARENA, clock="virtual")
    stage = Stage(bolt)
    before, check = OUTCOMES[scene.id]
    before(stage)
    said = Turn([words(played.say) for played in scene.rounds if played.say])
    with pytest.raises(AssertionError):
        check(stage.watch(lambda: said))


@pytest.mark.slow
def test_what_another_scene_does_is_not_taken_for_right(container, tmp_path):
    seen: dict[str, Seen] = {}
    for scene in SCENES.values():
        with open_stage(container, skills=tmp_path / f"{scene.id}.json") as stage:
            OUTCOMES[scene.id][0](stage)
            for needed in scene.needs:
                stage.play(SCENES[needed].when[0])
            seen[scene.id] = stage.play(scene.when[0])
    mistaken = {(right, done) for right in seen for done in seen if right != done and fits(right, seen[done])}
    assert {frozenset(pair) for pair in mistaken} == ALIKE


def fits(scene: str, seen: Seen) -> bool:
    try:
        OUTCOMES[scene][1](seen)
    except AssertionError:
        return False
    return True


def words(text: str) -> Message:
    return Message(
        seq=1,
        id="",
        thread="",
        turn=1,
        round=1,
        role="assistant",
        type="text",
        content=text,
        created_at=datetime.now(UTC),
    )


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
    assert listed == "happy: when something good happens\n1 learned, and kept"
    assert play("Waddle when you are happy", thread="first").codes["happy"].startswith(HAPPY)
    play("Forget happy", thread="first")
    ((_, listed),) = play("What have you learned?", thread="second").turn.outputs
    assert listed == "0 learned, and kept"


def test_two_threads_on_one_workspace_learn_from_each_other(no_keys, tmp_path):
    container = make_app_container(tmp_path, providers=[quick_models])
    try:
        with open_stage(container, thread="first") as first, open_stage(container, thread="second") as second:
            first.play("Learn to be happy")
            acts_happy(second.play("Be happy"))
            second.play("Learn to be scared")
            assert first.play("What have you learned?").learned.keys() == {"happy", "scared"}
            second.play("Forget happy")
            ((_, listed),) = first.play("Show me the code of happy").turn.outputs
            assert "I know no 'happy' yet." in listed
            assert first.bolt.place()[:2] != second.bolt.place()[:2], "a ball for each application"
    finally:
        container.shutdown()


def while_it_rolls(stage: Stage, phrase: str) -> Seen:
    """Say something a second after the ball has begun with its square."""

    def talk_twice() -> Turn:
        stage.talk("Roll a square")
        stage.bolt.player.advance(1)
        return stage.talk(phrase)

    seen = stage.watch(talk_twice)
    assert [status for status, _ in seen.turn.outputs] == ["ok"] * len(seen.turn.code)
    return seen


def test_a_face_shows_while_the_scene_before_still_rolls(stage):
    seen = while_it_rolls(stage, "Smile")
    is_square(seen)
    assert seen.pictures == [DARK, SMILE]


def test_a_move_is_made_after_that_of_the_scene_before(stage):
    seen = while_it_rolls(stage, "Go right")
    assert seen.moved == pytest.approx((50, 0), abs=1)
    assert seen.length == pytest.approx(250, abs=8)
    assert all(seen.passed(*corner) for corner in ((0, 50), (50, 50), (50, 0)))


@pytest.mark.parametrize("phrase", ["Stop", "Come home"])
def test_what_ends_a_scene_ends_the_one_before(stage, phrase):
    seen = while_it_rolls(stage, phrase)
    assert not seen.passed(50, 50)
    assert seen.length < 100
    assert phrase == "Stop" or seen.moved == pytest.approx((0, 0), abs=1)


def test_a_move_that_is_learned_while_it_rolls_is_shown_afterwards(stage):
    seen = while_it_rolls(stage, "Learn to be happy")
    assert seen.moved == pytest.approx((0, 0), abs=1)
    assert seen.length == pytest.approx(220, abs=10)
    assert seen.looked >= 720
    assert seen.pictures[-1] == SMILE


def test_an_aim_waits_for_the_scene_before(stage):
    seen = while_it_rolls(stage, "Start from here")
    is_square(seen)
    assert (seen.felt.x, seen.felt.y) == pytest.approx((0, 0), abs=1)


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
