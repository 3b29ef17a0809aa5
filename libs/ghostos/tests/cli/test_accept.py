"""`ghostos` as a user runs it: what code could have written does not run with their rights until they accept it."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghostos.testing import ModelServer
from ghostos_moss import ProcessExecutor
from ghostos_moss.errors import ConfinementError

from .conftest import Shell

AGENT = '''"""An agent that greets."""

from ghostos_moss import Moss as Parent
from ghostos_moss import SelfUpdater, on_host


class Moss(Parent):
    updater: SelfUpdater
    count: int = 0


@on_host
def greet() -> str:
    """Greet, on the host."""
    import helper

    return helper.TEXT
'''
GHOST = """from ghostos.ghosts.moss_agent import MossAgent

import helper

__ghost__ = MossAgent(__file__, name=helper.TEXT)
"""


@dataclass
class User(Shell):
    """Starts `ghostos` by its own name: the current folder is not where Python imports from."""

    def command(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("ghostos")), *words]

    @property
    def mark(self) -> Path:
        """Made by what runs with the user's rights."""
        return self.folder.parent / "mark"

    @property
    def payload(self) -> str:
        return f"try: open({str(self.mark)!r}, 'a').write('x')\nexcept OSError: pass\nTEXT = 'pwned'\n"

    @property
    def record(self) -> Path:
        return self.workspace / "runtime" / "accepted" / "record.json"

    def run_code(self, code: str, *options: str, target: str = "agent.py"):
        return self.run("moss", "run", target, "--code", "-", *options, typed=code)

    def write_by_code(self, name: str, text: str, *options: str, target: str = "agent.py") -> None:
        options = options or ("--allow-write", str(self.folder))
        done = self.run_code(f"open({str(self.folder / name)!r}, 'w').write({text!r})", *options, target=target)
        assert done.status == 0, done.err
        assert (self.folder / name).read_text() == text

    def find_waiting(self, target: str = "agent.py") -> str:
        shown = self.run("moss", "diff", target)
        assert shown.status == 0, shown.err
        (id,) = re.findall(r"^version (\w{32}), not accepted yet", shown.out, re.MULTILINE)
        assert shown.out.endswith(f"Accept exactly this with: ghostos moss accept {target} {id}\n")
        return id


@pytest.fixture(scope="session", autouse=True)
def _needs_confinement():
    executor = ProcessExecutor()
    try:
        executor.check_system()
    except ConfinementError as exc:
        pytest.skip(str(exc))
    finally:
        executor.close()


@pytest.fixture
def user(shell) -> User:
    made = User(shell.folder, shell.workspace, shell.variables)
    made.write("agent.py", AGENT)
    made.write("helper.py", "TEXT = 'hello'\n")
    return made


def test_what_code_wrote_waits_for_diff_and_accept(user):
    user.write_by_code("helper.py", user.payload)
    refused = user.run_code("print(greet())")
    assert refused.status == 1
    waits = f"note: {user.folder / 'helper.py'} has changed and waits: look at it with ghostos moss diff agent.py"
    assert waits in refused.err.splitlines()
    for said in ("helper.py has changed", "ghostos moss diff agent.py", "ghostos moss accept agent.py ID"):
        assert said in refused.err

    shown = user.run("moss", "diff", "agent.py").out
    assert "--- helper.py, accepted\n+++ helper.py, now\n" in shown
    assert "-TEXT = 'hello'\n" in shown
    assert "+TEXT = 'pwned'\n" in shown
    id = user.find_waiting()

    unnamed = user.run("moss", "accept", "agent.py")
    assert (unnamed.status, "say what you looked at" in unnamed.err) == (2, True)
    user.write("helper.py", user.payload + "# more\n")
    changed = user.run("moss", "accept", "agent.py", id)
    assert (changed.status, "nothing was accepted, and nothing ran" in changed.err) == (2, True)
    assert user.run_code("print(greet())").status == 1
    assert not user.mark.exists()

    user.write("helper.py", user.payload)
    done = user.run("moss", "accept", "agent.py", id)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"Accepted as they are in version {id}: {user.folder / 'helper.py'}\n"
    assert user.run_code("print(greet())").out == "pwned\n"
    assert user.mark.exists()
    assert "2 files recorded that ran with your rights" in user.run("doctor").out
    assert user.run("moss", "diff", "agent.py").out == "Nothing is proposed for agent.py.\n"
    assert user.run("moss", "accept", "agent.py", id).status == 2


