"""Rehearsals: the file, what answers what, and that a restart changes nothing."""

import sys
from pathlib import Path

import pytest

from ghostos.core.prompt import ModelDelta, Prompt, PromptMessage
from ghostos.drivers.models.rehearsal import (
    Rehearsal,
    RehearsalModel,
    check_rehearsal,
    find_rehearsal,
    load_rehearsal,
)
from ghostos.drivers.models.rehearsal_file import read_rehearsal
from ghostos.errors import ConfigError

SHOP = """\
version: 1
scenes:
  - id: hello
    when: [hello, "Good day!"]
    rounds:
      - say: Hello. I keep a shop.
  - id: order
    when: ["Order two pens", "/order .* pens/"]
    rounds:
      - say: Let me look.
        code: |
          print(moss.shop.stock("pen"))
        expect: "12"
      - code: moss.shop.order("pen", 2)
      - say: Two pens are ordered.
  - id: cancel
    when: [cancel my order]
    needs: [order]
    rounds:
      - say: It is cancelled.
  - id: hello-again
    when: [hello]
    needs: [order]
    rounds:
      - say: Hello again.
otherwise:
  say: I keep to my script.
  offer: [order two pens, Hello!]
"""
LOOK = 'Let me look.\n\n<moss>\nprint(moss.shop.stock("pen"))\n</moss>'
ORDER = '<moss>\nmoss.shop.order("pen", 2)\n</moss>'
ORDERED = "Two pens are ordered."
STATE = '<moss-state time="12:00">nothing</moss-state>'
HONEST = "This is a rehearsal: nothing reads what you write, only recorded phrases are answered."


def output(text: str, status: str = "ok") -> str:
    return f'<moss-output status="{status}">\n{text}\n</moss-output>'


@pytest.fixture
def shop(tmp_path: Path) -> Rehearsal:
    return load_rehearsal(write(tmp_path, SHOP))


def write(folder: Path, text: str) -> Path:
    path = folder / "shop.rehearsal.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def say(rehearsal: Rehearsal, *texts: str) -> str:
    """Return the reply to a thread that alternates between what the user (or code) and the rehearsal said."""
    roles = ("user", "assistant")
    thread = [PromptMessage(roles[number % 2], text) for number, text in enumerate(texts)]
    return rehearsal.reply([PromptMessage("system", "hello"), *thread])


@pytest.mark.parametrize("text", ["hello", "  HELLO!! ", "Hello, you there", "good   day", "why, Good day to you"])
def test_phrase_is_heard_exactly_or_as_words_in_a_row(shop, text):
    assert say(shop, text) == "Hello. I keep a shop."


@pytest.mark.parametrize("text", ["hell", "othello", "day good", "", "?!"])
def test_parts_of_words_and_other_orders_are_not_heard(shop, text):
    assert HONEST in say(shop, text)


def test_pattern_is_heard_where_no_phrase_is(shop):
    assert say(shop, "Could you order some nice PENS for me?") == LOOK


def test_longest_phrase_wins_over_shorter_ones(shop):
    assert say(shop, "hello, order two pens please") == LOOK


def test_rounds_follow_the_outputs_of_their_code(shop):
    assert say(shop, "order two pens") == LOOK
    assert say(shop, "order two pens", LOOK, output("12")) == ORDER
    assert say(shop, "order two pens", LOOK, output("12"), ORDER, output("")) == ORDERED


def test_scene_stops_and_says_so_when_the_output_is_another(shop):
    stopped = say(shop, "order two pens", LOOK, output("0"))
    assert stopped == "The rehearsal stops here: it was recorded with an output that has '12' in it; this one has not."
    assert say(shop, "order two pens", LOOK, output("0"), stopped, "hello") == "Hello. I keep a shop."


def test_expectation_is_about_the_output_and_not_its_mark(tmp_path):
    text = SHOP.replace('expect: "12"', "expect: ok")
    assert "stops here" in say(load_rehearsal(write(tmp_path, text)), "order two pens", LOOK, output("none"))


@pytest.mark.parametrize("status", ["error", "rejected", "interrupted"])
def test_scene_without_expectation_stops_when_its_code_did_not_run(shop, status):
    stopped = say(shop, "order two pens", LOOK, output("12"), ORDER, output("no", status))
    assert f"the status is '{status}'" in stopped
    assert ORDERED not in stopped


