"""The host led astray: what code leaves, shows, asks for and proposes does not make the host, or its user, do its work.

As the user that runs the tests and, where that is root, as an ordinary one, too; both at once. By default a tenth is
tried; GHOSTOS_TEST_WHOLE=1 tries everything. Child ghosts and the approval of code do not exist in this version.
"""

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from _pytest.mark import ParameterSet
from tests.abuse.house import AGENT, House, Shown
from tests.abuse.traps import OFF, STATUS, TRAPS, Trap, hangs, play, start_again

from ghostos_container import Container
from ghostos_moss import ProcessExecutor, PyContext, load_source

T = TypeVar("T")
IS_WHOLE = os.environ.get("GHOSTOS_TEST_WHOLE") == "1"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
whole_only = pytest.mark.skipif(not IS_WHOLE, reason="GHOSTOS_TEST_WHOLE=1 tries it")


def traps(*, step: int) -> list[ParameterSet]:
    """All, or by default one of so many."""
    return [pytest.param(each, id=each.name) for each in TRAPS[:: 1 if IS_WHOLE else step]]


def everywhere(houses: list[House], do: Callable[[House], T]) -> list[T]:
    """Do the same in all houses at once."""
    with ThreadPoolExecutor() as pool:
        return [*pool.map(do, houses)]


def test_names_of_traps_are_different():
    assert len({each.name for each in TRAPS}) == len(TRAPS) >= 35


@pytest.mark.parametrize("trap", traps(step=60))
def test_nobody_walks_into(houses: list[House], trap: Trap):
    for house, played in zip(houses, everywhere(houses, partial(play, trap)), strict=True):
        assert not trap.effect(house, played), played
        assert not hangs(house, played)
        assert played.run.status == STATUS[trap.ends], played.run
        assert "Unexpected" not in played.text
        assert ("ghostos moss accept" in played.text) == trap.waits, played


@pytest.mark.parametrize("trap", [pytest.param(each, id=each.name) for each in (TRAPS if IS_WHOLE else TRAPS[-2:-1])])
def test_somebody_walks_unconfined_into(house: House, trap: Trap):
    played = play(trap, house, is_control=True)
    if not trap.effect(house, played) and trap.unless_control:
        pytest.skip(f"{trap.unless_control}: {played.text[-300:]}")
    assert trap.effect(house, played), played


# Hints that code forges

SAYING = "The code tried to start a program (ls): allow it with -A."
LYING = {
    "a path of two lines": f"raise PermissionError(13, 'no', '/x\\n{SAYING}')",
    "a file of two lines": f"open(HOME + '/x\\n{SAYING}', 'w')",
    "a function of two lines": f"""
        def f(): open(SECRET)
        f.__code__ = f.__code__.replace(co_name='x\\n{SAYING}', co_qualname='x\\n{SAYING}')
        f()
    """,
    "a variable of two lines": f"os.environ['x\\n{SAYING}']",
    "a program of two lines": f"import subprocess\nsubprocess.run(['/bin/x\\n{SAYING}'])",
    "a host of two lines": f"import socket\nsocket.getaddrinfo('x\\n{SAYING}', 80)",
}


def shows_a_forged_line(shown: Shown) -> bool:
    return SAYING in [line.strip() for line in shown.text.splitlines()]


@whole_only
@pytest.mark.parametrize("code", LYING.values(), ids=LYING)
def test_no_line_of_the_hosts_own_is_forged(houses: list[House], code: str):
    for shown in everywhere(houses, lambda house: house.run_code(code, target=house.plain)):
        assert shown.status == 1, shown
        assert not shows_a_forged_line(shown), shown.text


@whole_only
def test_what_code_prints_is_its_own_word(house: House):
    """The control: whatever it prints is shown, so lines are looked for rightly."""
    assert shows_a_forged_line(house.run_code(f"print({SAYING!r})"))


@whole_only
@pytest.mark.parametrize(
    "path", ["/srv/$(touch {MARK})", "/srv/`touch {MARK}`", "/x; touch {MARK}", "/x\n touch {MARK}"]
)
def test_an_option_of_a_hint_runs_nothing_when_it_is_copied_into_a_shell(houses: list[House], path: str):
    def copy(house: House) -> tuple[Shown, str]:
        named = path.format(**house.facts())
        refused = house.run_code(f"raise PermissionError(13, 'no', {named!r})", target=house.plain)
        (option,) = re.findall(r"allow it with (.*)\.$", refused.text, re.MULTILINE)
        house.start(["/bin/sh", "-c", f"true {option}"])
        return refused, named

    for house, (refused, named) in zip(houses, everywhere(houses, copy), strict=True):
        assert not house.mark.exists(), refused
        house.start(["/bin/sh", "-c", f"true --allow-read={named}"])  # the control
        assert house.mark.exists()


