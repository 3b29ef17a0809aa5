"""What a ball has learned: kept, shared by processes, exported and imported, and told to the model."""

import json
import subprocess
import sys

import pytest

from ghostos.prototypes.spherogpt.bolt import Animation, SimulatedBolt, Skills
from ghostos.prototypes.spherogpt.bolt._motions import Spin
from ghostos.prototypes.spherogpt.bolt._skills import Skill
from ghostos_common.prompter import find_prompt

LIT = "\n".join(["yyyyyyyy"] * 4 + ["........"] * 4)


def skill(description="", *, degrees=90):
    return Skill(description=description, motions=(Spin(degrees=degrees, seconds=1),))


LEARN_TWENTY = """
import sys
from pathlib import Path
from ghostos.prototypes.spherogpt.bolt import Skills
from ghostos.prototypes.spherogpt.bolt._motions import Spin
from ghostos.prototypes.spherogpt.bolt._skills import Skill

skills = Skills(Path(sys.argv[1]))
for number in range(20):
    skills.save(f"{sys.argv[2]} {number}", Skill(description="", motions=(Spin(degrees=90, seconds=1),)))
"""


def test_processes_that_learn_at_the_same_moment_lose_nothing(tmp_path):
    path = tmp_path / "learned" / "ball.json"
    learners = [subprocess.Popen([sys.executable, "-c", LEARN_TWENTY, path, name]) for name in "abc"]
    assert [learner.wait(60) for learner in learners] == [0, 0, 0]
    assert sorted(Skills(path).describe()) == sorted(f"{name} {number}" for name in "abc" for number in range(20))


def test_what_another_process_has_learned_is_known_at_once(tmp_path):
    mine, other = Skills(tmp_path / "ball.json"), Skills(tmp_path / "ball.json")
    mine.save("a", skill("first"))
    assert other.describe() == {"a": "first"}
    other.save("a", skill("second"))
    other.delete("a")
    assert mine.describe() == {}


def test_moves_are_exported_and_imported_as_a_file(tmp_path):
    ours, theirs = Skills(tmp_path / "ours.json"), Skills(tmp_path / "theirs.json")
    ours.save("bow", skill("to greet", degrees=10))
    ours.save("shrug", skill())
    ours.export_to(tmp_path / "bow.json", names=["bow"])
    assert json.loads((tmp_path / "bow.json").read_text()) == {
        "version": 1,
        "skills": {"bow": {"description": "to greet", "motions": [{"kind": "spin", "degrees": 10.0, "seconds": 1.0}]}},
    }
    theirs.save("bow", skill("mine"))
    assert theirs.import_from(tmp_path / "bow.json") == []
    assert theirs.import_from(tmp_path / "ours.json") == ["shrug"]
    assert theirs.describe() == {"bow": "mine", "shrug": ""}
    assert theirs.import_from(tmp_path / "bow.json", replaces=True) == ["bow"]
    assert theirs.describe()["bow"] == "to greet"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", r"other\.json cannot be read"),
        ('{"version": 2, "skills": {}}', r"other\.json cannot be read"),
        ('{"version": 1, "skills": {"a": {"description": "", "motions": [{"kind": "fly"}]}}}', "cannot be read"),
        ('{"version": 1, "skills": {"good": %s, "a\\nb": %s}}', "on one line"),
        ('{"version": 1, "skills": {"good": %s, "a": {"description": "", "motions": []}}}', "nothing in this move"),
    ],
)
def test_of_a_file_with_something_wrong_nothing_is_imported(tmp_path, content, said):
    fine = skill().model_dump_json()
    (tmp_path / "other.json").write_text(content.replace("%s", fine))
    skills = Skills(tmp_path / "ball.json")
    with pytest.raises(ValueError, match=said) as raised:
        skills.import_from(tmp_path / "other.json")
    assert str(tmp_path) not in str(raised.value)
    assert skills.describe() == {}


def test_what_cannot_be_exported_is_said(tmp_path):
    with pytest.raises(KeyError, match="No move 'a' was learned"):
        Skills().export_to(tmp_path / "a.json", names=["a"])
    assert not (tmp_path / "a.json").exists()


def test_there_is_an_end_to_learning():
    skills = Skills()
    for number in range(500):
        skills.save(str(number), skill())
    with pytest.raises(ValueError, match="More than 500 moves"):
        skills.save("one more", skill())
    assert "one more" not in skills.describe()


# What the ball makes of it


@pytest.fixture
def ball():
    return SimulatedBolt(clock="virtual").ball


def test_a_learned_move_is_extended_and_saved_anew(ball):
    ball.save_move("wag", "for joy", ball.new_move().spin(20).spin(-20))
    ball.save_move("big wag", "for much joy", ball.get_move("wag").spin(90))
    assert ball.read_move("big wag") == "moss.body.new_move().spin(20, 1).spin(-20, 1).spin(90, 1)"
    assert ball.read_move("wag") == "moss.body.new_move().spin(20, 1).spin(-20, 1)"
    assert ball.sensors().heading == 0


def test_a_move_is_learned_with_pictures_of_its_own(ball):
    ball.save_move("shine", "", ball.new_move().spin(20), Animation(frames=[LIT]))
    assert ball.read_move("shine").startswith("moss.body.new_move().show(Animation(frames=['yyyy")


# What the model is told


def test_the_ball_says_where_it_is_and_what_it_has_learned(ball):
    assert find_prompt(ball) == "at (0, 0), heading 0"
    ball.new_move(True).go(90, 30)
    assert find_prompt(ball) == "at (0, 0), heading 0, moves still play"
    ball.wait()
    ball.save_move("wag", "for joy,\nor so", ball.new_move().spin(20))
    ball.save_move("long", "x" * 200, ball.new_move().spin(20))
    assert (find_prompt(ball) or "").splitlines() == [
        "at (30, 0), heading 90; learned moves:",
        "wag: for joy, or so",
        f"long: {'x' * 120}…",
    ]


def test_the_face_says_what_it_shows_whatever_its_brightness():
    bolt = SimulatedBolt(clock="virtual")
    assert find_prompt(bolt.face) == ""
    bolt.face.play(Animation(frames=["r......k\n" + ".gbyopcm\n" * 7], palette={"k": "#1133ee"}))
    assert (find_prompt(bolt.face) or "").splitlines() == ["shows", "r......b", *[".gbyopcm"] * 7]
    bolt.face.brightness(20)
    assert (find_prompt(bolt.face) or "").splitlines() == ["shows", "r......b", *[".gbyopcm"] * 7]
    bolt.face.clear()
    assert find_prompt(bolt.face) == ""
