"""What each scene of the ball's rehearsal must come to: where it goes, what its face shows, what it knows."""

import math
from collections.abc import Callable

import pytest

from ghostos.prototypes.spherogpt.bolt import Animation

from .bolt_stage import Seen, Stage

SMILE = "..yyyy..\n.y....y.\ny.y..y.y\ny......y\ny.y..y.y\ny..yy..y\n.y....y.\n..yyyy.."
SAD = "..bbbb..\n.b....b.\nb.b..b.b\nb......b\nb..bb..b\nb.b..b.b\n.b....b.\n..bbbb.."
HEART = ".rr..rr.\nrrrrrrrr\nrrrrrrrr\nrrrrrrrr\n.rrrrrr.\n..rrrr..\n...rr...\n........"
DARK = "\n".join(["........"] * 8)
CORNERS = ((0, 50), (50, 50), (50, 0), (0, 0))
HAPPY = "moss.body.new_move().show(Animation(frames=['..yyyy"

Check = Callable[[Seen], None]
Before = Callable[[Stage], object]


def near(value, *, within):
    return pytest.approx(value, abs=within)


def looks(degrees, seen):
    return abs((seen.look - degrees + 180) % 360 - 180) < 1


def is_still(seen):
    assert seen.end == near(seen.start, within=0.1)
    assert seen.size == near((0, 0), within=0.1)


def is_back(seen, *, within=1.0):
    assert math.dist(seen.start, seen.end) < within


def is_square(seen):
    is_back(seen)
    assert seen.size == near((50, 50), within=1.5)
    assert all(seen.passed(*corner) for corner in CORNERS)


def is_plain_square(seen):
    is_square(seen)
    assert seen.fastest < 50
    has_no_face(seen)


def has_no_face(seen):
    assert seen.pictures == [DARK]


def was_away(seen):
    assert seen.start == near((40, -30), within=1)


def is_fast_square(seen):
    is_square(seen)
    assert seen.fastest > 55


def is_circle(seen):
    is_back(seen, within=15)
    diameter = 40 * 6 / math.pi
    assert seen.size == near((diameter, diameter), within=diameter * 0.15)
    assert seen.looked == near(360, within=15)


def is_triangle(seen):
    is_back(seen)
    assert all(seen.passed(*corner) for corner in ((25, 43.3), (50, 0), (0, 0)))
    assert seen.length == near(150, within=6)


def is_figure_of_eight(seen):
    is_back(seen, within=20)
    left = min(x for x, _ in seen.trail) - seen.start[0]
    right = max(x for x, _ in seen.trail) - seen.start[0]
    assert right == near(-left, within=12)
    assert right > 40
    assert seen.length == near(350, within=40)


def is_star(seen):
    is_back(seen)
    assert seen.length == near(300, within=12)
    assert seen.size[0] == near(60, within=3)
    assert seen.size[1] == near(57, within=3)


def goes(dx, dy):
    def check(seen):
        assert seen.moved == near((dx, dy), within=1)
        assert seen.length == near(50, within=2)

    return check


def turns(degrees, *, within=5.0):
    def check(seen):
        is_still(seen)
        assert seen.looked == near(degrees, within=within)

    return check


def is_turned_around(seen):
    turns(180)(seen)
    assert looks(180, seen)


def has_bumped(seen):
    assert seen.collisions == 1
    assert seen.end[1] == near(114, within=5)
    assert seen.turn.outputs[0][1].startswith("hit something and ended at y = 11")


def spins(seen):
    turns(720)(seen)
    has_no_face(seen)


def is_home(seen):
    was_away(seen)
    assert seen.end == near((0, 0), within=1)
    assert looks(0, seen)


def has_stopped(seen):
    assert 1 < seen.moved[1] < 30
    assert seen.moved[0] == near(0, within=1)
    assert seen.length < 30
    has_no_face(seen)


def waddles(seconds):
    def check(seen):
        is_still(seen)
        assert seen.looked == near(seconds * 240, within=seconds * 60)
        assert seen.duration_s == near(seconds, within=0.3)
        assert looks(0, seen)
        has_no_face(seen)

    return check


def nods(seen):
    is_back(seen)
    assert seen.size == near((0, 8), within=1)
    assert seen.length == near(32, within=5)


def dances(seen):
    is_back(seen)
    assert seen.size == near((35, 17), within=3)
    assert seen.duration_s > 5
    assert seen.looked > 4 * 360
    assert len(set(seen.pictures)) >= 6


