"""What the host runs is what the user accepted: files and processes are real, and what must not run leaves a mark."""

import importlib
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ghostos_container import Container
from ghostos_moss import AcceptedFiles, Permissions, ProcessExecutor, PyContext, load_source
from ghostos_moss._acceptance._imports import find_imports
from ghostos_moss._acceptance._locks import lock_new_file
from ghostos_moss._acceptance._target_links import is_led_elsewhere
from ghostos_moss.errors import (
    AcceptanceRecordError,
    CompileError,
    InjectionError,
    LifecycleError,
    NotAcceptedError,
    PermissionsError,
)

AGENT = """
from ghostos_moss import Moss as Parent, on_host

class Moss(Parent):
    count: int = 0

@on_host
def greet() -> str:
    import {first}_helper as helper
    return helper.TEXT
"""


class House:
    """A target with a helper, a record of what is accepted, and a mark that only code on the host can make."""

    def __init__(self, base: Path) -> None:
        self.base, self.folder, self.runtime = base, base / "agents", base / "ws" / "runtime"
        self.folder.mkdir()
        self.first = f"acc{abs(hash(base)) % 10**9}"
        self.mark = base / "ran-on-the-host"
        self.agent = self.write("agent.py", AGENT.format(first=self.first))
        self.helper = self.write(f"{self.first}_helper.py", "TEXT = 'hello'\n")
        self.records: list[AcceptedFiles] = []

    @property
    def payload(self) -> str:
        """Marks that it ran, and does nothing where it may not write."""
        return f"try: open({str(self.mark)!r}, 'a').write('x')\nexcept OSError: pass\nTEXT = 'pwned'\n"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def start_anew(self, workspace: str = "ws", **more: Any) -> AcceptedFiles:
        """As a new process does: nothing of the folder is imported, and nothing is open."""
        for record in self.records:
            record.close()
        for name, module in [*sys.modules.items()]:
            if str(self.folder) in str(getattr(module, "__file__", "")) or name.startswith(self.first):
                del sys.modules[name]
        made = AcceptedFiles(self.base / workspace / "runtime" / "accepted", **more)
        self.records.append(made)
        return made

    def close(self) -> None:
        for record in self.records:
            record.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def play(house: House, process_executor: ProcessExecutor) -> Callable[..., str]:
    """Open the target as a command does, run code, and give what it put out, or its error."""

    def do(code: str = "print(greet())", *, target: Path | None = None, record: AcceptedFiles | None = None, **grants):
        executor = ProcessExecutor(accepted=record or house.start_anew(), never=[house.runtime.parent])
        executor._zygote = process_executor._zygote  # to start one takes half a second
        session = executor.open(
            load_source(str(target or house.agent)),
            pycontext=PyContext(),
            container=Container(),
            injections={},
            permissions=Permissions(**grants),
        )
        try:
            result = session.run(code)
        finally:
            session.close()
        return result.error or result.std_output

    return do


def write_by_code(path: Path, text: str) -> str:
    return f"import os\nos.makedirs({str(path.parent)!r}, exist_ok=True)\nopen({str(path)!r}, 'w').write({text!r})"


def waiting(house: House, target: Path | None = None) -> Any:  # None, or what is waiting: the tests know which
    return house.start_anew().find_waiting(load_source(str(target or house.agent)))


def test_the_users_edits_run_as_they_come_where_no_code_may_write(house, play):
    assert play() == "hello\n"
    house.helper.write_text("TEXT = 'hi'\n")
    assert play() == "hi\n"
    house.write("agent.py", AGENT.format(first=house.first).replace("helper.TEXT", "helper.TEXT + '!'"))
    assert play() == "hi!\n"
    assert waiting(house) is None


def test_a_right_to_write_elsewhere_holds_nothing_back(house, play):
    data = house.folder / "data"
    data.mkdir()
    play(write_by_code(data / "a.csv", "1"), write=[str(data)])
    house.helper.write_text("TEXT = 'hi'\n")
    assert play() == "hi\n"


