"""Each code block and each statement of the protocol's page has a test that proves it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from .seed_page import PARTS, find_part, parts_of

PROOFS = sorted(Path(__file__).parent.glob("test_seed_page*.py"))

PAGE = """
Skip to main content

Thing description

Not a part. It must vanish.

MOSS Protocol

Why it was made is not a part.

  • Code: It runs.
  • Prompt: It is
    shown.

Use

Get one. It will be new:

def run(moss):
    moss.go()


    # and wait

    moss.wait()

Moss

It must be closed. Or
so they say.

  1. First rule.
  2. Second rule. With a remark.

Project details

It will be uploaded.
"""


def proofs() -> Iterator[tuple[str, ast.FunctionDef]]:
    """What each test says that it proves, read rather than imported: it does not matter which tests are run."""
    for path in PROOFS:
        statements = ast.parse(path.read_text(encoding="utf-8")).body
        texts = {ast.unparse(each.targets[0]): each.value for each in statements if isinstance(each, ast.Assign)}
        for test in (each for each in statements if isinstance(each, ast.FunctionDef)):
            for decorator in test.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "proves":
                    for argument in decorator.args:
                        yield ast.literal_eval(texts.get(ast.unparse(argument), argument)), test


def test_every_part_of_the_page_is_proved():
    proved = {find_part(fragment).id for fragment, _ in proofs()}
    assert [f"{part.id} {part.section}: {part.text}" for part in PARTS if part.id not in proved] == []


def test_every_proof_is_a_test_that_can_fail():
    tests = {test.name: test for _, test in proofs()}
    assert len(tests) > 40
    assert all(name.startswith("test_") for name in tests)
    checks = (ast.Assert, ast.With)
    idle = [name for name, test in tests.items() if not any(isinstance(node, checks) for node in ast.walk(test))]
    assert idle == []


def test_parts_are_told_apart_and_few_enough_to_be_read():
    assert len({part.id for part in PARTS}) == len(PARTS)
    assert sum(part.kind == "code" for part in PARTS) == 15
    assert sum(part.kind == "item" for part in PARTS) == 20
    assert sum(part.kind == "sentence" for part in PARTS) == 38


def test_a_page_is_taken_apart_by_its_layout():
    parts = [(part.kind, part.section, part.text) for part in parts_of(PAGE)]
    assert parts == [
        ("item", "MOSS Protocol", "Code: It runs."),
        ("item", "MOSS Protocol", "Prompt: It is shown."),
        ("sentence", "Use", "Get one."),
        ("code", "Use", "def run(moss):\n    moss.go()\n\n\n    # and wait\n\n    moss.wait()"),
        ("sentence", "Moss", "It must be closed."),
        ("sentence", "Moss", "Or so they say."),
        ("item", "Moss", "First rule."),
        ("item", "Moss", "Second rule. With a remark."),
    ]