def test_what_waits_in_the_module_of_a_ghost_is_found_by_the_file_of_the_ghost(user):
    user.write("ghost.py", "from ghostos.ghosts.moss_agent import MossAgent\n\n__ghost__ = MossAgent('agent.py')\n")
    assert user.run_code("print(greet())", target="ghost.py").out == "hello\n"
    user.write_by_code("agent.py", AGENT + "# changed\n", target="ghost.py")
    refused = user.run_code("print(greet())", target="ghost.py")
    assert refused.status == 2
    assert "ghostos moss diff agent.py" in refused.err
    assert "+# changed\n" in user.run("moss", "diff", "ghost.py").out
    assert user.run("moss", "accept", "ghost.py", user.find_waiting("ghost.py")).status == 0
    assert user.run_code("print(greet())", target="ghost.py").out == "hello\n"


def test_a_file_that_was_deleted_from_pythons_own_path_can_be_accepted_as_that(user):
    user.write("ghost.py", GHOST)
    assert user.run("moss", "prompt", "ghost.py").status == 0
    done = user.run_code(
        f"import os\nos.unlink({str(user.folder / 'helper.py')!r})", "--allow-write", ".", target="ghost.py"
    )
    assert done.status == 0, done.err
    user.variables["PYTHONPATH"] = str(user.folder)
    shown = user.run("moss", "diff", "ghost.py")
    assert (shown.status, f"{user.folder / 'helper.py'} was deleted" in shown.out) == (0, True), shown.err
    assert user.run("moss", "accept", "ghost.py", user.find_waiting("ghost.py")).status == 0


def test_a_file_that_its_importer_did_without_is_named_when_a_conversation_opens(user):
    optional = GHOST.replace(
        "import helper\n", "try:\n    import helper\nexcept ImportError:\n    class helper: TEXT = ''\n"
    )
    user.write("ghost.py", optional)
    assert user.run("moss", "prompt", "ghost.py").status == 0
    user.write_by_code("helper.py", user.payload, target="ghost.py")
    note = f"note: {user.folder / 'helper.py'} has changed and waits: look at it with ghostos moss diff ghost.py\n"
    with ModelServer(["Hello."]) as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        asked = user.run("ask", "ghost.py", "hi")
        assert (asked.status, asked.err.count(note)) == (0, 1)
    failed = user.run("ask", "ghost.py", "hi", "--thread", "t1")  # nobody answers
    assert (failed.status, failed.err.count(note)) == (1, 1)
    served = user.run("web", "ghost.py", "--headless", "--model", "none:such")
    assert (served.status, served.err.count(note)) == (3, 1), served.err
    assert not user.mark.exists()


def test_what_a_user_writes_needs_no_word_of_theirs(user):
    assert user.run_code("print(greet())").out == "hello\n"
    user.write("helper.py", "TEXT = 'hi'\n")
    assert user.run_code("print(greet())").out == "hi\n"
    user.write("agent.py", AGENT.replace("return helper", "return 2 * helper"))
    assert user.run_code("print(greet())").out == "hihi\n"


def test_a_ghost_that_writes_into_its_file_gets_no_further(user):
    user.write("ghost.py", f"{GHOST}\n{AGENT.partition(chr(10))[2]}")
    path = user.folder / "ghost.py"
    code = f"with open({str(path)!r}, 'a') as file:\n    file.write({user.payload!r})\nprint('written')"
    with ModelServer([f"<moss>\n{code}\n</moss>", "Hello."]) as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        first = user.run("ask", "ghost.py", "go", "--thread", "t1", "--allow-write", ".")
        second = user.run("ask", "ghost.py", "go on", "--thread", "t1")
        for done in (first, second):
            assert done.status == 2
            happened, advice = done.err.splitlines()[-2:]
            allowed = f"code may or could write there, as writing to {user.folder} was allowed"
            assert happened.startswith(f"error: {path} has changed, and {allowed} (last at ")
            assert "ghostos moss diff ghost.py" in advice
            assert "ghostos moss accept ghost.py ID" in advice
        assert "output │ written" in first.err
        assert user.run("moss", "accept", "ghost.py", user.find_waiting("ghost.py")).status == 0
        assert not user.mark.exists(), "to accept runs nothing"
        third = user.run("ask", "ghost.py", "go on", "--thread", "t1")
    assert third.status == 0, third.err
    assert third.out.endswith("Hello.\n")
    assert user.mark.exists()


