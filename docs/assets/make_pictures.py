"""Make the pictures of docs/usages/sphero.md: moves are played by the simulator, and what it shows is written here.

Run it with the folder to write to: python docs/assets/make_pictures.py docs/assets
"""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from ghostos.bootstrap import make_app_container
from ghostos.contracts.body_feed import BodyFeed
from ghostos.prototypes.spherogpt.bolt import Animation, Arena, Ball, Box, LedMatrix, RollFunc, simulated_bolt

SMILE = Animation(
    frames=["..yyyy..\n.y....y.\ny.y..y.y\ny......y\ny.y..y.y\ny..yy..y\n.y....y.\n..yyyy.."],
)
HEART = Animation(frames=["........\n.rr..rr.\nrrrrrrrr\nrrrrrrrr\n.rrrrrr.\n..rrrr..\n...rr...\n........"])
OUCH = Animation(frames=["o......o\n.o....o.\n..o..o..\n...oo...\n...oo...\n..o..o..\n.o....o.\no......o"])


def square(body: Ball, face: LedMatrix) -> None:
    """A square of a metre, with a smile."""
    face.play(SMILE)
    move = body.new_move(run=True)
    for heading in (0, 90, 180, 270):
        move.go(heading, 100, 60)
    body.wait()


def eight(body: Ball, face: LedMatrix) -> None:
    """A figure of eight, by a function."""
    face.play(HEART)
    path = RollFunc(code="speed = 40; heading = t * 90 if t < 4 else -t * 90", seconds=8)
    body.new_move(run=True).curve(path)
    body.wait()


def wall(body: Ball, face: LedMatrix) -> None:
    """Into a box, and back."""
    move = body.new_move(run=True)
    move.on_collision(lambda move: move.stop())
    move.roll(45, 90, 10)
    body.wait()
    face.play(OUCH)
    body.new_move(run=True).go(225, 40).turn(45)
    body.wait()


PICTURES: dict[str, tuple[Callable[[Ball, LedMatrix], None], Arena]] = {
    "square": (square, Arena()),
    "eight": (eight, Arena()),
    "wall": (wall, Arena(boxes=[Box(50, 40, 110, 90), Box(-120, -110, -60, -60)])),
}


def draw(name: str) -> str:
    """Play a scene in virtual time, and return what it looks like at its end."""
    play, arena = PICTURES[name]
    with TemporaryDirectory() as workspace:
        container = make_app_container(Path(workspace), providers=simulated_bolt(arena, clock="virtual"))
        try:
            play(container.force_fetch(Ball), container.force_fetch(LedMatrix))
            bodies = container.force_fetch(BodyFeed)
            (state,) = bodies.look().states
            drawing = bodies.find_drawing(state.body)
            return drawing.draw_svg(state) if drawing is not None else ""
        finally:
            container.shutdown()


if __name__ == "__main__":
    for name in PICTURES:
        Path(sys.argv[1], f"bolt-{name}.svg").write_text(draw(name), encoding="utf-8")