def parties(seen):
    is_still(seen)
    assert seen.looked > 2160
    assert runs_text("m", at_least=30, seen=seen)


def shows(picture, *, before=DARK):
    def check(seen):
        is_still(seen)
        assert seen.pictures[0] == before
        assert seen.pictures[-1] == picture

    return check


def square_with_smile(seen):
    is_square(seen)
    assert seen.pictures[-1] == SMILE


def beats(seen):
    assert seen.pictures[-1] == HEART
    assert seen.pictures.count(HEART) == 4
    is_still(seen)


def blinks(seen):
    heights = [picture.splitlines().count(".cc..cc.") for picture in seen.pictures]
    assert heights == [0, 3, 1, 3, 1, 3]


def runs_text(letter, *, at_least, seen):
    assert seen.pictures[-1] == DARK
    lit = [picture for picture in seen.pictures if picture != DARK]
    assert {light for picture in lit for light in picture} <= {letter, ".", "\n"}
    return len(lit) >= at_least


def writes_its_name(seen):
    assert runs_text("c", at_least=70, seen=seen)


def is_letter_a(seen):
    shows("..ggg...\n.g...g..\n.g...g..\n.g...g..\n.ggggg..\n.g...g..\n.g...g..\n........")(seen)


def is_rainbow(seen):
    assert len(set(seen.pictures[1:])) == 8
    assert len(set(seen.pictures[-1].splitlines())) >= 6


def counts_down(seen):
    digits = [picture for picture in seen.pictures if "y" in picture]
    assert len(digits) == len(set(digits)) == 3
    assert any("g" in picture for picture in seen.pictures)
    assert seen.looked == near(720, within=5)
    assert seen.duration_s > 3.8


def is_dim(seen):
    before, now = seen.brightness
    assert before == 255
    assert 30 < now < 80
    assert seen.pictures == [SMILE]


def is_bright(seen):
    before, now = seen.brightness
    assert before < 80
    assert now == 255
    assert seen.pictures == [SMILE]


def is_upside_down(seen):
    assert seen.pictures == [SMILE, SMILE[::-1]]


def has_learned_happy(seen):
    assert seen.knew == {}
    assert seen.learned == {"happy": "when something good happens"}
    assert seen.codes["happy"].startswith(HAPPY)
    assert seen.codes["happy"].endswith(".spin(720, 1).go(0, 10, 40).go(180, 10, 40)")
    acts_happy(seen)


def does_happy(seen):
    assert seen.learned == seen.knew == {"happy": "when something good happens"}
    acts_happy(seen)


def acts_happy(seen):
    is_back(seen)
    assert seen.looked >= 720
    assert seen.size[1] == near(10, within=1)
    assert seen.pictures[-1] == SMILE


def has_learned_scared(seen):
    assert seen.knew == {}
    assert list(seen.learned) == ["scared"]
    acts_scared(seen)


def does_scared(seen):
    assert seen.learned == seen.knew == {"scared": "when something frightens you"}
    acts_scared(seen)


def acts_scared(seen):
    assert seen.moved == near((0, -20), within=1)
    assert any("w" in picture for picture in seen.pictures)
    assert seen.pictures[-1] == DARK


def output_has(*texts):
    def check(seen):
        is_still(seen)
        assert [status for status, _ in seen.turn.outputs] == ["ok"]
        assert all(text in seen.turn.outputs[0][1] for text in texts)

    return check


def has_edited(seen):
    assert seen.learned == {"happy": "when something good happens; it ends in a waddle"}
    assert seen.codes["happy"].endswith(".go(180, 10, 40).waddle(2)")
    acts_happy(seen)
    assert seen.looked > 720 + 200


def has_renamed(seen):
    assert seen.learned == {"joy": "when something good happens"}
    assert seen.codes["joy"].startswith(HAPPY)


def has_forgotten(seen):
    assert seen.knew == {"happy": "when something good happens"}
    assert seen.learned == {}


def introduces_itself(seen):
    said = "\n".join(seen.turn.said)
    assert "SpheroBoltGPT" in said
    assert "rehearsal" in said
    turns(360)(seen)
    assert runs_text("c", at_least=5, seen=seen)


def says_only(*texts):
    def check(seen):
        is_still(seen)
        assert seen.turn.code == []
        said = "\n".join(seen.turn.said)
        assert all(text in said for text in texts)

    return check


def is_aimed_anew(seen):
    was_away(seen)
    is_still(seen)
    assert (seen.felt.x, seen.felt.y) == near((0, 0), within=1)
    assert (seen.felt.heading + 180) % 360 == near(180, within=1)


