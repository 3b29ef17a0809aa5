"""What the simulated ball costs: `python benchmarks/bolt.py` prints the best of several runs, in virtual time.

A choreography of a minute is what a test or an evaluation waits for; its goal is half a second.
"""

import argparse
import time
from collections.abc import Callable

from ghostos.prototypes.spherogpt.bolt import Animation, RollFunc, SimulatedBolt
from ghostos.prototypes.spherogpt.bolt._contracts import Move

_FRAMES = ["\n".join([letter * 8] * 8) for letter in "rgby"]


def squares(move: Move) -> None:
    """Legs of figures, each steered to its place: squares of 20 cm, a little over a minute of them."""
    for _ in range(20):
        for heading in (0, 90, 180, 270):
            move.go(heading, 20, 60)


def dance(move: Move) -> None:
    """A minute of everything, with a face that goes on changing."""
    move.show(Animation(frames=_FRAMES, fps=8, repeats=0))
    for _ in range(10):
        move.spin(360, 1).waddle(1).roll(0, 30, 1).roll(180, 30, 1)
        move.curve(RollFunc(code="heading = 180 * t\nspeed = 30", seconds=2))


def best(fill: Callable[[Move], None], *, runs: int) -> tuple[float, float]:
    """Seconds that a move takes for the ball, and the fewest that it takes for who waits."""
    times: list[float] = []
    danced = 0.0
    for _ in range(runs):
        bolt = SimulatedBolt(clock="virtual")
        began = time.perf_counter()
        move = bolt.ball.new_move()
        fill(move)
        move.run()
        bolt.ball.wait()
        times.append(time.perf_counter() - began)
        danced = bolt.player.now
    return danced, min(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs: int = parser.parse_args().runs
    for label, fill in (("squares", squares), ("a dance", dance)):
        danced, took = best(fill, runs=runs)
        row = f"{label:<10} {danced:5.0f} s of the ball in {took:5.2f} s: {took / danced * 60:5.2f} s a minute"
        print(f"  {row}  (at most 0.50 s)")


if __name__ == "__main__":
    main()