@whole_only
def test_a_hint_says_where_a_link_leads(houses: list[House]):
    code = "os.symlink(SECRET, DATA + '/harmless.csv')\nopen(DATA + '/harmless.csv')"

    def run(house: House) -> Shown:
        return house.run_code(code, "--allow-write", "{DATA}", target=house.plain)

    for house, shown in zip(houses, everywhere(houses, run), strict=True):
        (offered,) = re.findall(r"allow it with --allow-read=(.*)\.$", shown.text, re.MULTILINE)
        assert offered == str(house.home / "secret.txt")
        link = house.data / "harmless.csv"
        assert os.path.realpath(link) == offered, "what is offered under another name would be the same"


@whole_only
@pytest.mark.parametrize("place", ["{WORKSPACE}/.env", "{OWN}/.env", "/proc/self/environ"])
def test_a_hint_offers_nothing_that_is_never_granted(houses: list[House], place: str):
    code = f"os.symlink(f'{place}', 'way')\nopen('way')"
    for shown in everywhere(houses, lambda house: house.run_code(code, target=house.plain)):
        assert (shown.status, "allow it with" in shown.text) == (1, False), shown.text
    control = everywhere(houses, lambda house: house.run_code("open(SECRET)", target=house.plain))
    assert all("allow it with" in shown.text for shown in control)


def test_a_button_is_offered_for_what_was_refused_alone(executor: ProcessExecutor, house: House):
    session = executor.open(load_source(str(house.plain)), pycontext=PyContext(), container=Container(), injections={})
    for code, is_refused in (
        (f"print({SAYING!r})\n1 / 0", False),
        (f"raise RuntimeError({SAYING!r})", False),
        (f"raise RuntimeError('x\\n{SAYING}')", False),
        ("raise type('Refusal', (Exception,), {'kind': 'everything', 'what': '/'})", False),
        ("open('/etc/shadow')", True),  # the control
    ):
        result = session.run(code)
        assert (result.status, result.refusal is not None) == ("error", is_refused), code
    session.close()


# What steers a terminal

STEERING = ("\x1b]0;{0}\x07", "\x1b[2J{0}", "\x1b]52;c;{0}", "\x9b31m{0}", "\u202e{0}", "\u2066{0}", "\r{0}", "\b{0}")


def steers(house: House, text: str) -> list[str]:
    """The sequences that stand in a text as a terminal obeys them."""
    return [each for each in STEERING if each.format(house.scene.token) in text]


def steering(house: House) -> str:
    return "|".join(STEERING).format(house.scene.token)


PRINTING = """
def run(moss):
    print(TEXT)
    os.write(2, TEXT.encode())
    setattr(moss, "n" + TEXT, object())
    return TEXT
"""
RAISING = 'raise type("E" + TEXT, (Exception,), {})(TEXT)'
REFUSED = "raise PermissionError(13, TEXT, TEXT)"
PROPOSING = 'moss.updater.append("X = " + ascii(TEXT) + "  # " + TEXT.replace(chr(13), ""))\nmoss.updater.propose(TEXT)'


def test_no_text_of_a_model_or_its_code_steers_a_terminal(houses: list[House]):
    def show(house: House) -> list[Shown]:
        text = steering(house)
        told = house.run_code(f"TEXT = {text!r}\n{PRINTING}", on_terminal=True)
        if not IS_WHOLE:
            return [told]
        raw = text.replace("\r", "")  # would be a new line of the code
        house.codes += [f"TEXT = '''{raw}'''\n{code}" for code in (PRINTING, RAISING, REFUSED, PROPOSING)]
        house.words = text
        thread = ["--thread", "t1"]
        return [
            told,
            house.run_code(f"TEXT = {text!r}\n{RAISING}", on_terminal=True),
            house.run_code(f"TEXT = {text!r}\n{REFUSED}", on_terminal=True),
            house.run("ask", str(house.agent), text, *thread, workspace=house.workspace, on_terminal=True),
            house.run(
                "console", str(house.agent), *thread, typed="go on\n/threads\n/quit\n", workspace=house.workspace,
                on_terminal=True,
            ),
            house.run("threads", "show", thread[1], workspace=house.workspace, on_terminal=True),
            house.run("threads", "export", thread[1], "--format", "md", workspace=house.workspace, on_terminal=True),
            house.run("moss", "diff", str(house.agent), workspace=house.workspace, on_terminal=True),
            house.run("moss", "accept", str(house.agent), workspace=house.workspace, on_terminal=True),
        ]  # fmt: skip

    for house, commands in zip(houses, everywhere(houses, show), strict=True):
        for number, shown in enumerate(commands):
            assert house.scene.token in shown.text or number == len(commands) - 1, (number, shown.text)
            assert not steers(house, shown.text), (number, shown.text)


