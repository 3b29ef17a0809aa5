"""The two pages and the package's readme say what is so."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from ghostos.cli.main import make_app
from ghostos.config import (
    AssetSettings,
    BudgetSettings,
    CodeSettings,
    ModelSettings,
    PermissionSettings,
    ServiceSettings,
    Settings,
    StoreSettings,
)
from ghostos.testing import ModelServer

DOCS = Path(__file__).parents[4] / "docs"
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def command_names():
    app = make_app()
    names = [command.name for command in app.registered_commands]
    for group in app.registered_groups:
        assert isinstance(group.typer_instance, typer.Typer)
        names += [f"{group.name} {command.name}" for command in group.typer_instance.registered_commands]
    return names


def test_every_command_is_on_the_page():
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert [name for name in command_names() if f"`ghostos {name}" not in page] == []


@pytest.mark.parametrize(
    "model",
    [
        Settings,
        CodeSettings,
        PermissionSettings,
        StoreSettings,
        AssetSettings,
        BudgetSettings,
        ServiceSettings,
        ModelSettings,
    ],
)
def test_every_setting_is_on_the_page_with_its_default(model):
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            continue
        shown = "not set" if default is None else f"`{json.dumps(default)}`"
        assert f"| `{name}` | {shown} | {field.description} |" in page


def test_the_examples_of_settings_are_valid():
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        Settings.model_validate(tomllib.loads(example))


def test_the_example_of_a_message_is_one():
    from ghostos.core.message import decode_message

    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    example = re.search(r"```json\n(.*?)\n```", page, re.DOTALL)
    assert example is not None
    assert decode_message(example[1]).content == "It is 5."


def test_every_command_of_the_readme_exists():
    named = re.findall(r"^ghostos ((?:moss |threads )?[a-z-]+)", README, re.MULTILINE)
    assert len(named) == 10
    assert set(named) <= set(command_names())


def test_use_in_python_of_the_readme_runs(served):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    with ModelServer(["Hello to you."]) as server:
        shell = served(server.base_url)
        script = shell.write("program.py", code)
        done = subprocess.run(
            [sys.executable, script], env=shell.variables, capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Hello to you." in done.stdout
