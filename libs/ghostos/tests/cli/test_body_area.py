"""A body drawn below the talk of `ghostos console`, as a person at a terminal sees it."""

import os
import re
import signal

import pytest

from ghostos.cli.body_area import to_ansi
from ghostos.core.styled_text import Span

from .conftest import Shell
from .screen import Screen

pytestmark = pytest.mark.slow

BALL = """
from ghostos.prototypes.spherogpt.bolt import Ball, LedMatrix, Move
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    face: LedMatrix


def __matrix_providers__():
    from ghostos.prototypes.spherogpt.bolt import Arena, Box, simulated_bolt

    return simulated_bolt(Arena(boxes=[Box(60, 60, 100, 90)]))
"""

REHEARSAL = """
version: 1
scenes:
- id: right
  when: [right]
  rounds:
  - {say: To the right., code: "moss.face.character('X', 'red')\\nmoss.body.new_move(True).go(90, 80, 80)"}
- id: spin
  when: [spin]
  rounds: [{say: Round and round., code: "moss.body.new_move(True).spin(36000, 100)"}]
- id: count
  when: [count]
  rounds: [{say: "1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n10\\n11\\n12\\n13\\n14\\n15\\n16\\n17\\n18\\n19\\n20"}]
- id: dance
  when: [dance]
  rounds: [{say: I dance., code: "move = moss.body.new_move(True).spin(7200, 20)\\nawait move.done()"}]
otherwise: {say: What?}
"""


@pytest.fixture
def ball(shell):
    """A ball in the shell's folder, with a rehearsal."""
    del shell.variables["OPENAI_API_KEY"]
    shell.write("ball.py", BALL)
    shell.write("ball.rehearsal.yaml", REHEARSAL)
    return shell


@pytest.fixture
def open_screen(ball: Shell):
    screens: list[Screen] = []

    def start(*, columns=80, lines=36, words=("console", "ball.py", "--thread", "t1"), variables=None):
        screens.append(Screen(ball, *words, columns=columns, lines=lines, variables=variables))
        return screens[-1]

    yield start
    for screen in screens:
        screen.end()


def at_prompt(screen):
    """Whether the cursor stands behind an empty prompt."""
    row, column = screen.cursor
    return screen.rows[row] == ">" and column == 2


def find_ball(screen):
    """Row and column of the ball."""
    return next(
        (row, found.start()) for row, text in enumerate(screen.rows) if (found := re.search("[↑↗→↘↓↙←↖]", text))
    )


def leave(screen):
    screen.see(at_prompt)
    screen.type("\x04")
    return screen.wait()


def test_arena_ball_box_and_face_are_below_the_talk_and_move_while_nobody_speaks(open_screen):
    screen = open_screen()
    screen.see("bolt stands still")
    screen.see(at_prompt)
    top, bottom = screen.rows.index("┌────────────────────────┐"), screen.rows.index("└────────────────────────┘")
    assert (top, bottom) == (22, 35)
    assert any("⣤⣤⣤" in row for row in screen.rows[top:bottom])  # the box
    began_at = find_ball(screen)
    screen.type("right\r")
    screen.see("at (80, 0) cm")
    screen.see("bolt stands still")
    screen.see(at_prompt)
    row, column = find_ball(screen)
    assert column - began_at[1] in range(5, 9)
    assert row == began_at[0]
    assert screen.rows[row][column] == "→"
    assert "⠤" in screen.rows[row] or "⣀" in screen.rows[row] or "⠉" in screen.rows[row]  # the trail
    assert screen.background(*next((y, x) for y in range(top, bottom) for x in range(28, 46) if lit(screen, y, x)))
    assert leave(screen) == 0


def lit(screen, row, column):
    return screen.background(row, column) == "ff0000"