def test_what_code_wrote_does_not_run_on_the_host_until_exactly_that_is_accepted(house, play):
    play(write_by_code(house.helper, house.payload), write=[str(house.folder)])
    assert house.helper.read_text() == house.payload, "the right to write was given"
    assert "NotAcceptedError" in play()
    assert not house.mark.exists()

    record, source = house.start_anew(), load_source(str(house.agent))
    found = record.find_waiting(source)
    assert found is not None
    ((file),) = found.files
    assert (file.path, file.change) == (str(house.helper), "has changed")
    assert (file.accepted, file.text) == ("TEXT = 'hello'\n", house.payload)

    assert record.accept(source, "0" * 32) is None
    house.helper.write_text(house.payload + "# and more\n")
    assert record.accept(source, found.id) is None, "it is not what was shown any more"
    assert "NotAcceptedError" in play()
    assert not house.mark.exists()

    house.helper.write_text(house.payload)
    assert house.start_anew().accept(source, found.id) == found
    assert play() == "pwned\n"
    assert house.mark.exists()


def test_after_it_was_accepted_the_users_edits_run_as_they_come_again(house, play):
    play(write_by_code(house.helper, "TEXT = 'new'\n"), write=[str(house.folder)])
    record, source = house.start_anew(), load_source(str(house.agent))
    record.accept(source, record.find_waiting(source).id)
    house.helper.write_text("TEXT = 'mine'\n")
    assert play() == "mine\n"
    play("pass", write=[str(house.folder)])
    house.helper.write_text("TEXT = 'whose?'\n")
    assert "NotAcceptedError" in play()


def test_code_that_goes_on_writing_while_the_user_accepts_gains_nothing(house, play):
    play("pass", write=[str(house.folder)])
    running = AcceptedFiles(house.runtime / "accepted")  # as another process would have it
    source = load_source(str(house.agent))
    running.grant([str(house.folder)], source=source)
    house.helper.write_text("TEXT = 'shown'\n")
    record = house.start_anew()
    record.accept(source, record.find_waiting(source).id)
    assert play() == "shown\n"
    house.helper.write_text(house.payload)
    assert "NotAcceptedError" in play()
    running.close()
    assert "NotAcceptedError" in play()
    assert not house.mark.exists()


@pytest.mark.parametrize("held", [b"", b"[1]", b"{"])
def test_a_right_of_running_code_that_cannot_be_read_counts_as_one_for_everything(house, play, held):
    play("pass", write=[str(house.folder)])
    house.helper.write_text("TEXT = 'shown'\n")
    (house.runtime / "accepted" / "live").mkdir(exist_ok=True)
    with lock_new_file(house.runtime / "accepted" / "live", held):
        record, source = house.start_anew(), load_source(str(house.agent))
        record.accept(source, record.find_waiting(source).id)
        assert play() == "shown\n"
        house.helper.write_text(house.payload)
        assert "NotAcceptedError" in play()
    assert "NotAcceptedError" in play()
    assert not house.mark.exists()
    record = house.start_anew()
    record.accept(source, record.find_waiting(source).id)
    house.helper.write_text("TEXT = 'mine'\n")
    assert play() == "mine\n", "nothing more counts as written than before"
    (house.folder.parent / "elsewhere.py").write_text("from ghostos_moss import on_host\n@on_host\ndef f(): ...\n")
    assert waiting(house, house.folder.parent / "elsewhere.py") is None


def test_what_is_accepted_while_code_is_given_the_right_is_what_was_there_before(house, play):
    assert play(write=[str(house.folder)]) == "hello\n"
    assert play() == "hello\n"
    other = house.write("other.py", AGENT.format(first=house.first))
    assert "NotAcceptedError" in _error(lambda: play(target=other)), "it could have been written by code"


