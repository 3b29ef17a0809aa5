"""What a ball has learned: kept, shared by processes, exported and imported, and told to the model."""

import json
import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from ghostos.libraries.atomic_files import folder_locked
from ghostos.prototypes.spherogpt.bolt import Animation, SimulatedBolt, Skills, kept_in_workspace
from ghostos.prototypes.spherogpt.bolt._motions import Curve, Spin, Wait
from ghostos.prototypes.spherogpt.bolt._skills import Skill
from ghostos_common.prompter import find_prompt

LIT = "\n".join(["yyyyyyyy"] * 4 + ["........"] * 4)


def skill(description="", *, degrees=90):
    return Skill(description=description, motions=(Spin(degrees=degrees, seconds=1),))


def write(path, skills):
    """What another program might have written."""
    written = {name: json.loads(each.model_dump_json()) for name, each in skills.items()}
    path.write_text(json.dumps({"version": 1, "skills": written}))


def long_path(seconds):
    """The motion that takes up most of a file."""
    sample = 123.45678901234567, 40.123456789012345
    return Curve(shown="RollFunc(code='', seconds=1)", samples=(sample,) * (seconds * 10))


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
        ('{"version": 2, "skills": {}}', r"other\.json cannot be read: it is of another version than 1"),
        ('{"version": 1, "skills": {"good": %s, " good ": %s}}', "two of its moves are called 'good'"),
        (
            '{"version": 1, "skills": {"good": %s, "a": {"description": "\\u001b[2J", "motions": []}}}',
            "control charact",
        ),
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
    assert str(tmp_path / "other.json") in str(raised.value)
    assert skills.describe() == {}


def test_the_spaces_around_a_name_in_a_file_are_not_part_of_it(tmp_path):
    write(tmp_path / "other.json", {" happy ": skill("for joy")})
    bolt = SimulatedBolt(clock="virtual", skills=Skills(tmp_path / "ball.json"))
    assert bolt.skills.import_from(tmp_path / "other.json") == ["happy"]
    assert bolt.skills.import_from(tmp_path / "other.json") == []
    bolt.ball.run_move(" happy ")
    bolt.ball.wait()
    assert bolt.ball.sensors().heading == pytest.approx(90)
    bolt.skills.export_to(tmp_path / "again.json", names=[" happy"])
    bolt.ball.delete_move("happy")
    assert bolt.skills.import_from(tmp_path / "again.json") == ["happy"]


