"""What holds for the repository as a whole and no single package can check."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("container", "common", "moss", "ghostos", "meta")
MAX_LINES = 400
# Hand-written sources past the limit, each with the reason why splitting it would make it harder to read.
LONG_SOURCES: dict[str, str] = {}
# Written so that they do not match themselves.
FORBIDDEN = {
    "a registry's host": re.compile(
        r"pypi[.]org|pythonhosted[.]org|npmjs[.](?:org|com)|(?:deb|security)[.]debian[.]org"
    ),
    "a download address": re.compile(r"https?://\S+[.](?:whl|tgz|tar[.]gz|deb|exe)\b"),
    "a path of one machine": re.compile(r"(?<![\w.~}])/(?:work|root|home/\w|Users/\w|opt/\w)"),
}
NOT_STRICT = {"drivers", "web"}  # where libraries without types come in


@cache
def read_toml(path: Path) -> dict[str, Any]:
    """Return the parsed file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def project_of(part: str) -> dict[str, Any]:
    """Return the project table of one distribution."""
    return read_toml(ROOT / "libs" / part / "pyproject.toml")["project"]


def requirements_of(part: str) -> list[Requirement]:
    """Return what a distribution requires, with every extra."""
    project = project_of(part)
    optional = (line for lines in project.get("optional-dependencies", {}).values() for line in lines)
    return [Requirement(line) for line in [*project.get("dependencies", []), *optional]]


@cache
def versioned_files() -> list[Path]:
    """Return the files that a commit of everything would hold."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    """Yield the versioned files that are text, with their text."""
    for path in versioned_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT), content.decode("utf-8")


def sources() -> list[Path]:
    """Return the hand-written Python files that are not tests."""
    return [path for path in versioned_files() if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, f"{what} stands in:\n" + "\n".join(found)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_is_forbidden_is_recognised(what: str) -> None:
    lines = [
        "https://py" + "pi.org/simple",
        "http://host/a-1.0-py3-none-any." + "whl",
        "cd /" + "work/main",
        "~/work/main",
    ]
    assert [bool(FORBIDDEN[what].search(line)) for line in lines].count(True) == 1


def test_links_between_documents_lead_somewhere() -> None:
    documents = [(path, text) for path, text in texts() if path.suffix == ".md" and "seeds" not in path.parts]
    links = [(path, link) for path, text in documents for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)]
    assert links
    assert [f"{path}: {link}" for path, link in links if not (ROOT / path.parent / link).exists()] == []


def test_all_distributions_have_one_version() -> None:
    assert len({project_of(part)["version"] for part in PARTS}) == 1


@pytest.mark.parametrize("part", PARTS)
def test_sisters_are_pinned_to_that_version(part: str) -> None:
    version = project_of("ghostos")["version"]
    sisters = [each for each in requirements_of(part) if each.name.startswith("ghostos")]
    assert [str(each.specifier) for each in sisters] == [f"=={version}"] * len(sisters)


def test_the_meta_distribution_passes_every_extra_on() -> None:
    extras = project_of("meta")["optional-dependencies"]
    assert extras.keys() == project_of("ghostos")["optional-dependencies"].keys()
    for extra, lines in extras.items():
        (requirement,) = map(Requirement, lines)
        assert (requirement.name, requirement.extras) == ("ghostos-core", {extra})


def test_the_extra_all_holds_every_other_extra() -> None:
    extras = project_of("ghostos")["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.extras == extras.keys() - {"all"}


def test_every_third_party_requirement_has_a_constraint_that_it_accepts() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*==[0-9][\w.+!]*", line) for line in lines)
    versions = dict(line.split("==") for line in lines)
    tools = [Requirement(line) for line in read_toml(ROOT / "pyproject.toml")["dependency-groups"]["dev"]]
    third_party = [each for part in PARTS for each in requirements_of(part) if not each.name.startswith("ghostos")]
    misfits = [
        str(each)
        for each in [*third_party, *tools]
        if not each.specifier.contains(versions.get(canonicalize_name(each.name), "missing"), prereleases=True)
    ]
    assert not misfits, f"constraints.txt does not fit {misfits}: run `make constraints`"


def exported_names(tree: ast.Module) -> list[str] | None:
    """Return the module's `__all__`, None where it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def export_order(name: str) -> tuple[int, str]:
    """Sort constants first, then classes, then the rest: the order of ruff's RUF022."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


def test_exports_are_sorted_and_named_once() -> None:
    exports = {path: exported_names(ast.parse(path.read_text(encoding="utf-8"), path)) for path in sources()}
    wrong = [str(path) for path, names in exports.items() if names and names != sorted(set(names), key=export_order)]
    assert not wrong


def test_long_sources_are_those_that_give_a_reason() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {path for path, length in lengths.items() if length > MAX_LINES} == LONG_SOURCES.keys()


def test_every_package_that_is_not_a_driver_or_a_page_is_checked_strictly() -> None:
    package = ROOT / "libs/ghostos/src/ghostos"
    strict = {Path(entry).name for entry in read_toml(ROOT / "pyproject.toml")["tool"]["basedpyright"]["strict"]}
    folders = {path.relative_to(package).parts[0] for path in sources() if path.is_relative_to(package / "")}
    packages = {name for name in folders if (package / name).is_dir()}
    assert packages - NOT_STRICT <= strict
