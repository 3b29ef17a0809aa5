import subprocess
import sys

import pytest

import ghostos_moss


def test_every_name_is_there_and_comes_from_one_place():
    assert sorted(ghostos_moss._HOMES) == ghostos_moss.__all__ == sorted(ghostos_moss.__all__)
    for name in ghostos_moss.__all__:
        assert getattr(ghostos_moss, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Mos'"):
        _ = ghostos_moss.Mos


@pytest.mark.parametrize(
    "code",
    [
        "from ghostos_moss import *; assert MossCompiler and Moss",
        "import ghostos_moss; assert ghostos_moss.MossRuntime and ghostos_moss.errors.MossError",
        "from ghostos_moss import Moss; import sys; assert 'ghostos_moss._compiler' not in sys.modules",
    ],
)
def test_names_are_found_in_a_fresh_process(code):
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
