"""What code may touch, from the command, the module, the settings and clicks."""

import os
import threading
import tomllib

import pytest

from ghostos.bootstrap import make_app_container
from ghostos.config import Confinement
from ghostos.contracts.permission_book import PermissionBook
from ghostos.core.permission import Grant
from ghostos.errors import ConfigError, TargetError, WorkspaceError
from ghostos.libraries.configuring import Configuration
from ghostos.libraries.live_settings import LiveSettings
from ghostos.libraries.profiles import describe_profile, make_profile
from ghostos_moss import Permission, Permissions, load_source


@pytest.fixture
def settings(workspace):
    path = workspace / "configs" / "ghostos.toml"
    path.parent.mkdir(parents=True)
    path.write_text("version = 1\n")
    return path


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "agent" / "plain.py"
    path.parent.mkdir()
    path.write_text("x = 1\n")
    return path


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("milk")
    return folder


@pytest.fixture
def open_container(workspace):
    opened = []

    def open_it(**flags):
        confinement = Confinement(permissions=Permissions(**flags)) if flags else None
        opened.append(make_app_container(workspace, confinement=confinement))
        return opened[-1]

    yield open_it
    for container in opened:
        container.shutdown()


@pytest.fixture
def open_book(open_container):
    return lambda **flags: open_container(**flags).force_fetch(PermissionBook)


def allowed(*permissions):
    return [Grant(request_id="r", permission=each, scope="thread") for each in permissions]


def test_per_kind_the_first_level_that_names_it_decides_and_clicks_are_added(open_book, settings, target, data):
    settings.write_text(f"version = 1\n[code.permissions]\nread = ['{data}']\nenv = ['OF_SETTINGS']\nrun = true\n")
    target.write_text(
        "from ghostos_moss import Permissions\n__moss_permissions__ = Permissions(env=['OF_MODULE'], run=False)\n"
    )
    source = load_source(str(target))
    book = open_book(env=["OF_COMMAND"])
    assert book.get(source).permissions == Permissions(
        net=False, read=[str(data)], write=[], env=["OF_COMMAND"], run=False
    )
    os.environ["CLICKED"] = "1"
    grants = allowed(Permission("env", "CLICKED"), Permission("net"), Permission("run"))
    held = book.get(source, grants=grants).permissions
    assert (held.env, held.net) == (("OF_COMMAND", "CLICKED"), True)
    assert held.run is False, "the module refuses it"
    del os.environ["CLICKED"]
    assert book.get(source, grants=grants).permissions.env == ("OF_COMMAND",), "it is not what was shown any more"


def test_the_settings_count_as_they_are_now(open_book, settings, target):
    book, source = open_book(), load_source(str(target))
    assert not book.get(source).permissions.net
    settings.write_text("version = 1\n[code.permissions]\nnet = true\n")
    assert book.get(source).permissions.net
    settings.write_text("version = 1\n[code.permissions]\nnet = 3\n")
    with pytest.raises(ConfigError, match="net"):
        book.get(source)
    settings.unlink()
    assert not book.get(source).permissions.net


def test_the_key_of_a_service_that_was_added_meanwhile_is_not_handed_to_code(open_container, target, monkeypatch):
    monkeypatch.setenv("CORP_APIK", "corp-very-secret-0123456789")
    container, source = open_container(), load_source(str(target))
    book = container.force_fetch(PermissionBook)
    assert book.find_offer(Permission("env", "CORP_APIK"), source=source).scopes
    address, variable = ("services", "corp", "base_url"), ("services", "corp", "api_key_env")
    Configuration(container.force_fetch(LiveSettings)).change({address: "http://127.0.0.1:9/v1", variable: "CORP_APIK"})
    offer = book.find_offer(Permission("env", "CORP_APIK"), source=source)
    assert (offer.scopes, "takes a key from it" in offer.reason) == ((), True)


def test_what_is_gone_from_the_disk_is_left_out_of_the_settings_and_said(open_container, settings, target, data):
    settings.write_text(
        f"version = 1\n[code.permissions]\nread = ['{data}', '{data}/gone']\nwrite = ['{settings.parent}']\n"
    )
    held = open_container().force_fetch(PermissionBook).get(load_source(str(target)))
    assert held.permissions.read == (str(data),)
    assert held.permissions.write == ()
    text = describe_profile(make_profile(open_container(), module=str(target)))
    assert text.startswith(
        f"code runs confined, allowed: read {data}; not granted from ghostos.toml: read {data}/gone ("
    )
    assert "write" in text
    os.rename(data, data.with_name("elsewhere"))
    assert describe_profile(make_profile(open_container(), module=str(target))).startswith("code runs confined; not")


def test_with_everything_allowed_nothing_else_counts(open_book, settings, target):
    settings.write_text("version = 1\n[code.permissions]\nnet = false\n")
    assert open_book(everything=True).get(load_source(str(target))).permissions.everything


def test_permissions_of_a_module_that_cannot_be_read_are_its_fault(open_book, target):
    target.write_text("from ghostos_moss import Permissions\n__moss_permissions__ = Permissions(net=bool(1))\n")
    with pytest.raises(TargetError, match="cannot be read without running it"):
        open_book().get(load_source(str(target)))


def test_a_click_allows_no_writing_where_the_target_lies(open_book, target):
    source = load_source(str(target))
    for path in (f"{target.parent}/", str(target)):
        offer = open_book().find_offer(Permission("write", path), source=source)
        assert offer.scopes == ()
        assert "code that is imported" in offer.reason


def test_many_that_add_at_once_lose_nothing(open_book, settings, data):
    settings.write_text("# mine\nversion = 1\n")
    books = [open_book() for _ in range(4)]
    start = threading.Barrier(len(books))

    def add(number, book):
        start.wait()
        for each in range(5):
            book.save(Permission("read", f"{data}/{number}-{each}"))

    threads = [threading.Thread(target=add, args=pair) for pair in enumerate(books)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tomllib.loads(settings.read_text())["code"]["permissions"]["read"]) == 20
    assert settings.read_text().startswith("# mine\nversion = 1\n")
    assert [path.name for path in settings.parent.iterdir()] == ["ghostos.toml"]


def test_settings_that_are_not_there_are_made_and_a_link_stays_one(open_book, workspace, tmp_path):
    book = open_book()
    book.save(Permission("net"))
    settings = workspace / "configs" / "ghostos.toml"
    assert settings.read_text() == "version = 1\n\n[code.permissions]\nnet = true\n"
    real = tmp_path / "real.toml"
    os.rename(settings, real)
    settings.symlink_to(real)
    book.save(Permission("run"))
    assert settings.is_symlink()
    assert "run = true" in real.read_text()


def test_settings_that_cannot_be_written_say_so_and_stay(open_book, workspace):
    book = open_book()
    workspace.mkdir()
    (workspace / "configs").write_text("a file")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        book.save(Permission("net"))
    assert (workspace / "configs").read_text() == "a file"


def test_settings_that_are_no_text_say_so_and_stay(open_book, settings, target):
    book = open_book(net=False)
    settings.write_bytes(b"# \xff\nversion = 1\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        book.save(Permission("net"))
    assert settings.read_bytes() == b"# \xff\nversion = 1\n"