def test_what_is_typed_is_not_disturbed(open_screen):
    screen = open_screen()
    screen.see("bolt stands still")
    screen.see(at_prompt)
    screen.type("spin\r")
    screen.see("bolt spins")
    screen.see(at_prompt)
    row = screen.cursor[0]
    for letter in "cout":
        screen.type(letter)
        screen.settle(seconds=0.15)
    screen.type("\x1b[D")  # one to the left, and the letter that is missing
    screen.settle(seconds=0.3)
    screen.type("n")
    screen.settle(seconds=0.3)
    assert screen.rows[row] == "> count"
    screen.see(lambda screen: screen.cursor == (row, 6))
    screen.type("\r")
    screen.see("\n20\n")
    assert leave(screen) == 0


def test_a_long_line_that_is_typed_wraps_above_the_picture(open_screen):
    screen = open_screen(lines=24)
    screen.see("bolt stands still")
    screen.see(at_prompt)
    screen.type("count " * 60)
    screen.settle()
    assert screen.rows[14].startswith("┌───")
    assert sum(row.count("count") for row in screen.rows[:14]) >= 50
    screen.type("\x15count\r")
    screen.see("\n20\n")
    assert leave(screen) == 0


def test_the_talk_scrolls_above_the_picture_and_into_the_terminals_history(open_screen):
    screen = open_screen(lines=24)
    screen.see("bolt stands still")
    screen.see(at_prompt)
    for _ in range(3):
        screen.type("count\r")
        screen.settle(seconds=0.2)
        screen.see(at_prompt)
    assert screen.rows[14].startswith("┌───")
    assert screen.rows[12:14] == ["20", ">"]
    told = [*screen.history, *screen.rows]
    assert [told.count(str(number)) for number in range(1, 21)] == [3] * 20
    assert not [row for row in screen.history if "│  " in row or "┌──" in row]
    assert leave(screen) == 0


@pytest.mark.parametrize("columns, lines", [(60, 36), (80, 20), (40, 10)])
def test_where_a_picture_has_no_room_there_is_one_line(open_screen, columns, lines):
    screen = open_screen(columns=columns, lines=lines)
    screen.see("bolt stands still")
    assert screen.rows[-1] == "bolt stands still, at (0, 0) cm, heading 0°"[: columns - 1]
    assert "┌" not in screen.text
    assert leave(screen) == 0


def test_where_there_is_no_room_at_all_there_is_nothing(open_screen):
    screen = open_screen(lines=7)
    screen.see(at_prompt)
    screen.settle()
    assert "stands still" not in screen.text
    assert screen.margins is None
    assert leave(screen) == 0


def test_a_terminal_that_changes_its_size_is_drawn_anew(open_screen):
    screen = open_screen(lines=24)
    screen.see("bolt stands still")
    screen.see(at_prompt)
    screen.type("hel")
    screen.settle(seconds=0.2)
    for columns, lines, top in [(100, 40, 26), (80, 24, 14), (80, 30, 18)]:
        screen.resize(columns, lines)
        screen.see(lambda screen, top=top: screen.rows[top].startswith("┌───"))
        screen.settle()
        assert screen.text.count("┌─") == 1
        assert screen.text.count("> hel") == 1
    screen.resize(50, 20)
    screen.see(lambda screen: screen.rows[19].startswith("bolt stands still"))
    screen.settle()
    assert "┌" not in screen.text
    screen.type("\x15count\r")
    screen.see("\n20\n")
    assert leave(screen) == 0


def test_without_colours_characters_do(open_screen):
    screen = open_screen(variables={"NO_COLOR": "1"})
    screen.see("bolt stands still")
    screen.see(at_prompt)
    screen.type("right\r")
    screen.see("██")
    screen.see("at (80, 0) cm")
    drawn = screen.raw[screen.raw.rindex("┌──".encode()) :]
    assert not re.search(rb"\x1b\[[0-9;]*[1-9][0-9;]*m", drawn)
    assert leave(screen) == 0


