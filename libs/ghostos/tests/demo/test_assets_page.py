"""The page on files and values by id does as it says: its agent draws, saves and is refused; its program runs."""

import importlib
import os
import re
import subprocess
import sys

import pytest
from PIL import Image

from ghostos.ghosts.target import load_target

from .test_docs import blocks, folder, run_reply, skip_where_code_cannot_be_confined, write_files

__all__ = ["folder"]  # a fixture

PAGE = "assets.md"


@pytest.mark.parametrize("sandbox", ["process", "off"])
def test_its_replies_run_and_put_out_what_it_says(folder, sandbox):
    if sandbox == "process":
        skip_where_code_cannot_be_confined()
    write_files(PAGE, folder)
    shown, checked = "", 0
    for block in blocks(PAGE):
        text = block.text.strip()
        if sandbox == "off" and "/etc/passwd" in text:
            continue  # code in this process may read what it likes
        if text.startswith("<moss>"):
            shown = run_reply(text, target="sales.py", workspace=folder / "workspace", sandbox=sandbox)
        elif text.startswith("<moss-output"):
            assert shown == text
            checked += 1
    assert checked == (4 if sandbox == "process" else 3)


def test_its_file_is_a_target_and_draws_an_image_of_the_values(folder):
    write_files(PAGE, folder)
    assert load_target("sales.py").source.text
    sys.path.insert(0, str(folder))
    sales = importlib.import_module("sales")

    with Image.open(folder / sales.draw_bars([0, 100])) as image:
        assert image.size == (20, 100)
        assert [image.getpixel((x, 50)) for x in (5, 15)] == [255, 0]


def test_its_program_runs(folder):
    (program,) = [block.text for block in blocks(PAGE) if block.language == "python" and not block.file]
    environment = {**os.environ, "GHOSTOS_WORKSPACE": str(folder / "workspace"), "OPENAI_API_KEY": "made-up"}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    promised = re.findall(r"\)  # (.+)$", program, re.MULTILINE)
    assert len(promised) == 2
    assert ran.stdout.splitlines() == promised