def test_recorded_failure_goes_on_where_it_is_expected(shop):
    assert say(shop, "order two pens", LOOK, output("12 is too few", "error")) == ORDER


def test_scene_that_needs_another_plays_only_after_all_of_it(shop):
    thread = ["order two pens", LOOK, output("12"), ORDER, output(""), ORDERED]
    assert HONEST in say(shop, "cancel my order")
    assert HONEST in say(shop, *thread[:2], "cancel my order")
    assert say(shop, *thread, "cancel my order") == "It is cancelled."
    assert say(shop, *thread, "hello") == "Hello again."


def test_output_after_the_last_round_ends_the_scene(tmp_path):
    text = SHOP.replace("say: It is cancelled.", "code: print(1)").replace("needs: [order]", "needs: []", 1)
    rehearsal = load_rehearsal(write(tmp_path, text))
    shown = say(rehearsal, "cancel my order")
    assert say(rehearsal, "cancel my order", shown, output("1")) == "The recorded scene ends here."


def test_what_changes_between_rounds_is_not_heard(shop):
    thread = [PromptMessage("user", "order two pens"), PromptMessage("user", STATE)]
    assert shop.reply(thread) == LOOK
    assert (
        shop.reply([thread[0], PromptMessage("assistant", LOOK), PromptMessage("user", output("12")), thread[1]])
        == ORDER
    )


def test_what_the_user_allowed_is_not_heard_as_a_phrase(shop):
    allowed = "<moss-approval>\nThe user has allowed reading /srv/hello, until this turn ends.\n</moss-approval>"
    thread = [PromptMessage("user", "order two pens"), PromptMessage("assistant", LOOK)]
    thread += [PromptMessage("user", output("12")), PromptMessage("user", allowed)]
    assert shop.reply(thread) == ORDER


def test_reply_of_several_messages_counts_once(shop):
    thread = [
        PromptMessage("user", "order two pens"),
        PromptMessage("assistant", "Let me look."),
        PromptMessage("assistant", "print(1)"),
        PromptMessage("user", output("12")),
    ]
    assert shop.reply(thread) == ORDER


def test_last_of_several_inputs_is_answered(shop):
    assert (
        shop.reply([PromptMessage("user", "order two pens"), PromptMessage("user", "hello")]) == "Hello. I keep a shop."
    )


def test_unknown_input_is_declined_honestly_with_phrases_that_work(shop):
    declined = say(shop, "What do you think of Spinoza?")
    assert declined == f"I keep to my script.\n\n{HONEST} Try one of these:\n- order two pens\n- Hello!"
    for line in declined.splitlines()[-2:]:
        assert HONEST not in say(shop, line.removeprefix("- "))


def test_at_most_five_phrases_are_offered_and_none_that_needs_more(tmp_path):
    scenes = "".join(f"  - {{id: s{n}, when: [phrase {n}], rounds: [{{say: x}}]}}\n" for n in range(9))
    late = "  - {id: late, when: [late], needs: [s0], rounds: [{say: x}]}\n"
    rehearsal = load_rehearsal(write(tmp_path, f"version: 1\nscenes:\n{scenes}{late}"))
    assert rehearsal.phrases() == [f"phrase {n}" for n in range(5)]
    assert "late" in say(rehearsal, *[x for n in range(9) for x in (f"phrase {n}", "x")], "what?")


def nine_scenes(folder: Path, *, otherwise: str = "{}") -> Rehearsal:
    """Scenes s0 to s8, two more that need s0, and `stuck`, which stops after its first round."""
    scenes = "".join(f"  - {{id: s{n}, when: [phrase {n}, say {n}], rounds: [{{say: x}}]}}\n" for n in range(9))
    late = "  - {id: late, when: [late], needs: [s0], rounds: [{say: x}]}\n"
    again = "  - {id: again, when: [phrase 0], needs: [s0], rounds: [{say: x}]}\n"
    stuck = "  - {id: stuck, when: [stuck], rounds: [{code: print(1), expect: '2'}, {say: x}]}\n"
    return load_rehearsal(write(folder, f"version: 1\nscenes:\n{scenes}{late}{again}{stuck}otherwise: {otherwise}\n"))