def test_a_helper_that_the_ghost_file_imports_is_looked_at_before_it_runs(user):
    user.write("ghost.py", GHOST)
    assert user.run("moss", "prompt", "ghost.py").status == 0
    user.write_by_code("helper.py", user.payload, target="ghost.py")
    refused = user.run("moss", "prompt", "ghost.py")
    assert refused.status == 2
    assert "helper.py has changed" in refused.err
    assert not user.mark.exists()
    assert not (user.folder / "__pycache__").exists()


def test_everything_allowed_ends_the_promise_and_says_so(user):
    """The control: what is promised is what makes the difference."""
    done = user.run_code(f"open({str(user.folder / 'helper.py')!r}, 'w').write({user.payload!r})", "-A")
    assert done.status == 0
    assert "UNCONFINED" in done.err
    assert "what it writes may run as yours" in done.err
    assert user.run_code("print(greet())").out == "pwned\n"
    assert user.mark.exists()


@pytest.mark.parametrize("how", ["agent.py", "agent"])
def test_a_module_by_its_name_is_the_same_file(user, how):
    user.write_by_code("helper.py", user.payload, target=how)
    assert user.run_code("print(greet())", target=how).status == 1
    id = user.find_waiting(how)
    assert user.run("moss", "accept", how, id).status == 0
    assert user.run_code("print(greet())", target=how).out == "pwned\n"


def test_a_plain_module_in_a_package_runs_nothing_of_it_here(user):
    user.write("pack/__init__.py", user.payload)
    user.write("pack/plain.py", "X = 2\n")
    done = user.run_code("print(X)", target="pack.plain")
    assert (done.status, done.out) == (0, "2\n")
    assert not user.mark.exists()
    user.write(
        "pack/marked.py",
        "from ghostos_moss import on_host\n@on_host\ndef f() -> int:\n    from . import plain\n    return plain.X\n",
    )
    assert user.run_code("print(f())", target="pack.marked").out == "2\n"
    assert user.mark.exists(), "the control: its package is imported for a module that runs here"


def test_what_has_a_librarys_name_beside_the_target_takes_no_place(user):
    for name in ("openai.py", "pandas.py", "sitecustomize.py", "httpx2.py", "yaml.py"):
        user.write_by_code(name, user.payload)
    with ModelServer(["Hello."]) as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        done = user.run("ask", "agent.py", "hi")
    assert (done.status, done.out) == (0, "Hello.\n"), done.err
    assert user.run_code("print(greet())").out == "hello\n"
    assert not user.mark.exists()


def test_only_the_module_that_was_named_is_found_in_the_current_folder(user):
    for name in ("brotli.py", "brotlicffi.py", "zstandard.py", "h2.py", "socksio.py", "orjson.py"):
        user.write(name, f"{user.payload}raise ImportError('no such thing')\n")
    with ModelServer(repeat="Hello.") as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        done = user.run("ask", "foo", "hi")
        assert (done.status, done.out) == (0, "Hello.\n"), done.err
        assert not user.mark.exists()
        control = Shell(user.folder, user.workspace, user.variables).run("ask", "foo", "hi")
    assert (control.status, user.mark.exists()) == (0, True), "as `python -m ghostos` it is"


def test_a_write_grant_that_reaches_code_of_others_stays_refused(user):
    library = user.write("../library/tools.py", "").parent
    user.variables["PYTHONPATH"] = str(library)
    for path in (Path(sys.prefix), library, user.folder.parent):
        done = user.run_code("print(1)", "--allow-write", str(path))
        assert done.status == 2
        assert "code that is imported" in done.err


def test_a_proposal_is_not_written_while_the_file_itself_waits(user):
    user.write("ledger.py", AGENT)
    edit = "moss.updater.append('X = 1')\nmoss.updater.propose('more')"
    with ModelServer([f"<moss>\n{edit}\n</moss>", "Done."]) as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        assert user.run("ask", "ledger.py", "go", "--thread", "t1").status == 0
    (proposed,) = re.findall(r"^version (\w{32}), thread t1", user.run("moss", "diff", "ledger.py").out, re.MULTILINE)
    user.write_by_code("ledger.py", f"{AGENT}\n{user.payload}", target="ledger.py")
    assert user.find_waiting("ledger.py") != proposed
    done = user.run("moss", "accept", "ledger.py", proposed)
    assert (done.status, "is not what waits" in done.err) == (2, True)
    user.write("ledger.py", AGENT)
    assert user.run("moss", "accept", "ledger.py", proposed).status == 0
    assert "X = 1" in (user.folder / "ledger.py").read_text()
    assert user.run_code("print(X)", target="ledger.py").out == "1\n"
    assert not user.mark.exists()


