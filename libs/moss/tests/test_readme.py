import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_readme_run_one_after_the_other_and_print_what_they_say(capsys):
    names: dict[str, object] = {"__name__": "readme"}
    said: list[str] = []
    for block in BLOCKS:
        exec(compile(block, str(README), "exec"), names)
        said += [
            line.strip().removeprefix("# ") for line in block.splitlines() if line.startswith(("    #", "        #"))
        ]
    printed = capsys.readouterr().out
    assert len(BLOCKS) == 6
    assert [line for line in said if line.strip() not in printed] == []
    assert printed.endswith("test_prices ok\n")