def offered(rehearsal: Rehearsal, *texts: str) -> list[str]:
    """Return what is offered to a thread in which the user said these, each answered, and then what is unknown."""
    said = [text for phrase in texts for text in (phrase, "x")]
    declined = say(rehearsal, *said, "what?")
    assert HONEST in declined
    shown = [line.removeprefix("- ") for line in declined.splitlines() if line.startswith("- ")]
    roles = ("user", "assistant")
    thread = [PromptMessage(roles[number % 2], text) for number, text in enumerate([*said, "what?", declined])]
    assert rehearsal.phrases_for(thread) == rehearsal.phrases_for(thread[:-1]) == shown
    return shown


def test_phrases_of_scenes_that_were_played_make_room_for_others(tmp_path):
    rehearsal = nine_scenes(tmp_path, otherwise="{offer: [phrase 7, say 2]}")
    assert rehearsal.phrases() == offered(rehearsal) == ["phrase 7", "say 2", "phrase 0", "phrase 1", "phrase 3"]
    assert offered(rehearsal, "say 7", "phrase 1") == ["say 2", "phrase 0", "phrase 3", "phrase 4", "phrase 5"]


def test_phrases_of_scenes_whose_needs_are_met_now_are_offered(tmp_path):
    rehearsal = nine_scenes(tmp_path)
    assert "late" not in offered(rehearsal, *(f"phrase {n}" for n in range(1, 9)))
    assert "late" in offered(rehearsal, *(f"phrase {n}" for n in range(9)))


def test_phrase_that_another_scene_answers_now_is_offered_for_that_one(tmp_path):
    rehearsal = nine_scenes(tmp_path)
    shown = offered(rehearsal, *(f"phrase {n}" for n in range(8)))
    assert shown[:4] == ["phrase 0", "phrase 8", "late", "stuck"]
    assert "phrase 0" not in offered(rehearsal, "phrase 0", "phrase 0")


def test_where_all_was_played_what_was_played_longest_ago_is_offered(tmp_path):
    rehearsal = nine_scenes(tmp_path)
    everything = [*(f"phrase {n}" for n in range(9)), "phrase 0", "late", "stuck"]
    assert offered(rehearsal, *everything) == ["say 0", "phrase 1", "phrase 2", "phrase 3", "phrase 4"]
    assert offered(rehearsal, *everything, "say 0") == [f"phrase {n}" for n in range(1, 6)]


def test_scene_that_stopped_is_offered_after_those_that_never_began(tmp_path):
    rehearsal = nine_scenes(tmp_path, otherwise="{offer: [stuck]}")
    stopped = say(rehearsal, "stuck", "x", output("1"))
    assert "stops here" in stopped
    declined = say(rehearsal, "stuck", "x", output("1"), stopped, "what?")
    assert declined.endswith("".join(f"\n- phrase {n}" for n in range(5)))


async def test_reply_streams_word_by_word_and_ends(shop):
    model = RehearsalModel(shop, delay_s=0)
    deltas = [delta async for delta in model.stream(Prompt(messages=[PromptMessage("user", "hello")]))]
    assert [delta.text for delta in deltas] == ["Hello.", " I", " keep", " a", " shop.", ""]
    assert deltas[-1] == ModelDelta(kind="done")
    assert (model.label, model.is_rehearsal) == ("rehearsal", True)


async def test_code_streams_unchanged(shop):
    model = RehearsalModel(shop, delay_s=0)
    deltas = [delta async for delta in model.stream(Prompt(messages=[PromptMessage("user", "order two pens")]))]
    assert "".join(delta.text for delta in deltas) == LOOK