def greets(seen):
    turns(360)(seen)
    has_no_face(seen)


def says_where(seen):
    was_away(seen)
    output_has("40 cm to the right, -30 cm ahead of the start, heading 180")(seen)
    assert runs_text("o", at_least=10, seen=seen)


# What is there before


def nothing(_stage):
    pass


def is_away(stage):
    stage.bolt.ball.new_move(True).go(90, 40).go(180, 30)
    stage.bolt.ball.wait()
    stage.bolt.player.advance(1)


def is_on_its_way(stage):
    stage.bolt.ball.new_move(True).roll(0, 50, 3).go(90, 40)
    stage.bolt.player.advance(0.3)


def smiles(stage):
    stage.bolt.face.play(Animation(frames=[SMILE]))
    stage.bolt.player.advance(0.1)


def smiles_dimly(stage):
    stage.bolt.face.brightness(10)
    smiles(stage)


def smiles_upside_down(stage):
    stage.bolt.face.rotate(180)
    smiles(stage)


def knows_happy(stage):
    ball = stage.bolt.ball
    move = ball.new_move().spin(720, 1).go(0, 10).go(180, 10)
    ball.save_move("happy", "when something good happens", move, Animation(frames=[SMILE]))


def knows_scared(stage):
    ball = stage.bolt.ball
    frames = ["\n".join(["wwwwwwww"] * 8), DARK]
    move = ball.new_move().go(180, 20, 100).waddle(2)
    ball.save_move("scared", "when something frightens you", move, Animation(frames=frames, fps=6, repeats=6))


OUTCOMES: dict[str, tuple[Before, Check]] = {
    "square": (nothing, is_plain_square),
    "fast-square": (nothing, is_fast_square),
    "square-smiling": (nothing, square_with_smile),
    "circle": (nothing, is_circle),
    "triangle": (nothing, is_triangle),
    "figure-eight": (nothing, is_figure_of_eight),
    "star": (nothing, is_star),
    "forward": (nothing, goes(0, 50)),
    "back": (nothing, goes(0, -50)),
    "left": (nothing, goes(-50, 0)),
    "right": (nothing, goes(50, 0)),
    "turn-around": (nothing, is_turned_around),
    "spin": (nothing, spins),
    "until-bump": (nothing, has_bumped),
    "home": (is_away, is_home),
    "stop": (is_on_its_way, has_stopped),
    "waddle": (nothing, waddles(3)),
    "yes": (nothing, nods),
    "no": (nothing, turns(270)),
    "dance": (nothing, dances),
    "party": (nothing, parties),
    "smile": (nothing, shows(SMILE)),
    "sad-face": (nothing, shows(SAD)),
    "heart": (nothing, beats),
    "blink": (nothing, blinks),
    "name": (nothing, writes_its_name),
    "letter": (nothing, is_letter_a),
    "rainbow": (nothing, is_rainbow),
    "red": (nothing, shows("\n".join(["rrrrrrrr"] * 8))),
    "countdown": (nothing, counts_down),
    "dim": (smiles, is_dim),
    "brighter": (smiles_dimly, is_bright),
    "upside-down": (smiles, is_upside_down),
    "upright": (smiles_upside_down, shows(SMILE, before=SMILE[::-1])),
    "dark": (smiles, shows(DARK, before=SMILE)),
    "learn-happy": (nothing, has_learned_happy),
    "be-happy": (knows_happy, does_happy),
    "learn-scared": (nothing, has_learned_scared),
    "boo": (knows_scared, does_scared),
    "learned": (knows_happy, output_has("happy: when something good happens", "1 learned")),
    "show-code": (knows_happy, output_has(HAPPY, ".spin(720, 1)")),
    "edit-happy": (knows_happy, has_edited),
    "rename-happy": (knows_happy, has_renamed),
    "forget-happy": (knows_happy, has_forgotten),
    "who": (nothing, introduces_itself),
    "abilities": (nothing, says_only("Roll a square", "Learn to be happy", "Stop")),
    "where": (is_away, says_where),
    "feel": (is_away, output_has("x=40.0", "y=-29.9", "light=", "collisions=0")),
    "aim": (is_away, is_aimed_anew),
    "hello": (nothing, greets),
    "hello-again": (nothing, waddles(1)),
    "thanks": (nothing, waddles(1)),
    "goodbye": (smiles, shows(DARK, before=SMILE)),
}
"""By scene: how things are before, and what is to be seen then."""