@pytest.mark.parametrize(
    "variables", [{"TERM": "dumb"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_a_terminal_that_cannot_show_it_shows_nothing(open_screen, variables):
    screen = open_screen(variables=variables)
    screen.see(at_prompt)
    screen.settle()
    assert "stands still" not in screen.text
    assert b"\x1b[1;" not in screen.raw
    assert leave(screen) == 0


def test_a_pipe_gets_no_picture_and_the_body_may_come_to_rest(ball):
    done = ball.run("console", "ball.py", typed="right\n")
    assert (done.status, done.out.strip()) == (0, "To the right.")
    assert "\x1b" not in done.out + done.err
    assert "stands still" not in done.out + done.err


def test_an_agent_without_a_body_has_the_whole_terminal(open_screen, ball):
    ball.write(
        "foo.rehearsal.yaml",
        "version: 1\nscenes:\n- {id: hi, when: [hi], rounds: [{say: Hi.}]}\notherwise: {say: What?}\n",
    )
    screen = open_screen(words=("console", "foo.py"))
    screen.see(at_prompt)
    screen.settle()
    assert b"\x1b7" not in screen.raw
    assert leave(screen) == 0


def test_ctrl_c_at_the_prompt_stops_the_body(open_screen):
    screen = open_screen()
    screen.see(at_prompt)
    screen.type("spin\r")
    screen.see("bolt spins")
    screen.see(at_prompt)
    screen.type("\x03")
    screen.see("Stopped what moved. Ctrl-D leaves.")
    screen.see("bolt stands still")
    assert leave(screen) == 0


def test_ctrl_c_in_a_turn_stops_the_body_as_well(open_screen):
    screen = open_screen()
    screen.see(at_prompt)
    screen.type("dance\r")
    screen.see("bolt spins")
    screen.type("\x03")
    screen.see("Stopped; the turn is kept")
    screen.see("bolt stands still")
    assert leave(screen) == 0


def test_at_the_end_the_terminal_is_as_it_was(open_screen):
    screen = open_screen()
    screen.see("bolt stands still")
    screen.see(at_prompt)
    screen.type("right\r")
    screen.see("at (80, 0) cm")
    assert screen.margins is not None
    assert leave(screen) == 0
    assert screen.margins is None
    assert not re.search("[┌└│→]", screen.text.split("thread: ")[-1])
    assert "go on with --thread t1" in screen.text
    assert screen.cursor[1] == 0
    assert screen.raw.rstrip().endswith(b"t1")


def test_a_process_that_is_told_to_end_gives_the_terminal_back(open_screen):
    screen = open_screen()
    screen.see("bolt stands still")
    screen.see(at_prompt)
    os.kill(screen.pid, signal.SIGTERM)
    assert screen.wait() == 143
    assert screen.margins is None
    assert "stands still" not in screen.text


def test_a_crash_gives_the_terminal_back(open_screen, ball):
    screen = open_screen()
    screen.see("bolt stands still")
    screen.see(at_prompt)
    database = ball.workspace / "runtime" / "ghostos.db"
    database.write_bytes(b"no database any more")
    for name in ("ghostos.db-wal", "ghostos.db-shm"):
        (ball.workspace / "runtime" / name).unlink(missing_ok=True)
    screen.type("/threads\r")
    screen.settle(seconds=2)
    screen.type("\x04")
    screen.wait()
    assert screen.margins is None
    assert "bolt stands still" not in screen.text


def test_texts_of_a_drawing_cannot_steer_the_terminal():
    line = (Span("a\x1b[2J", (255, 0, 0)), Span("\u202eb"))
    assert to_ansi(line, depth=8) == "\x1b[38;5;196ma\\x1b[2J\x1b[0m\\u202eb"
    assert to_ansi(line, depth=24).startswith("\x1b[38;2;255;0;0ma")
    assert to_ansi(line, depth=0) == "a\\x1b[2J\\u202eb"
