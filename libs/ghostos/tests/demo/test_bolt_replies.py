"""What language models answered that were given nothing but the ball's prompt: run, and judged by what the ball did."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ghostos.bootstrap import make_app_container
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model

from .bolt_stage import Seen, open_stage

DATA = Path(__file__).parent / "data"
REPLIES = DATA / "bolt_replies"
GIVEN: dict[str, Any] = yaml.safe_load((DATA / "bolt_requests.yaml").read_text(encoding="utf-8"))
REQUESTS: list[dict[str, Any]] = GIVEN["requests"]
MISSED: dict[str, str] = GIVEN["missed"]
"""Replies that do something else than was asked, by their path, and what is wrong with them."""

DARK = "\n".join(["........"] * 8)
NO_CODE = "Done."
RANGES = ("length", "looked", "duration_s", "collisions")
REFINED = {"within": "moved", "flashes": "face", "code_has": "learned"}
"""What only says more of something else."""
OUTCOMES = {"moved", "size", "face", "lit_at_end", "learned", *RANGES}


def check_outcome(outcome: dict[str, Any]) -> None:
    """See that an outcome asks for something, and for nothing that is not known."""
    if not outcome.keys() & OUTCOMES:
        raise ValueError("An outcome says at least one thing that must come of a request.")
    if unknown := outcome.keys() - OUTCOMES - REFINED.keys():
        raise ValueError(f"Nothing is known of {', '.join(sorted(unknown))} in an outcome.")
    if alone := {name for name in outcome.keys() & REFINED.keys() if REFINED[name] not in outcome}:
        raise ValueError(f"In an outcome {', '.join(sorted(alone))} says nothing alone.")
    if empty := {name for name in ("face", "learned", "code_has") if not outcome.get(name, "x")}:
        raise ValueError(f"In an outcome {', '.join(sorted(empty))} is empty.")


def check(seen: Seen, outcome: dict[str, Any]) -> None:
    """Compare what was seen with what must come of a request."""
    check_outcome(outcome)
    errors = [text for status, text in seen.turn.outputs if status != "ok"]
    assert not errors, errors[0]
    if "moved" in outcome:
        assert seen.moved == pytest.approx(outcome["moved"], abs=outcome.get("within", 2))
    if "size" in outcome:
        assert seen.size == pytest.approx(outcome["size"], abs=5)
    for name in RANGES:
        least, most = outcome.get(name, (0, 1e9))
        assert least <= getattr(seen, name) <= most, name
    assert "lit_at_end" not in outcome or (seen.pictures[-1] != DARK) == outcome["lit_at_end"]
    assert set(outcome.get("learned", ())) <= set(seen.learned)
    for name in outcome.get("learned", ()):
        assert all(f".{text}(" in seen.codes[name] for text in outcome.get("code_has", ()))
    if "face" in outcome:
        fitting = [picture for picture in seen.pictures if set(picture) - set(".\n") == set(outcome["face"])]
        assert len(fitting) >= outcome.get("flashes", 1)


def play(workspace: Path, request: dict[str, Any], *replies: str) -> Seen:
    """Let a model give these replies to a request, and whatever comes back to it then be answered without code."""
    model = ScriptedModel([*replies, *[NO_CODE] * 3])
    container = make_app_container(workspace, providers=[use_model(model)])
    try:
        with open_stage(container) as stage:
            return stage.play(request["say"])
    finally:
        container.shutdown()


def list_replies():
    """Each request that was answered, with all rounds of its turn; those that missed are known."""
    found = []
    for path in sorted(REPLIES.rglob("??.md")):
        rounds = [path, *sorted(path.parent.glob(f"{path.stem}-*.md"))]
        name = path.relative_to(REPLIES).as_posix()
        marks = [pytest.mark.xfail(reason=MISSED[name], strict=True)] if name in MISSED else []
        texts = [each.read_text(encoding="utf-8") for each in rounds]
        found.append(pytest.param(REQUESTS[int(path.stem) - 1], texts, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("request_", "texts"), list_replies())
def test_the_reply_of_a_model_does_what_was_asked(no_keys, tmp_path, request_, texts):
    check(play(tmp_path, request_, *texts), request_["outcome"])


def check_answered(answered: Sequence[str], *, missed: Collection[str]) -> None:
    """See that each request was answered, and nine of ten answers do what was asked."""
    assert {Path(name).stem for name in answered} == {f"{number:02}" for number in range(1, len(REQUESTS) + 1)}
    assert set(missed) <= set(answered)
    assert len(missed) <= len(answered) / 10


def test_nine_of_ten_do_what_was_asked_at_the_first_attempt():
    assert len(REQUESTS) == 10
    check_answered([path.relative_to(REPLIES).as_posix() for path in REPLIES.rglob("??.md")], missed=MISSED)


TEN = [f"{number:02}.md" for number in range(1, 11)]


@pytest.mark.parametrize(
    ("answered", "missed"), [([], []), (TEN[:9], []), ([*TEN, "11.md"], []), (TEN, TEN[:2]), (TEN, ["12.md"])]
)
def test_requests_without_replies_are_not_taken_for_answered(answered, missed):
    with pytest.raises(AssertionError):
        check_answered(answered, missed=missed)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({}, "at least one thing"),
        ({"within": 3}, "at least one thing"),
        ({"moves": [0, 0], "length": [0, 1]}, "Nothing is known of moves"),
        ({"moved": [0, 0], "flashes": 3}, "flashes says nothing alone"),
        ({"learned": []}, "learned is empty"),
        ({"moved": [0, 0], "face": ""}, "face is empty"),
    ],
)
def test_an_outcome_that_asks_for_nothing_is_refused(outcome, said):
    with pytest.raises(ValueError, match=said):
        check_outcome(outcome)


@pytest.mark.parametrize("number", range(len(REQUESTS)), ids=[request["say"][:40] for request in REQUESTS])
def test_each_request_can_be_met(no_keys, tmp_path, number):
    request = REQUESTS[number]
    check(play(tmp_path, request, f"<moss>\n{request['solution']}</moss>"), request["outcome"])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(REQUESTS)))
def test_a_reply_that_does_nothing_is_not_taken_for_right(no_keys, tmp_path, number):
    request = REQUESTS[number]
    with pytest.raises(AssertionError):
        check(play(tmp_path, request, "I would rather not."), request["outcome"])