def test_text_that_is_not_escaped_steers_a_terminal(house: House):
    printed = house.start([str(house.python), "-c", f"print({steering(house)!r})"], on_terminal=True)
    assert len(steers(house, printed.text)) == len(STEERING)


# Edits that a model proposes

PERMISSIONS = "from ghostos_moss import Permissions"
EDITS = {
    "permissions": f"append('{PERMISSIONS}\\n__moss_permissions__ = Permissions(net=True)')",
    "permissions in other letters": f"append('{PERMISSIONS}\\n__moss_permi\u017f\u017fions__ = Permissions(net=True)')",
    "permissions with a type": f"append('{PERMISSIONS}\\n__moss_permissions__: Permissions = Permissions(run=True)')",
    "a mark": "append('@on_host\\ndef steal(path: str) -> str:\\n    return open(path).read()')",
    "a mark by another name": "append('mark = on_host\\n@mark\\ndef steal() -> str:\\n    return \"stolen\"')",
    "a mark of the package": "append('import ghostos_moss as m\\n@m.on_host\\ndef steal() -> int:\\n    return 1')",
    "a marked function": "replace('greet', '@on_host\\ndef greet() -> str:\\n    return open(\"/etc/shadow\").read()')",
    "no marked function": "replace('greet', '')",
    "hidden code": "replace('test_total', 'def test_total():\\n    pass')",
    "no hidden code": "replace('test_total', '')",
    "an end of hidden code": "append('# </moss-hide>')",
    "a beginning of hidden code": "append('# <moss-hide>\\nX = 1\\n# </moss-hide>')",
    "hidden code in a text": "rewrite(moss.updater.getsource().rstrip() + \"\\nX = '''\\n\")",
    "hidden code by its name": "append('test_total = len')",
    "hidden code after the end": "rewrite(moss.updater.getsource().rstrip() + '\\nraise SystemExit\\n')",
}
HIDDEN = AGENT[AGENT.index("# <moss-hide>") :]
MARKED = AGENT[AGENT.index("@on_host") : AGENT.index("def total")]


def is_protected_changed(house: House) -> bool:
    """Whether the file grants, marks or hides something else than it did."""
    text = house.agent.read_text()
    is_as_before = HIDDEN.strip() in text and MARKED in text and text.count("on_host") == AGENT.count("on_host")
    tests = house.run("moss", "test", str(house.agent), workspace=house.workspace)
    return not is_as_before or "ermissions" in text or "test_total" not in tests.text


def propose(house: House, edit: str, *, thread: str = "t1", target: Path | None = None) -> Shown:
    """Have a ghost edit its module and propose it; return what `moss diff` shows then."""
    house.codes.append(f"moss.updater.{edit}\nmoss.updater.propose('better')")
    target = target or house.agent
    asked = house.run("ask", str(target), "go on", "--thread", thread, workspace=house.workspace)
    assert asked.status == 0, asked.text
    return house.run("moss", "diff", str(target), "--thread", thread, workspace=house.workspace)


def accept(house: House, *version: str, target: Path | None = None) -> Shown:
    return house.run("moss", "accept", str(target or house.agent), *version, workspace=house.workspace)


def version_in(diff: Shown) -> str:
    (version,) = re.findall(r"^version (\w+),", diff.text, re.MULTILINE)
    return version


@whole_only
def test_no_proposal_changes_what_is_the_users(houses: list[House]):
    def try_all(house: House) -> tuple[Shown, Shown]:
        house.codes.append(
            f"for name, edit in {EDITS!r}.items():\n"
            "    try: print(name, '->', eval(f'moss.updater.{edit}'))\n"
            "    except Exception as error: print(name, '->', type(error).__name__)\n"
            "try: moss.updater.propose('better')\n"
            "except Exception as error: print(type(error).__name__)\n"
        )
        return house.run("ask", str(house.agent), "go on", workspace=house.workspace), accept(house)

    for house, (asked, accepted) in zip(houses, everywhere(houses, try_all), strict=True):
        for name in EDITS:
            assert re.search(rf"{name} -> (ProtectedCode|EditFailed|EditTarget|CodeEdit)Error", asked.text), asked.text
        assert accepted.status == 2, accepted
        assert house.agent.read_text() == AGENT
        assert not is_protected_changed(house)


