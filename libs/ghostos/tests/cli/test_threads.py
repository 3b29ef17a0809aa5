import pytest

from ghostos.testing import ModelServer

pytestmark = pytest.mark.slow

PLUS = "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"


@pytest.fixture
def talked(served):
    with ModelServer([PLUS, "It is ```5```."]) as server:
        shell = served(server.base_url)
        assert shell.run("ask", "foo.py", "what is 2 plus 3?", "--thread", "t1").status == 0
    return shell


def test_show_prints_every_message(talked):
    shown = talked.run("threads", "show", "t1")
    assert (shown.status, shown.err) == (0, "")
    for seq, kind, content in [
        (1, "user text", "what is 2 plus 3?"),
        (2, "system state", "model: openai:gpt-4o | code runs confined"),
        (3, "assistant text", "Let me see."),
        (4, "assistant code", "print(plus(2, 3))"),
        (5, "environment output", "5"),
        (6, "assistant text", "It is ```5```."),
    ]:
        title, _, rest = shown.out.partition(f"#{seq}  ")[2].partition("\n")
        assert title.endswith(kind)
        assert rest.startswith(f"    {content}")


def test_export_is_the_message_format_and_markdown_whose_fences_hold(talked):
    lines = talked.run("threads", "export", "t1").messages
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["content"] == "what is 2 plus 3?"
    document = talked.run("threads", "export", "t1", "--format", "md").out
    assert "## Assistant: code\n\n```python\nprint(plus(2, 3))\n```\n" in document


def test_list_has_a_line_for_each_thread(talked):
    head, line = talked.run("threads", "list").out.splitlines()
    assert head.split() == ["THREAD", "STATE", "TURNS", "MESSAGES", "LAST", "USED", "TARGET"]
    assert line.split()[:4] == ["t1", "waiting", "1", "6"]
    assert line.endswith(str(talked.folder / "foo.py"))


@pytest.mark.parametrize(("words", "status"), [(["list"], 0), (["show", "t1"], 2), (["export", "t1"], 2)])
def test_looking_makes_nothing(shell, words, status):
    workspace = shell.workspace.parent / "new"
    assert shell.run("threads", *words, "--workspace", str(workspace)).status == status
    assert not workspace.exists()


def test_clear_runtime_deletes_threads_and_keeps_settings(talked):
    cleared = talked.run("clear-runtime", "--yes")
    assert cleared.status == 0, cleared.err
    assert talked.run("threads", "list").out.startswith("No threads yet.")
    assert (talked.workspace / "configs" / "ghostos.toml").is_file()
    left = {path.name for path in (talked.workspace / "runtime").iterdir()}
    assert {name for name in left if not name.startswith("ghostos.db")} == set()