def _error(do: Callable[[], str]) -> str:
    try:
        return do()
    except (NotAcceptedError, CompileError, InjectionError, LifecycleError, PermissionsError) as exc:
        return f"{type(exc).__name__}: {exc}"


def test_the_message_names_the_file_and_both_commands(house, play):
    play(write_by_code(house.agent, AGENT.format(first=house.first) + house.payload), write=[str(house.folder)])
    said = _error(play)
    assert said.startswith(f"NotAcceptedError: {house.agent} has changed")
    for command in ("diff", "accept"):
        assert f"ghostos moss {command} {house.agent}" in said
    assert not house.mark.exists()


HOOK = "\ndef __moss_compile__(compiler):\n    open({mark!r}, 'a').write('x')\n"


def test_a_plain_file_may_be_edited_by_code_but_not_get_a_part_on_the_host(house, play):
    plain = house.write("plain.py", "from ghostos_moss import Moss\nX = 1\n")
    play(write_by_code(plain, "from ghostos_moss import Moss\nX = 2\n"), target=plain, write=[str(plain)])
    assert play("print(X)", target=plain) == "2\n", "it runs in the worker alone"
    hooked = plain.read_text() + HOOK.format(mark=str(house.mark))
    play(write_by_code(plain, hooked), target=plain, write=[str(plain)])
    assert "plain.py is new" in _error(lambda: play("print(X)", target=plain))
    assert not house.mark.exists()
    record, source = house.start_anew(), load_source(str(plain))
    record.accept(source, record.find_waiting(source).id)
    assert play("print(X)", target=plain) == "2\n"
    assert house.mark.exists()


PERMITTED = "from ghostos_moss import Moss, Permissions\n__moss_permissions__ = Permissions({what})\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from ghostos_moss import Moss\n", PERMITTED.format(what="run=True")),
        (PERMITTED.format(what="net=False"), PERMITTED.format(what="net=True")),
        (PERMITTED.format(what="net=False"), "from ghostos_moss import Moss\n"),  # what the workspace says comes next
    ],
)
def test_code_cannot_give_itself_permissions(house, play, before, after):
    plain = house.write("plain.py", before)
    play(write_by_code(plain, after), target=plain, write=[str(plain)])
    assert "NotAcceptedError" in _error(lambda: play("print(1)", target=plain))
    plain.write_text(before)
    assert play("print(1)", target=plain) == "1\n"


def _bytecode(house: House) -> str:
    return f"""
        import importlib.util, marshal, os, struct, sys
        path = {str(house.helper)!r}
        status = os.stat(path)
        code = marshal.dumps(compile({house.payload!r}, path, "exec"))
        head = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, int(status.st_mtime), status.st_size)
        kept = importlib.util.cache_from_source(path)
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        open(kept, "wb").write(head + code)
    """


