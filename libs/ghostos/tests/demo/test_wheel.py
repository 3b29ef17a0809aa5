import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

DISTRIBUTION = Path(__file__).parents[2]
DEMOS = DISTRIBUTION / "src" / "ghostos" / "demo"
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


def test_the_wheel_carries_every_demo_with_its_rehearsal(tmp_path):
    pytest.importorskip("hatchling", reason="the build backend is not installed: `make setup` does it")
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=DISTRIBUTION, check=True, timeout=60)
    (wheel,) = tmp_path.glob("ghostos_core-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("ghostos/demo/")}
    sources = {path for path in DEMOS.rglob("*") if path.suffix in {".py", ".yaml"}}
    assert packed == {f"ghostos/demo/{path.relative_to(DEMOS).as_posix()}" for path in sources}
    assert {"ghostos/demo/agents/jojo.rehearsal.yaml", "ghostos/demo/agents/shop.rehearsal.yaml"} <= packed