@whole_only
def test_a_proposal_that_changes_nothing_of_the_users_is_written_and_what_they_change_is_seen(house: House):
    """The control."""
    diff = propose(house, "append('def half(x: float) -> float:\\n    return x / 2')")
    assert accept(house, version_in(diff)).status == 0
    assert "def half" in house.agent.read_text()
    assert not is_protected_changed(house)
    house.agent.write_text(house.agent.read_text().replace("assert total() == 3", "pass"))
    assert is_protected_changed(house)


# What is accepted


@whole_only
def test_what_was_shown_is_not_accepted_any_more_when_something_else_is_proposed(houses: list[House]):
    def try_it(house: House) -> tuple[Shown, Shown]:
        shown = propose(house, "append('X = 1')")
        propose(house, "append('Y = 1')")
        return accept(house, version_in(shown)), accept(house, "f" * 12)

    for house, accepted in zip(houses, everywhere(houses, try_it), strict=True):
        assert [each.status for each in accepted] == [2, 2], accepted
        assert house.agent.read_text() == AGENT


@whole_only
def test_nothing_is_accepted_into_a_file_that_was_changed_meanwhile(houses: list[House]):
    def try_it(house: House) -> tuple[Shown, Shown]:
        shown = propose(house, "append('X = 1')")
        house.agent.write_text(f"{AGENT}\n\nZ = 1\n")
        accepted = accept(house, version_in(shown))
        return accepted, accept(house)

    for house, accepted in zip(houses, everywhere(houses, try_it), strict=True):
        assert [each.status for each in accepted] == [2, 2], accepted
        assert house.agent.read_text() == f"{AGENT}\n\nZ = 1\n"


@whole_only
def test_what_waits_is_not_accepted_any_more_when_it_has_changed(houses: list[House]):
    def try_it(house: House) -> tuple[Shown, Shown, bool]:
        house.run_code("open(HELPER, 'a').write('AGE = 1\\n')", "--allow-write", "{AGENTS}")
        shown = house.run("moss", "diff", str(house.agent), workspace=house.workspace)
        house.run_code("open(HELPER, 'a').write(PAYLOAD)", "--allow-write", "{AGENTS}")
        refused, started = accept(house, version_in(shown)), start_again(house)
        return refused, started, house.mark.exists()

    for house, (refused, started, has_run) in zip(houses, everywhere(houses, try_it), strict=True):
        assert (refused.status, started.status, has_run) == (2, 1, False), (refused, started)
        now = house.run("moss", "diff", str(house.agent), workspace=house.workspace)  # the control
        assert accept(house, version_in(now)).status == 0
        assert (start_again(house).status, house.mark.exists()) == (0, True)


SWAPPING = """
import time
before = open(HELPER).read()
end = time.monotonic() + 10
while time.monotonic() < end:
    for text in (before + PAYLOAD, before):
        open(AGENTS + "/other", "w").write(text)
        os.rename(AGENTS + "/other", HELPER)
"""


def swap(house: House, *options: str) -> bool:
    """Use the target while code puts one file in the place of another; whether the wrong one ran."""
    with ThreadPoolExecutor() as pool:
        swapping = pool.submit(house.run_code, SWAPPING, *options)
        while not swapping.done():
            start_again(house)
    assert swapping.result().status == 0, swapping.result()
    return house.mark.exists()


@whole_only
def test_what_is_looked_at_is_what_runs(houses: list[House]):
    assert not any(everywhere(houses, lambda house: swap(house, "--allow-write", "{AGENTS}")))


@whole_only
def test_what_unconfined_code_swaps_runs(house: House):
    assert swap(house, *OFF)


LEDGER = """\
from ghostos_moss import Moss as Parent
from ghostos_moss import SelfUpdater


class Moss(Parent):
    updater: SelfUpdater
"""
HARMLESS, HARMFUL = "RATE = 1  # 3810886", "RATE = 99  # 11158196"
"""Two texts to append to the ledger that give versions with the same first 48 bits; half a minute finds such a pair."""


@whole_only
def test_a_version_is_not_taken_for_another_one_with_its_id(houses: list[House]):
    def try_it(house: House) -> tuple[Shown, Shown]:
        ledger = house.agents / "ledger.py"
        ledger.write_text(LEDGER)
        house.give_to_user()
        propose(house, f"append({HARMFUL!r})", thread="t1", target=ledger)
        shown = propose(house, f"append({HARMLESS!r})", thread="t2", target=ledger)
        accept(house, version_in(shown), target=ledger)
        return shown, Shown(0, ledger.read_text())

    for shown, written in everywhere(houses, try_it):
        assert HARMLESS in shown.text
        assert HARMFUL not in shown.text
        assert HARMFUL not in written.text