PROBLEMS: list[tuple[str, str, str, str]] = [
    ("version", "version: 1", "version: 2", "line 1: version: Input should be 1"),
    ("field", "needs: [order]\n    rounds:\n      - say: It", "need: [order]\n    rounds:\n      - say: It",
     "line 18: scenes.2.need: Extra inputs are not permitted"),
    ("word of YAML", "[cancel my order]", "[yes]", "line 17: scenes.2.when.0: Input should be a valid string"),
    ("no words", "[cancel my order]", "['?!']", "'?!' has no word in it"),
    ("pattern", "[cancel my order]", "['/(/']", "/(/ is no regular expression"),
    ("needs", "needs: [order]", "needs: [odrer]", "scene 'cancel' needs 'odrer', and no scene before it has that id"),
    ("id twice", "id: cancel", "id: order", "two scenes have the id 'order'"),
    ("silent round", "say: It is cancelled.", "say: ' '", "line 20: scenes.2.rounds.0: a round says something"),
    ("expectation", "say: It is cancelled.", "{say: x, expect: y}", "'expect' is about the output of 'code'"),
    ("marks", "say: It is cancelled.", "code: <moss>print(1)</moss>", "leave them out"),
    ("no way on", '- code: moss.shop.order("pen", 2)', "- say: Wait.", "round 2 has no code"),
    ("offer", "Hello!]", "Sing!]", "no scene answers the phrase 'Sing!'"),
    ("key twice", "    when: [cancel", "    id: x\n    when: [cancel", "line 17: 'id' occurs twice"),
    ("depth", "version: 1", "version: " + 100_000 * "[", "line 1: it is nested too deeply"),
    ("tag", "[cancel my order]", "[!!timestamp 2024-13-45]", "line 17: tags have no meaning here: tag:yaml.org"),
    ("digits", "version: 1", "version: 0b_", "line 1: version: Input should be 1"),
    ("syntax", "scenes:", "scenes: ]", "line 2: "),
    ("python", "say: It is cancelled.", "say: !!python/object/apply:os.getcwd []", "tags have no meaning here"),
    ("nothing", SHOP, "", "line 1: Input should be a valid dictionary"),
    ("control character", "version", "\x00version", "it is no YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
def test_problem_of_a_file_is_told_with_its_line(tmp_path, old, new, says):
    assert old in SHOP
    path = write(tmp_path, SHOP.replace(old, new, 1))
    problems = check_rehearsal(path)
    assert any(problem.startswith("shop.rehearsal.yaml") and says in problem for problem in problems), problems
    with pytest.raises(ConfigError, match=r"shop\.rehearsal\.yaml"):
        load_rehearsal(path)


def test_date_is_a_phrase_like_any_other(tmp_path):
    path = tmp_path / "shop.rehearsal.yaml"
    path.write_text(SHOP.replace("[cancel my order]", "[2024-13-45, 1.5]"))
    assert read_rehearsal(path).scenes[2].when == ["2024-13-45", "1.5"]


def test_all_problems_are_listed_and_a_good_file_has_none(tmp_path):
    assert check_rehearsal(write(tmp_path, SHOP)) == []
    text = SHOP.replace("say: It is cancelled.", "sey: x").replace("say: Hello again.", "sey: y")
    assert len(check_rehearsal(write(tmp_path, text))) == 2
    with pytest.raises(ConfigError, match="and 1 more"):
        load_rehearsal(tmp_path / "shop.rehearsal.yaml")


@pytest.mark.parametrize("content", [b"\xff\xfe\xff", None], ids=["not text", "missing"])
def test_file_that_cannot_be_read_is_a_problem(tmp_path, content):
    path = tmp_path / "shop.rehearsal.yaml"
    if content is not None:
        path.write_bytes(content)
    assert "cannot be read" in check_rehearsal(path)[0]


def test_alias_to_itself_is_a_problem_and_no_endless_loop(tmp_path):
    assert check_rehearsal(write(tmp_path, "version: 1\nscenes: &a\n  - *a\n"))


def test_rehearsal_lies_beside_the_target_that_is_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "stand" / "deep"
    package.mkdir(parents=True)
    (tmp_path / "stand" / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "shop.py").write_text("raise SystemExit('imported')")
    (package / "bare.py").write_text("")
    rehearsal = write(package, SHOP)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert find_rehearsal("stand.deep.shop") == rehearsal
    assert find_rehearsal(str(package / "shop.py")) == rehearsal
    assert not {"stand", "stand.deep"} & sys.modules.keys()
    for nothing in ("stand.deep.bare", "stand.deep", "stand.other.shop", "sys", "python:shop", "no_such", ""):
        assert find_rehearsal(nothing) is None
