"""The guide does as it says: its files are written, its programs run in order, and print what stands under them."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from ghostos_moss import ProcessExecutor
from ghostos_moss.errors import ConfinementError

GUIDE = Path(__file__).parents[3] / "docs" / "moss.md"
FENCE = re.compile(r"^(`{3,})(\w+)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
FILE_NAME = re.compile(r"# (\w+\.py)\n")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The name in its first line, where it is a file to write."""
        named = FILE_NAME.match(self.text) if self.language == "python" else None
        return named[1] if named else None

    @property
    def is_confined(self) -> bool:
        """Whether it runs only where code can be confined."""
        return "ProcessExecutor" in self.text or "confined." in self.text


def can_confine() -> bool:
    executor = ProcessExecutor()
    try:
        executor.check_system()
    except ConfinementError:
        return False
    finally:
        executor.close()
    return True


def read_blocks() -> list[Block]:
    text = GUIDE.read_text(encoding="utf-8")
    found = FENCE.finditer(text)
    return [Block(match[2], match[3], text.count("\n", 0, match.start()) + 2) for match in found]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """The reader's folder, on the path as it is for a script in it; modules that come from there are forgotten."""
    for block in read_blocks():
        if block.file:  # another test's module may have its name
            monkeypatch.delitem(sys.modules, block.file.removesuffix(".py"), raising=False)
    known = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def run_guide(blocks: list[Block], folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[Block, str]]:
    """Each program with what it printed."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        if block.file:
            path = folder / block.file
            path.write_text(block.text, encoding="utf-8")
            written_ns = block.line * 10**9
            os.utime(path, ns=(written_ns, written_ns))  # a file that is written twice differs in time
        elif block.language == "python":
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(GUIDE), "exec", dont_inherit=True), names)
            yield block, capsys.readouterr().out


def test_every_program_of_the_guide_prints_what_stands_under_it(folder, capsys):
    blocks = read_blocks()
    if not can_confine():
        confined = [at for at, block in enumerate(blocks) if block.language == "python" and block.is_confined]
        outputs = [at + 1 for at in confined]
        blocks = [block for at, block in enumerate(blocks) if at not in {*confined, *outputs}]
    ran = [(block.line, printed) for block, printed in run_guide(blocks, folder, capsys)]
    promised = [
        (block.line, under.text if under.language == "text" else "")
        for block, under in zip(blocks, [*blocks[1:], Block("", "", 0)], strict=True)
        if block.language == "python" and not block.file
    ]
    assert ran == promised
    assert len(ran) > 40


def test_every_output_of_the_guide_stands_under_a_program():
    blocks = read_blocks()
    assert {block.language for block in blocks} == {"python", "text"}
    for above, block in pairwise(blocks):
        if block.language == "text":
            assert above.language == "python" and not above.file, block.line


def test_links_of_the_guide_lead_somewhere():
    text = GUIDE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text))
    assert links
    for link in links:
        assert link[1:] in anchors if link.startswith("#") else (GUIDE.parent / link).exists(), link
