import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ghostos_moss import load_source, parse_source
from ghostos_moss.errors import SourceNotFoundError, SourceSyntaxError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_module_name_and_path_give_the_same_text(folder: Path) -> None:
    path = write(folder / "moss_shop.py", "x = 1\n")
    by_name, by_path = load_source("moss_shop"), load_source(str(path))
    assert (by_name.name, by_name.filename, by_name.package) == ("moss_shop", str(path), "")
    assert (by_path.name, by_path.filename, by_path.package) == ("moss_shop", str(path), "")
    assert by_name.text == by_path.text == by_name.visible == "x = 1\n"
    assert by_name.digest == by_path.digest


def test_loading_does_not_import_the_target(folder: Path) -> None:
    write(folder / "moss_explosive.py", "raise SystemExit\n")
    assert load_source("moss_explosive").text == "raise SystemExit\n"
    assert "moss_explosive" not in sys.modules


def test_path_inside_packages_gets_its_dotted_name(folder: Path) -> None:
    write(folder / "moss_outer/__init__.py", "")
    write(folder / "moss_outer/inner/__init__.py", "")
    path = write(folder / "moss_outer/inner/mod.py", "")
    source = load_source(str(path))
    assert (source.name, source.package) == ("moss_outer.inner.mod", "moss_outer.inner")
    package = load_source(str(path.parent / "__init__.py"))
    assert (package.name, package.package) == ("moss_outer.inner", "moss_outer.inner")
    assert load_source("moss_outer.inner").package == "moss_outer.inner"


def test_file_names_that_are_no_identifiers_work(folder: Path) -> None:
    assert load_source(str(write(folder / "my-agent 2.py", "x = 1"))).name == "my-agent 2"


def test_same_version_is_read_once_and_an_edit_is_seen(folder: Path) -> None:
    path = write(folder / "moss_edited.py", "x = 1\n")
    first = load_source(str(path))
    assert load_source(str(path)) is first
    path.write_text("x = 22\n")
    second = load_source(str(path))
    assert (second.text, first.text) == ("x = 22\n", "x = 1\n")
    assert second.digest != first.digest


def test_edit_of_the_same_size_is_seen(folder: Path) -> None:
    path = write(folder / "moss_same_size.py", "x = 1\n")
    assert load_source("moss_same_size").text == "x = 1\n"
    path.write_text("x = 2\n")
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert load_source("moss_same_size").text == "x = 2\n"


def test_code_is_ready_to_be_executed() -> None:
    namespace: dict[str, Any] = {}
    exec(parse_source("def f() -> int:\n    return 7\n").code, namespace)
    assert namespace["f"]() == 7


def test_declared_encoding_bom_and_line_ends_are_honoured(folder: Path) -> None:
    path = folder / "moss_latin.py"
    path.write_bytes("# -*- coding: latin-1 -*-\r\nname = 'é'\r\n".encode("latin-1"))
    assert load_source(str(path)).text.endswith("name = 'é'\n")
    assert parse_source("\ufeffx = 1\r\ny = 2\r").text == "x = 1\ny = 2\n"


def test_imports_are_listed_in_order_with_absolute_modules() -> None:
    text = (
        "from __future__ import annotations\nimport os.path, json as j\nfrom . import near\nfrom ..up import a as b\n"
        "from far import *\ntry:\n    import fast as impl\nexcept ImportError:\n    import slow as impl\n"
        "def f():\n    import inner\nclass C:\n    import body\n"
    )
    source = parse_source(text, package="pkg.sub")
    assert [(each.name, each.module, each.attribute, each.is_star) for each in source.imports] == [
        ("os", "os.path", None, False),
        ("j", "json", None, False),
        ("near", "pkg.sub", "near", False),
        ("b", "pkg.up", "a", False),
        ("*", "far", None, True),
        ("impl", "fast", None, False),
    ]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("math_of_nobody", "no such module on sys.path"),
        ("nobody.at_all", "there is no module 'nobody'"),
        ("_json", "C extension"),
        ("sys", "built-in"),
        ("not a name", "neither a dotted module name nor the path"),
        ("", "neither a dotted module name nor the path"),
        ("./nowhere/file.py", "there is no folder"),
    ],
)
def test_what_has_no_source_says_why(target: str, reason: str) -> None:
    with pytest.raises(SourceNotFoundError) as caught:
        load_source(target)
    assert caught.value.target == target
    assert reason in str(caught.value)


def test_namespace_package_says_that_it_is_one(folder: Path) -> None:
    (folder / "moss_namespace").mkdir()
    with pytest.raises(SourceNotFoundError, match="namespace package"):
        load_source("moss_namespace")


def test_folder_and_misspelt_file_say_what_to_do(folder: Path) -> None:
    write(folder / "weather.py", "")
    with pytest.raises(SourceNotFoundError, match=r"is a folder: name a \.py file in it"):
        load_source(f"{folder}/")
    with pytest.raises(SourceNotFoundError, match=r"did you mean 'weather\.py'"):
        load_source(str(folder / "wether.py"))


@pytest.mark.parametrize("target", ["x" * 300, f"{'x' * 300}/weather.py", f"./{'x' * 300}.py"])
def test_path_that_the_system_refuses_to_look_at_has_no_source(target: str) -> None:
    with pytest.raises(SourceNotFoundError, match=r"File name too long|no such module"):
        load_source(target)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_folder_that_may_not_be_looked_into_is_named(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o000)
    with pytest.raises(SourceNotFoundError, match=r"weather\.py cannot be read: Permission denied"):
        load_source(str(shut / "weather.py"))


def test_bare_name_of_a_file_in_the_current_folder_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "moss_beside.py", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    with pytest.raises(SourceNotFoundError, match=r"there is a file: pass '\./moss_beside\.py'"):
        load_source("moss_beside")


def test_a_module_is_found_without_running_the_packages_that_it_is_in(folder: Path) -> None:
    write(folder / "moss_bad_parent/__init__.py", "1 / 0\n")
    write(folder / "moss_bad_parent/inner/child.py", "x = 1\n")
    source = load_source("moss_bad_parent.inner.child")
    assert (source.text, source.package) == ("x = 1\n", "moss_bad_parent.inner")
    assert "moss_bad_parent" not in sys.modules
    with pytest.raises(SourceNotFoundError, match=r"there is no module 'moss_bad_parent\.other'"):
        load_source("moss_bad_parent.other.child")
    with pytest.raises(SourceNotFoundError, match="no such module"):
        load_source("moss_bad_parent.inner.child.more")


def test_syntax_error_has_its_place(folder: Path) -> None:
    path = write(folder / "moss_broken.py", "x = 1\ny = (2\n")
    with pytest.raises(SourceSyntaxError) as caught:
        load_source(str(path))
    error = caught.value
    assert (error.filename, error.line, error.source_line) == (str(path), 2, "y = (2")
    assert error.column == 5


@pytest.mark.parametrize("text", ["x = '\0'", "(" * 5000, "x = '\ud800'", "-" * 100_000 + "1"])
def test_text_that_no_parser_takes_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SourceSyntaxError):
        parse_source(text)


def test_undecodable_file_is_a_syntax_error(folder: Path) -> None:
    path = folder / "moss_bytes.py"
    path.write_bytes(b"x = '\xff\xfe'\n")
    with pytest.raises(SourceSyntaxError, match="cannot be decoded"):
        load_source(str(path))


def test_module_in_an_archive_has_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    archive = tmp_path / "lib.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("moss_zipped.py", "x = 1\n")
    monkeypatch.syspath_prepend(archive)
    source = load_source("moss_zipped")
    assert (source.text, source.package) == ("x = 1\n", "")