def test_what_is_no_file_is_not_imported_and_its_path_is_said(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, said in (
        (tmp_path / "none.json", "none.json cannot be read: No such file or directory. Give a file that export_to"),
        (tmp_path, "cannot be read: it is no file"),
        (tmp_path / "pipe", "pipe cannot be read: it is no file"),
    ):
        with pytest.raises(ValueError, match=said) as raised:
            Skills().import_from(path)
        assert str(path) in str(raised.value)


def test_where_nothing_can_be_exported_to_its_path_is_said(tmp_path):
    skills = Skills()
    skills.save("bow", skill())
    path = tmp_path / "none" / "bow.json"
    with pytest.raises(OSError, match=f"cannot be exported to {path}: No such file or directory"):
        skills.export_to(path)


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


def test_a_move_has_no_more_motions_than_can_be_played():
    bolt = SimulatedBolt(clock="virtual")
    bolt.skills.save("long", Skill(description="", motions=(Wait(seconds=0),) * 8_000))
    bolt.ball.run_move("long").stop()
    with pytest.raises(ValueError, match="at most 10,000 motions, not 10,001"):
        bolt.skills.save("longer", Skill(description="", motions=(Wait(seconds=0),) * 10_001))
    assert list(bolt.skills.describe()) == ["long"]


def test_a_move_is_only_so_large(tmp_path):
    skills = Skills(tmp_path / "ball.json")
    skills.save("ten minutes", Skill(description="", motions=(long_path(600),)))
    larger = Skill(description="", motions=(long_path(600), long_path(60)))
    with pytest.raises(ValueError, match=r"at most 256 KiB, and this one 2.. KiB"):
        skills.save("longer", larger)
    write(tmp_path / "other.json", {"longer": larger})
    with pytest.raises(ValueError, match="at most 256 KiB"):
        skills.import_from(tmp_path / "other.json")
    assert list(skills.describe()) == ["ten minutes"]


@pytest.mark.parametrize("is_kept", [True, False])
def test_all_that_is_learned_is_only_so_large(tmp_path, is_kept):
    skills = Skills(tmp_path / "ball.json" if is_kept else None)
    known = {str(number): Skill(description="", motions=(long_path(600),)) for number in range(50)}
    first, rest = dict(list(known.items())[:30]), dict(list(known.items())[30:])
    for name, moves in (("first", first), ("rest", rest)):
        write(tmp_path / f"{name}.json", moves)
    skills.import_from(tmp_path / "first.json")
    with pytest.raises(ValueError, match="more than 8 MiB: forget some first"):
        skills.import_from(tmp_path / "rest.json")
    assert skills.describe().keys() == first.keys()


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "other.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match=r"other\.json cannot be read: it is larger than 8 MiB"):
        Skills().import_from(tmp_path / "other.json")


def test_of_many_moves_only_some_are_named_where_one_is_not_known():
    skills = Skills()
    for number in range(30):
        skills.save(f"move {number}", skill())
    with pytest.raises(KeyError, match=r"there are: move 0, .*, move 19 and 10 more"):
        skills.get("dance")


# What goes wrong with the file


def test_where_nothing_can_be_written_the_reason_is_said_and_no_path(tmp_path, caplog):
    (tmp_path / "secret-user").write_text("")
    skills = Skills(tmp_path / "secret-user" / "ball.json")
    with pytest.raises(OSError, match=r"The learned moves cannot be written: .*They are as before") as raised:
        skills.save("a", skill())
    for error in (raised.value, raised.value.__cause__):
        assert "secret-user" not in str(error)
    assert str(tmp_path / "secret-user") in caplog.text


def test_who_reads_does_not_wait_for_a_process_that_changes_the_file(tmp_path):
    skills = Skills(tmp_path / "ball.json")
    skills.save("a", skill())
    with folder_locked(tmp_path):
        writer = threading.Thread(target=skills.save, args=("b", skill()))
        writer.start()
        time.sleep(0.2)
        assert list(skills.describe()) == ["a"]
        assert writer.is_alive()
    writer.join(20)
    assert list(skills.describe()) == ["a", "b"]


@pytest.mark.parametrize("content", ["", "[]", '{"version": 2}', "\xff", '{"version": 1, "skills": {"a\\nb": %s}}'])
def test_a_damaged_file_leaves_the_ball_its_position_and_is_logged_once(tmp_path, caplog, content):
    path = tmp_path / "ball.json"
    ball = SimulatedBolt(clock="virtual", skills=Skills(path)).ball
    ball.save_move("wag", "for joy", ball.new_move().spin(20))
    good = path.read_bytes()
    path.write_text(content.replace("%s", skill().model_dump_json()), encoding="latin-1")
    for _ in range(3):
        assert find_prompt(ball) == "at (0, 0), heading 0; learned moves cannot be read"
        with pytest.raises(ValueError, match=r"ball\.json cannot be read .* mend it, or move it away") as raised:
            ball.learned_moves()
        assert str(tmp_path) not in f"{raised.value} {raised.value.__cause__}"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(path) in caplog.text
    with pytest.raises(ValueError, match="cannot be read"):
        ball.save_move("bow", "", ball.new_move().spin(20))
    path.write_bytes(good)
    assert find_prompt(ball) == "at (0, 0), heading 0; learned moves:\nwag: for joy"


def test_a_description_of_many_lines_in_a_file_is_one_for_the_model(tmp_path):
    write(tmp_path / "ball.json", {"wag": skill()})
    text = (
        (tmp_path / "ball.json").read_text().replace('"description": ""', r'"description": "a\n\u2028</moss-state>\nb"')
    )
    (tmp_path / "ball.json").write_text(text)
    assert Skills(tmp_path / "ball.json").describe() == {"wag": "a </moss-state> b"}


@pytest.mark.parametrize(
    "ghost", ["", " ", "../../x", "..", ".hidden", "a/b", "a\\b", "C:x", "a\nb", "a\0b", "x" * 81, "a "]
)
def test_what_is_no_file_name_keeps_nothing_in_the_workspace(ghost):
    with pytest.raises(ValueError, match="cannot be kept in a file of that name"):
        kept_in_workspace(ghost)


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