PLANTS = {
    "bytecode": (_bytecode, None),
    "bytecode without a source": (lambda h: f"{textwrap.dedent(_bytecode(h))}\nos.rename(kept, path + 'c')", None),
    "a package in the place of a file": (
        lambda h: write_by_code(h.folder / f"{h.first}_helper" / "__init__.py", h.payload),
        "is new",
    ),
    "a link to another file": (
        lambda h: (
            f"import os\nos.chdir({str(h.folder)!r})\nopen('x.txt', 'w').write({h.payload!r})\n"
            f"os.remove({h.helper.name!r})\nos.symlink('x.txt', {h.helper.name!r})"
        ),
        "has changed",
    ),
    "a link to a file that goes with the run": (
        lambda h: (
            f"import os\nopen('x.py', 'w').write({h.payload!r})\nos.remove({str(h.helper)!r})\n"
            f"os.symlink(os.path.abspath('x.py'), {str(h.helper)!r})"
        ),
        "was deleted",
    ),
    "a link to another accepted file": (
        lambda h: f"import os\nos.remove({str(h.helper)!r})\nos.symlink({str(h.agent)!r}, {str(h.helper)!r})",
        "has changed",
    ),
    "no file": (lambda h: f"import os\nos.remove({str(h.helper)!r})", "was deleted"),
    "a machine's code": (
        lambda h: (
            f"import sysconfig\nopen({str(h.folder / h.first)!r} + '_helper' + "
            "sysconfig.get_config_var('EXT_SUFFIX'), 'w').write('no ELF')"
        ),
        "is new",
    ),
    "a file as long and as old": (
        lambda h: write_by_code(h.helper, "TEXT = 'HELLO'\n"),
        "has changed",
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_code_puts_in_the_place_of_a_file_does_not_run(house, play, plant):
    code, change = PLANTS[plant]
    play()
    play(textwrap.dedent(code(house)), write=[str(house.folder)])
    said = play()
    assert not house.mark.exists()
    if change is None:
        assert said == "hello\n"
    else:
        assert change in said
        assert (found := waiting(house)) is not None
        assert change in {file.change for file in found.files}
        record, source = house.start_anew(), load_source(str(house.agent))
        assert record.accept(source, found.id) == found
        assert "NotAcceptedError" not in play(), "the control, for a mark that cannot be made: it runs now"


def test_plain_python_runs_what_is_planted(house, play):
    """The control."""
    play(textwrap.dedent(_bytecode(house)), write=[str(house.folder)])
    subprocess.run([sys.executable, "-c", f"import {house.first}_helper"], cwd=house.folder, check=True, timeout=60)
    assert house.mark.exists()


def test_a_new_file_takes_the_place_of_no_library(house, play):
    play(write_by_code(house.folder / "wave.py", house.payload), write=[str(house.folder)])
    sys.modules.pop("wave", None)
    house.write(
        "agent.py", AGENT.format(first=house.first).replace("return helper.TEXT", "import wave\n    return 'w'")
    )
    record, source = house.start_anew(), load_source(str(house.agent))
    found = record.find_waiting(source)
    assert [file.path for file in found.files] == [str(house.agent)], "what is not imported is not asked for"
    record.accept(source, found.id)
    assert play() == "w\n"
    assert not house.mark.exists()


PLUGINS = """
from ghostos_moss import Moss as Parent, on_host

@on_host
def load() -> list[str]:
    import importlib, pkgutil
    import {first}_plugins as plugins
    names = [each.name for each in pkgutil.iter_modules(plugins.__path__)]
    return [importlib.import_module(f"{first}_plugins.{{name}}").TEXT for name in names]
"""


def test_plugins_that_no_import_names_wait_too(house, play):
    plugins = house.folder / f"{house.first}_plugins"  # a namespace: it has no __init__
    target = house.write("loader.py", PLUGINS.format(first=house.first))
    house.write(f"{house.first}_plugins/one.py", "TEXT = 'one'\n")
    assert play("print(load())", target=target) == "['one']\n"
    play(write_by_code(plugins / "two.py", house.payload), target=target, write=[str(plugins)])
    assert "two.py is new" in play("print(load())", target=target)
    assert not house.mark.exists()
    found = waiting(house, target)
    assert [file.path for file in found.files] == [str(plugins / "two.py")]
    house.start_anew().accept(load_source(str(target)), found.id)
    assert play("print(load())", target=target) == "['one', 'pwned']\n"


def test_who_can_do_without_a_module_does_without_one_that_appeared(house, play):
    optional = f"    try:\n        import {house.first}_optional\n    except ImportError:\n        return 'without'\n"
    house.write("agent.py", AGENT.format(first=house.first).replace("    import", f"{optional}    import"))
    assert play() == "without\n"
    play(write_by_code(house.folder / f"{house.first}_optional.py", house.payload), write=[str(house.folder)])
    assert play() == "without\n"
    assert not house.mark.exists()
    assert [file.change for file in waiting(house).files] == ["is new"]


def test_what_appears_where_python_itself_imports_from_waits_within_the_same_run(house, play, monkeypatch):
    plugins = house.folder / f"{house.first}_plugins"
    plugins.mkdir()
    target = house.write("loader.py", PLUGINS.format(first=house.first))
    monkeypatch.syspath_prepend(str(house.folder))
    code = f"print(load())\n{write_by_code(plugins / 'two.py', house.payload)}\nprint(load())"
    assert "two.py is new" in play(code, target=target, write=[str(plugins)])
    assert not house.mark.exists()


def test_bytecode_that_code_could_write_is_not_used_where_python_itself_imports_from(house, play, monkeypatch):
    (house.folder / "__pycache__").mkdir()
    play(textwrap.dedent(_bytecode(house)), write=[str(house.folder / "__pycache__")])
    assert [*(house.folder / "__pycache__").iterdir()]
    monkeypatch.syspath_prepend(str(house.folder))
    assert play() == "hello\n"
    assert not house.mark.exists()


def test_what_is_executed_is_what_was_looked_at(tmp_path):
    path = tmp_path / "swapped_module.py"
    path.write_text("TEXT = 'looked at'\n")

    class Swapping:
        def admit(self, path, digest, *, target, is_text=True):
            Path(path).write_text("TEXT = 'swapped'\n")

        def check_gone(self, path, *, target):
            pass

        def is_written(self, path):
            return True

    swapping = Swapping()
    find_imports().follow(str(tmp_path), target="", admitter=swapping)
    try:
        swapped_module = importlib.import_module("swapped_module")

        assert swapped_module.TEXT == "looked at"
        assert path.read_text() == "TEXT = 'swapped'\n"
    finally:
        find_imports().leave(swapping)
        sys.modules.pop("swapped_module", None)


def test_only_what_is_imported_is_recorded_and_no_bytecode_is_left(house, play):
    for number in range(3000):
        (house.folder / f"more{number}.py").write_text("X = 1\n")
    started = time.monotonic()
    play(write=[str(house.folder)])
    assert time.monotonic() - started < 30
    files = json.loads((house.runtime / "accepted" / "record.json").read_text())["files"]
    assert {*files} == {str(house.agent), str(house.helper)}
    assert not (house.folder / "__pycache__").exists()


def test_modules_of_packages_and_relative_imports_are_followed(house, play):
    first = house.first
    house.write(f"{first}_pkg/__init__.py", "")
    house.write(f"{first}_pkg/words.py", "TEXT = 'hello'\n")
    house.write(f"{first}_pkg/inner/__init__.py", "from ..words import TEXT\n")
    target = house.write(
        f"{first}_pkg/agent.py",
        "from ghostos_moss import Moss as Parent, on_host\n"
        "@on_host\ndef greet() -> str:\n    from .inner import TEXT\n    return TEXT\n",
    )
    package = target.parent
    assert play(target=target, write=[str(package)]) == "hello\n"
    for name in ("words.py", "__init__.py", "inner/__init__.py"):
        before = (package / name).read_text()
        play(write_by_code(package / name, before + house.payload), target=target, write=[str(package)])
        assert "NotAcceptedError" in _error(lambda: play(target=target))
        assert [file.path for file in waiting(house, target).files] == [str(package / name)]
        (package / name).write_text(before)
    assert play(target=target) == "hello\n"
    assert not house.mark.exists()


def test_a_right_given_in_another_workspace_counts_as_well(house, play):
    shared = house.base / "home" / "accepted"
    other = house.start_anew("other", shared=shared)
    play(write_by_code(house.helper, house.payload), record=other, write=[str(house.folder)])
    said = _error(lambda: play(record=house.start_anew(shared=shared)))
    assert "agent.py is new" in said
    assert not house.mark.exists()
    record, source = house.start_anew(shared=shared), load_source(str(house.agent))
    house.helper.write_text("TEXT = 'seen'\n")
    record.accept(source, record.find_waiting(source).id)
    house.helper.write_text("TEXT = 'mine'\n")
    assert play(record=house.start_anew(shared=shared)) == "mine\n", "nobody writes there any more"
    house.helper.write_text(house.payload)
    alone = house.start_anew("third")
    play(record=alone)
    assert house.mark.exists(), "the control: a workspace that knows of no other"


def test_what_lies_where_code_always_writes_waits(house, play):
    target = house.write("scratch/t1/agent.py", AGENT.format(first=house.first))
    house.write(f"scratch/t1/{house.first}_helper.py", "TEXT = 'hello'\n")

    def start() -> AcceptedFiles:
        return house.start_anew(always_written=[house.folder / "scratch"])

    assert "agent.py is new" in _error(lambda: play(target=target, record=start()))
    record, source = start(), load_source(str(target))
    found = record.find_waiting(source)
    assert found is not None
    record.accept(source, found.id)
    assert play(target=target, record=start()) == "hello\n"


def test_a_right_that_reaches_code_of_others_stays_refused(house, play, monkeypatch):
    library = house.base / "library"
    library.mkdir()
    monkeypatch.syspath_prepend(str(library))
    for path in (library, house.base, Path(sys.prefix)):
        with pytest.raises(PermissionsError, match="code that is imported"):
            play(write=[str(path)])
    monkeypatch.syspath_prepend(str(house.folder))
    with pytest.raises(PermissionsError, match="code that is imported"):
        play(write=[str(house.folder)])
    assert not (house.runtime / "accepted" / "live").exists()


def test_without_a_record_the_targets_folder_is_not_to_be_written(house):
    executor = ProcessExecutor()
    with pytest.raises(PermissionsError, match="code that is imported"):
        executor.open(
            load_source(str(house.agent)),
            pycontext=PyContext(),
            container=Container(),
            injections={},
            permissions=Permissions(write=[str(house.folder)]),
        )
    executor.close()


def test_what_appears_in_a_folder_on_the_path_of_python_waits_as_well(house, play, monkeypatch):
    library = house.base / "library"
    more = library / f"{house.first}_more"
    more.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(library))
    source = AGENT.format(first=house.first).replace(
        "return helper", f"import {house.first}_more as more\n    return more"
    )
    house.agent.write_text(source)
    play(write_by_code(more / "__init__.py", house.payload), write=[str(more)])
    assert "__init__.py is new" in play()
    assert not house.mark.exists()


def test_a_file_that_is_gone_from_the_path_of_python_waits_and_can_be_looked_at(house, play, monkeypatch):
    assert play() == "hello\n"
    play(f"import os\nos.unlink({str(house.helper)!r})", write=[str(house.folder)])
    monkeypatch.syspath_prepend(str(house.folder))
    record, source = house.start_anew(), load_source(str(house.agent))
    record.check(source)
    record.follow(source)
    found = record.find_waiting(source)
    assert [(file.path, file.change) for file in found.files] == [(str(house.helper), "was deleted")]
    assert record.accept(source, found.id) == found


def test_folders_may_be_followed_while_others_import(tmp_path):
    """Many that come and go: a loop over them must not be one over what changes."""
    imports, stop, faults = find_imports(), threading.Event(), []
    records = [AcceptedFiles(tmp_path / str(number) / "accepted") for number in range(200)]

    def look():
        while not stop.is_set():
            try:
                imports.is_free(str(tmp_path / "any.py"))
            except RuntimeError as exc:
                faults.append(exc)
                return

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(5):
        for number, record in enumerate(records):
            imports.follow(str(tmp_path / f"folder{number}"), target="t", admitter=record)
        for record in records:
            imports.leave(record)
    stop.set()
    thread.join()
    assert not faults


# The record


@pytest.mark.parametrize(
    ("text", "reason", "is_newer"),
    [
        ("", "damaged", False),
        ("{", "damaged", False),
        ("[]", "damaged", False),
        ('{"version": 1, "files": {"/a.py": 3}}', "damaged", False),
        ('{"version": 99, "people": []}', "newer version", True),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_left_alone(house, play, text, reason, is_newer):
    play(write_by_code(house.helper, house.payload), write=[str(house.folder)])
    path = house.runtime / "accepted" / "record.json"
    path.write_text(text)
    with pytest.raises(AcceptanceRecordError, match=reason) as caught:
        play()
    assert str(path) in str(caught.value)
    assert caught.value.is_newer is is_newer
    assert path.read_text() == text
    assert not house.mark.exists()


def test_what_another_version_keeps_in_the_same_format_stays(house, play):
    play()
    path = house.runtime / "accepted" / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": [1]}))
    house.helper.write_text("TEXT = 'hi'\n")
    assert play() == "hi\n"
    assert json.loads(path.read_text())["more"] == [1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_nothing_can_be_recorded_no_right_to_write_is_given(house, play):
    house.runtime.mkdir(parents=True)
    house.runtime.chmod(0o500)
    assert play() == "hello\n"
    with pytest.raises(AcceptanceRecordError, match="cannot be written"):
        play(write=[str(house.folder)])


def test_a_place_where_nothing_can_be_made_is_named(house, play):
    house.runtime.parent.mkdir()
    house.runtime.write_text("a file")
    assert play() == "hello\n"
    with pytest.raises(AcceptanceRecordError, match="cannot be written"):
        play(write=[str(house.folder)])


ACCEPTING = """
import sys
from pathlib import Path
from ghostos_moss import AcceptedFiles, load_source
record = AcceptedFiles(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(record.accept(load_source(sys.argv[2]), sys.argv[3]) is not None)
"""


def test_of_several_processes_that_accept_the_same_one_does_and_nothing_is_lost(house, play):
    play(write_by_code(house.helper, "TEXT = 'new'\n"), write=[str(house.folder)])
    found = waiting(house)
    words = [sys.executable, "-c", ACCEPTING, str(house.runtime / "accepted"), str(house.agent), found.id]
    racing = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in racing:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].strip() for process in racing]
    assert sorted(said) == ["False", "False", "False", "True"]
    assert play() == "new\n"


def test_many_processes_may_record_at_once(house, play):
    source = load_source(str(house.agent))
    code = (
        "import sys\nfrom pathlib import Path\nfrom ghostos_moss import AcceptedFiles\n"
        "record = AcceptedFiles(Path(sys.argv[1]))\nrecord.keep()\n"
        "for number in range(40): record.admit(f'/x/{sys.argv[2]}-{number}.py', 'd', target='t')\n"
    )
    words = [sys.executable, "-c", code, str(house.runtime / "accepted")]
    racing = [subprocess.Popen([*words, str(number)]) for number in range(4)]
    assert [process.wait(timeout=120) for process in racing] == [0] * 4
    files = json.loads((house.runtime / "accepted" / "record.json").read_text())["files"]
    assert len(files) == 160
    assert house.start_anew().find_waiting(source) is None


def test_a_clock_that_is_put_back_frees_nothing(house, play):
    play()
    path = house.runtime / "accepted" / "record.json"
    record = json.loads(path.read_text())
    for file in record["files"].values():
        file["at"] += 10**18
    path.write_text(json.dumps(record))
    play(write_by_code(house.helper, house.payload), write=[str(house.folder)])
    assert "NotAcceptedError" in play()
    assert not house.mark.exists()


def test_a_process_that_died_with_a_right_to_write_leaves_no_lock(house, play):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom ghostos_moss import AcceptedFiles, load_source\n"
        "record = AcceptedFiles(Path(sys.argv[1]))\n"
        "record.grant([sys.argv[2]], source=load_source(sys.argv[3]))\nos.kill(os.getpid(), 9)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(house.runtime / "accepted"), str(house.folder), str(house.agent)],
        check=False,
        timeout=60,
    )
    house.helper.write_text("TEXT = 'new'\n")
    assert "NotAcceptedError" in play()
    record, source = house.start_anew(), load_source(str(house.agent))
    record.accept(source, record.find_waiting(source).id)
    assert not [*(house.runtime / "accepted" / "live").iterdir()]
    house.helper.write_text("TEXT = 'mine'\n")
    assert play() == "mine\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_the_fault_of_the_import(house, play):
    house.helper.chmod(0)
    assert "PermissionError" in play()


def test_the_record_is_for_its_user_alone(house, play):
    play(write=[str(house.folder)])
    for place in [house.runtime, *house.runtime.rglob("*")]:
        assert place.stat().st_mode & 0o077 == 0, place


def link_by_code(path: Path, to: Path) -> str:
    return f"import os\nos.path.lexists({str(path)!r}) and os.unlink({str(path)!r})\n{symlink(path, to)}"


def symlink(path: Path, to: Path) -> str:
    return f"os.symlink({str(to)!r}, {str(path)!r})"


def test_a_link_that_code_put_in_the_place_of_a_plain_target_is_not_followed_for_it(house, play):
    secret = house.base / "secret.env"
    secret.write_text("KEY = 'sk-hidden'\n")
    plain = house.write("plain.py", "KEY = 1\n")
    assert play(link_by_code(plain, secret), target=plain, write=[str(house.folder)]) == ""
    for grants in ({}, {"write": [str(house.folder)]}):
        error = _error(lambda grants=grants: play("print(KEY)", target=plain, **grants))
        assert "plain.py is new" in error
        assert "hidden" not in error
    plain.unlink()
    plain.write_text("KEY = 2\n")
    assert play("print(KEY)", target=plain) == "2\n", "the user's own file is used as it comes"


def test_a_folder_that_code_replaced_by_a_link_leads_to_no_target(house, play):
    inner = house.write("inner/plain.py", "KEY = 1\n")
    secret = house.base / "elsewhere"
    secret.mkdir()
    (secret / "plain.py").write_text("KEY = 'sk-hidden'\n")
    moved = house.folder / "moved"
    code = f"import os\nos.rename({str(inner.parent)!r}, {str(moved)!r})\n{symlink(inner.parent, secret)}"
    assert play(code, target=inner, write=[str(house.folder)]) == ""
    assert "plain.py is new" in _error(lambda: play("print(KEY)", target=inner))


def test_a_link_of_the_users_leads_to_its_target_as_it_was_accepted(house, play):
    real = house.base / "real.py"
    real.write_text("KEY = 1\n")
    link = house.folder / "linked.py"
    link.symlink_to(real)
    assert play("print(KEY)", target=link) == "1\n"
    assert play("print(KEY)", target=link, write=[str(house.folder)]) == "1\n"
    assert play("print(KEY)", target=link) == "1\n"
    other = house.base / "other.py"
    other.write_text("KEY = 'sk-hidden'\n")
    play(link_by_code(link, other), target=link, write=[str(house.folder)])
    assert "linked.py has changed" in _error(lambda: play("print(KEY)", target=link))


def test_text_that_was_read_through_a_link_that_is_gone_again_is_not_what_lies_there(house, tmp_path):
    plain, secret = house.write("plain.py", "KEY = 1\n"), tmp_path / "secret.py"
    secret.write_text("KEY = 'sk-hidden'\n")
    honest = load_source(str(plain))
    plain.unlink()
    plain.symlink_to(secret)
    lured = load_source(str(plain))
    plain.unlink()
    plain.write_text("KEY = 1\n")
    written = [str(house.folder)]
    assert is_led_elsewhere(lured, written)
    assert not is_led_elsewhere(honest, written)
    assert not is_led_elsewhere(lured, [str(tmp_path / "data")]), "code may not write there"
