"""What code must not be able to do, tried in every way in which code runs; and each attack works unconfined.

By default a tenth is tried; GHOSTOS_TEST_WHOLE=1 tries everything.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from _pytest.mark import ParameterSet
from tests.abuse.attacks_files import FILES
from tests.abuse.attacks_floods import FLOODS
from tests.abuse.attacks_hangs import HANGS
from tests.abuse.attacks_network import NETWORK
from tests.abuse.attacks_processes import PROCESSES
from tests.abuse.harness import (
    MAX_GROWTH_BYTES,
    MAX_TEXT,
    USER,
    Attack,
    Outcome,
    Scene,
    Way,
    await_none,
    find_children,
    run_by_command,
    run_by_ghost,
    run_control,
    run_directly,
)

from ghostos_moss import ProcessExecutor

ATTACKS = (*FILES, *NETWORK, *PROCESSES, *HANGS, *FLOODS)
IS_WHOLE = os.environ.get("GHOSTOS_TEST_WHOLE") == "1"
ONE_OF_EACH = ("read the workspace's keys",)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def attacks(way: Way | None) -> list[ParameterSet]:
    """Those that are tried in one way; None: as controls."""
    chosen = [each for each in ATTACKS if way is None or way in each.ways]
    if not IS_WHOLE:
        step = {"direct": 10, None: 20}.get(way, 0)
        chosen = chosen[::step] if step else [each for each in chosen if each.name in ONE_OF_EACH]
    return [pytest.param(each, id=each.name) for each in chosen]


def assert_harmless(attack: Attack, scene: Scene, outcome: Outcome) -> None:
    """The effect is not there, and no other one either."""
    assert not attack.effect(scene, outcome), (outcome.status, outcome.output[:2000], outcome.grown_bytes)
    assert outcome.status in ("ok", "error", "interrupted"), outcome.output[:2000]
    assert scene.look() == scene.before
    assert scene.victim.poll() is None
    assert not scene.signalled.exists()
    assert len(outcome.output) <= MAX_TEXT
    assert outcome.grown_bytes <= MAX_GROWTH_BYTES


def test_names_are_different_and_every_class_has_its_attacks():
    assert len({each.name for each in ATTACKS}) == len(ATTACKS)
    assert len(ATTACKS) >= 60
    assert min(map(len, (FILES, NETWORK, PROCESSES, HANGS, FLOODS))) >= 3


@pytest.mark.parametrize("attack", attacks("direct"))
def test_code_of_a_session_cannot(executor: ProcessExecutor, scene: Scene, attack: Attack):
    with scene.knocking():
        outcome = run_directly(executor, attack, scene)
    assert_harmless(attack, scene, outcome)


@pytest.mark.parametrize("attack", attacks("command"))
def test_code_of_a_command_cannot(scene: Scene, users_scene: Scene | None, attack: Attack):
    """As the user that runs the tests and, where that is root, as an ordinary one, too; both at once."""
    scenes = [scene] if users_scene is None else [scene, users_scene]
    before = find_children()
    with ThreadPoolExecutor() as pool:
        outcomes = [*pool.map(partial(run_by_command, attack), scenes)]
    await_none(lambda: find_children() - before)
    for each, outcome in zip(scenes, outcomes, strict=True):
        assert_harmless(attack, each, outcome)


def test_an_ordinary_user_can_run_commands_here(users_own_scene: Scene):
    harmless = Attack(name="compute", code="print(plus(2, 3), os.getuid())", effect=lambda scene, outcome: False)
    outcome = run_by_command(harmless, users_own_scene)
    assert (outcome.status, outcome.output.split("\n")[0]) == ("ok", f"5 {USER}"), outcome.output


@pytest.mark.parametrize("attack", attacks("ghost"))
def test_code_of_a_model_cannot(scene: Scene, attack: Attack):
    with scene.knocking():
        outcome = run_by_ghost(attack, scene)
    assert_harmless(attack, scene, outcome)


@pytest.mark.parametrize("attack", attacks(None))
def test_unconfined_code_can(scene: Scene, attack: Attack):
    outcome = run_control(attack, scene)
    if not (attack.control_effect or attack.effect)(scene, outcome):
        if attack.unless_control:
            pytest.skip(f"{attack.unless_control}: {outcome.output[-300:]}")
        raise AssertionError(outcome)