def test_hidden_characters_of_what_waits_are_shown(user):
    user.write_by_code("helper.py", "TEXT = 'a\x1b[2Jb\u202ec'\n")
    shown = user.run("moss", "diff", "agent.py").out
    assert "+TEXT = 'a\\x1b[2Jb\\u202ec'" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "it is damaged"), ('{"version": 2}', "a newer version of GhostOS wrote it (format 2, this one knows 1)")],
)
def test_a_record_that_cannot_be_used_is_status_3_and_stays(user, text, words):
    user.write_by_code("helper.py", user.payload)
    user.record.write_text(text)
    with ModelServer([]) as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        for words_of_command in (
            ("moss", "prompt", "agent.py"),
            ("moss", "diff", "agent.py"),
            ("moss", "accept", "agent.py", "0" * 32),
            ("ask", "agent.py", "hi"),
        ):
            done = user.run(*words_of_command)
            assert (done.status, done.out) == (3, "")
            happened, advice = done.err.splitlines()
            assert str(user.record) in happened
            assert words in happened
            assert advice
    doctor = user.run("doctor")
    assert doctor.status == 3
    assert re.search(rf"^broken  accepted +The record .*{re.escape(words)}", doctor.out, re.MULTILINE)
    assert user.record.read_text() == text
    assert not user.mark.exists()


def test_clearing_the_workspace_forgets_nothing_of_it(user):
    user.write_by_code("helper.py", user.payload)
    before = user.record.read_text()
    assert user.run("clear-runtime", "--yes").status == 0
    assert user.record.read_text() == before
    assert user.run_code("print(greet())").status == 1


def test_another_workspace_of_the_user_knows_where_code_could_write(user):
    user.run_code(
        f"open({str(user.folder / 'helper.py')!r}, 'w').write({user.payload!r})",
        *("--workspace", "one", "--allow-write", str(user.folder / "helper.py")),
    )
    assert (user.folder / "helper.py").read_text() == user.payload
    assert user.run_code("print(greet())").status == 1
    assert not user.mark.exists()


OPENING = "import sqlite3\nfrom ghostos_moss import on_host\n\ndb = sqlite3.connect(':memory:')\n"
HOSTED = f"{OPENING}\n@on_host\ndef f() -> int:\n    return 1\n"
WARNING = (
    "note: opening.py:4: sqlite3.connect(...) runs twice: once here and once in the worker; "
    "make it in __moss_compile__ or __matrix_providers__"
)
CHATBOT = "from ghostos.ghosts.chatbot import Chatbot\n__ghost__ = Chatbot('Bo')\n"


def test_a_file_that_opens_something_on_both_sides_is_warned_of(user):
    user.write("opening.py", HOSTED)
    assert user.run("moss", "prompt", "opening.py").err == f"{WARNING}\n"
    done = user.run("moss", "run", "opening.py", "--code", "-", "--json", typed="print(f())")
    assert (json.loads(done.out)["std_output"], done.err) == ("1\n", f"{WARNING}\n")
    assert WARNING in user.run("moss", "test", "opening.py").err
    with ModelServer(["Hello."]) as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        assert user.run("ask", "opening.py", "hi").err.count(WARNING) == 1


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (OPENING, ()),  # plain: it runs in the worker alone
        (HOSTED, ("--sandbox", "off")),
        (HOSTED.replace("\ndb =", "\nif __name__ == '__main__':\n    db ="), ()),
        (f"{OPENING}{CHATBOT}", ()),  # no worker is needed to talk
    ],
)
def test_one_that_opens_it_once_is_not(user, text, options):
    user.write("opening.py", text)
    with ModelServer(["Hello."]) as server:
        user.variables["OPENAI_BASE_URL"] = server.base_url
        done = user.run("ask", "opening.py", "hi", *options)
    assert done.status == 0, done.err
    assert "twice" not in done.err
