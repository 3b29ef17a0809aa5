"""Edits of a source as text: where they go, what they leave alone, and what is refused. Nothing runs."""

import ast
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostos_moss import PyContext, version_id
from ghostos_moss._code_editor import CodeEditor
from ghostos_moss._code_versions import make_version, read_version
from ghostos_moss.errors import CodeEditError, CodeVersionError, EditFailedError, EditTargetError, ProtectedCodeError

SOURCE = '''\
"""A module."""   # with a remark

import   os


LIMIT: int = 3  # most


def plain(a):
    return a   # as it is


# about the next
@staticmethod
@functools.cache
def decorated( x ):
    """Doc.

    More.
    """
    return x


class Tool:
    size = 1

    @property
    def width(self): return 1

    # between
    @width.setter
    def width(self, value): ...

    async def roll(self, far):
        text = """
  kept as it is
"""
        return text


if os.name:
    def inner(): ...
else:
    other = 1

one = 1; two = 2
'''


def clock() -> Callable[[], datetime]:
    start = datetime(2026, 11, 25, tzinfo=UTC)
    return (start + timedelta(seconds=n) for n in itertools.count()).__next__


def editor(source: str = SOURCE, *, problems: tuple[str, ...] = (), pycontext: PyContext | None = None) -> CodeEditor:
    return CodeEditor(pycontext or PyContext(), original=source, try_out=lambda _: problems, clock=clock())


def edited(source: str, edit: Callable[[CodeEditor], object]) -> str:
    made = editor(source)
    edit(made)
    made.commit()
    context = made.save_to(PyContext())
    return source if context.code is None else context.code


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("plain", "def plain(a):\n    return a   # as it is\n", "def plain(b): return b\n"),
        ("LIMIT", "LIMIT: int = 3  # most\n", "LIMIT = 4\n"),
        ("inner", "    def inner(): ...\n", "    def inner(): pass\n"),
        ("other", "    other = 1\n", "    other = 2\n"),
        ("Tool.size", "    size = 1\n", "    size = 2\n"),
    ],
)
def test_a_definition_is_replaced_and_all_around_it_stays_to_the_byte(name, old, new):
    assert old in SOURCE
    assert edited(SOURCE, lambda it: it.replace(name, new)) == SOURCE.replace(old, new)


def test_decorators_belong_to_a_definition_and_the_comment_above_does_not():
    text = edited(SOURCE, lambda it: it.replace("decorated", "def decorated(): ...\n"))
    assert "# about the next\ndef decorated(): ...\n\n\nclass Tool:" in text


def test_definitions_of_one_name_that_follow_each_other_are_one():
    code = "@property\ndef width(self):\n    return 2"
    text = edited(SOURCE, lambda it: it.replace("Tool.width", code))
    assert "    size = 1\n\n    @property\n    def width(self):\n        return 2\n\n    async def roll" in text


def test_code_is_moved_to_the_indentation_of_its_place_but_not_the_text_in_its_strings():
    code = (
        'async def roll(self):\n    """Doc.\n\n    More.\n    """\n    return """\nas given\n  """ + f"""\n{1}\n"""\n'
    )
    text = edited(SOURCE, lambda it: it.replace("Tool.roll", code))
    method = ast.parse(text).body[-4]
    assert isinstance(method, ast.ClassDef)
    roll = method.body[-1]
    assert isinstance(roll, ast.AsyncFunctionDef)
    assert ast.get_docstring(roll) == "Doc.\n\nMore."
    assert 'return """\nas given\n  """ + f"""\n{1}\n"""' in text
    assert '        """Doc.\n\n        More.\n        """\n' in text


def test_code_that_is_indented_already_fits_as_it_is():
    code = '    async def roll(self):\n        return """\n    as given\n"""\n'
    assert code in edited(SOURCE, lambda it: it.replace("Tool.roll", code))
    deeper = "        async def roll(self):\n            return 1"
    assert "\n    async def roll(self):\n        return 1\n" in edited(
        SOURCE, lambda it: it.replace("Tool.roll", deeper)
    )


def test_tabs_of_the_place_are_kept():
    source = "class Tool:\n\tdef roll(self):\n\t\treturn 1\n"
    text = edited(source, lambda it: it.replace("Tool.roll", "def roll(self):\n    return 2"))
    assert text == "class Tool:\n\tdef roll(self):\n\t    return 2\n"


def test_empty_code_removes_a_definition():
    assert edited("a = 1\nb = 2\n", lambda it: it.replace("a", "")) == "b = 2\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "new = 1\n"),
        ("a = 1\n", "a = 1\n\n\nnew = 1\n"),
        ("a = 1", "a = 1\n\n\nnew = 1"),
        ("a = 1\n\n\n\n\n", "a = 1\n\n\n\n\nnew = 1\n"),
        ("a = 1\n# end", "a = 1\n# end\n\n\nnew = 1"),
        ("ü = 'ü'\n", "ü = 'ü'\n\n\nnew = 1\n"),
    ],
)
def test_code_is_appended_after_two_blank_lines_and_the_end_stays_as_it_was(source, expected):
    assert edited(source, lambda it: it.append("\nnew = 1\n\n")) == expected


def test_line_ends_of_the_code_do_not_matter():
    assert edited("a = 1\n", lambda it: it.append("b = 1\r\nc = 2\r")) == "a = 1\n\n\nb = 1\nc = 2\n"


def test_what_is_there_already_cannot_be_appended():
    with pytest.raises(EditTargetError, match=r"plain: the module has it already: use replace\('plain', code\)"):
        editor().append("def plain(): ...")


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("plane", "x", "did you mean plain?"),
        ("roll", "x", "did you mean Tool.roll?"),
        ("Tool.wid", "x", "did you mean Tool.width?"),
        ("plain.x", "x", "plain is no class"),
        ("one", "one = 3", "shares a line"),
        ("two", "two = 3", "shares a line"),
        ("", "x", "no such definition"),
        ("os", "x", "no such definition"),
        ("plain", "def other(): ...", "the code does not define it"),
        ("plain", "def plain(", "line 1"),
        ("plain", "  def plain(): ...\nx = 1", "does not parse"),
        ("plain", "def plain(): ...\0", "does not parse"),
        ("Tool.size", "", "parse"),
    ],
)
def test_edits_that_cannot_be_made_say_why(name, code, reason):
    source = SOURCE if name != "Tool.size" else "class Tool:\n    size = 1\n"
    made = editor(source)
    with pytest.raises(CodeEditError, match=reason.replace("(", r"\(")):
        made.replace(name, code)
    assert made.diff() == ""


def test_a_name_that_is_defined_twice_is_refused():
    with pytest.raises(EditTargetError, match="defined 2 times"):
        editor("a = 1\nb = 2\na = 3\n").replace("a", "a = 4")


@pytest.mark.parametrize("code", [3, None, b"x = 1"])
def test_code_must_be_text(code):
    for edit in (editor().append, editor().rewrite, lambda given: editor().replace("plain", given)):
        with pytest.raises(CodeEditError, match="give the code as a str"):
            edit(code)


def test_problems_of_the_trial_refuse_an_edit():
    made = editor(problems=("test_x failed", "test_y failed"))
    with pytest.raises(EditFailedError, match="test_y failed") as caught:
        made.append("x = 1")
    assert caught.value.problems == ("test_x failed", "test_y failed")
    assert (made.diff(), made.versions()) == ("", [])


def test_an_edit_that_changes_nothing_is_no_version_and_is_not_tried_out():
    made = editor(problems=("never asked",))
    assert made.rewrite(SOURCE).startswith("Nothing changed")
    assert made.replace("plain", "def plain(a):\n    return a   # as it is").startswith("Nothing changed")
    assert made.versions() == []


def test_getsource_gives_definitions_with_their_decorators():
    assert editor().getsource("Tool.width").startswith("    @property\n    def width")
    assert editor().getsource("Tool.width").endswith("def width(self, value): ...\n")
    assert editor().getsource("LIMIT") == "LIMIT: int = 3  # most\n"
    assert editor().getsource() == SOURCE


def test_sources_have_a_largest_size():
    made = editor("a = 1\n")
    for edit in (made.append, made.rewrite, lambda code: made.replace("a", code)):
        with pytest.raises(CodeEditError, match="1,048,576 characters"):
            edit(f"b = '{'x' * 1024 * 1024}'")
    with pytest.raises(CodeEditError, match="1,048,576 characters"):
        made.append(f"b = '{'x' * (1024 * 1024 - 6)}'")
    for number in range(4):
        made.rewrite(f"a = '{str(number) * 1_000_000}'")
    with pytest.raises(CodeEditError, match="together 4,194,304"):
        made.rewrite(f"a = '{'y' * 1_000_000}'")


@pytest.mark.parametrize("code", ["x = " + "(" * 5000, "x = " + "-" * 100_000 + "1", "x = " + "+".join("1" * 50_000)])
def test_sources_that_are_nested_too_deeply_are_refused(code):
    made = editor("a = 1\n")
    for edit in (made.append, made.rewrite):
        with pytest.raises(CodeEditError):
            edit(code)
    assert made.diff() == ""


def test_a_long_source_of_equal_lines_is_rewritten_in_time():
    hidden = "# <moss-hide>\nsecret = 1\n# </moss-hide>\n"
    source = "a = 1\n" * 5_000 + hidden + "a = 1\n" * 5_000 + "b = 1\n"
    text = edited(source, lambda it: it.rewrite("a = 1\n" * 10_000 + "b = 1\nc = 1\n"))
    assert text.count(hidden) == 1


def test_versions_say_where_they_came_from_and_a_text_that_comes_again_is_the_same_version():
    made = editor("a = 1\n")
    made.rewrite("a = 2")
    made.rewrite("a = 3")
    made.rewrite("a = 2")
    first, third, second = made.versions()
    assert [it.note for it in (first, second, third)] == ["before the edits", "rewrite", "rewrite"]
    assert (first.parent, second.parent, third.parent) == (None, first.id, second.id)
    assert (first.id, second.is_current) == (version_id("a = 1\n"), True)
    assert second.created_at > third.created_at


def test_a_version_that_is_damaged_or_gone_is_named():
    now = datetime(2026, 11, 25, tzinfo=UTC)
    root = make_version("a = 1\n", base="", note="", created_at=now)
    child = make_version("a = 2\n", parent=root.id, parent_text="a = 1\n", base="", note="", created_at=now)
    assert read_version([root, child], child.id) == "a = 2\n"
    for versions, reason in [
        ([child], "made from is not there"),
        ([root], "it is not there"),
        ([root.model_copy(update={"text": "b = 1\n"}), child], "damaged"),
        ([root.model_copy(update={"parent": child.id}), child], "made from is not there"),
    ]:
        with pytest.raises(CodeVersionError, match=reason):
            read_version(versions, child.id)


LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "", "# ü", "    ", "c = [", "]", "x" * 50]), max_size=12)


@given(LINES, LINES)
def test_a_version_is_kept_as_what_changed_and_read_back_whole(old, new):
    now = datetime(2026, 11, 25, tzinfo=UTC)
    first, second = "\n".join(old), "\n".join(new)
    root = make_version(first, base="", note="", created_at=now)
    child = make_version(second, parent=root.id, parent_text=first, base="", note="", created_at=now)
    if root.id != child.id:
        assert read_version([child, root], child.id) == second
        assert len(child.text) <= len(second)


HIDDEN = """\
import os
# <moss-hide>
import secret_module
# </moss-hide>


class Tool:
    size = 1

    # <moss-hide>
    def secret(self):
        return 42

    # </moss-hide>
    def shown(self):
        return 1


def first():
    return 1


# <moss-hide>
def test_first():
    assert first() == 1


# </moss-hide>
def second():
    return 2


# <moss-hide>
def test_second(): ...
# </moss-hide>
"""
SECRETS = ("secret", "test_first", "test_second", "moss-hide")


def regions(text: str) -> list[str]:
    return [part.partition("# </moss-hide>")[0] for part in text.split("# <moss-hide>")[1:]]


def test_hidden_code_is_in_no_source_or_diff():
    made = editor(HIDDEN)
    made.replace("second", "def second():\n    return 3")
    made.append("third = 3")
    for text in (made.getsource(), made.getsource("Tool"), made.diff(), repr(made.versions())):
        assert not any(secret in text for secret in SECRETS)
    assert "+    return 3" in made.diff()
    assert "def shown" in made.getsource("Tool")


def test_a_hidden_name_is_taken():
    with pytest.raises(EditTargetError, match="test_first: the name is taken: choose another one"):
        editor(HIDDEN).append("def test_first(): ...")


@pytest.mark.parametrize("name", ["test_first", "Tool.secret", "secret_module"])
def test_hidden_definitions_cannot_be_named(name):
    for edit in (lambda it: it.getsource(name), lambda it: it.replace(name, "x = 1")):
        with pytest.raises(EditTargetError, match="no such definition in the module"):
            edit(editor(HIDDEN))


@pytest.mark.parametrize(
    "edit",
    [
        lambda it: it.replace("Tool", "class Tool: ..."),
        lambda it: it.append("# <moss-hide>\nx = 1\n# </moss-hide>"),
        lambda it: it.append("x = 1\n# </moss-hide>"),
        lambda it: it.replace("second", "# <moss-hide>\ndef second(): ...\n# </moss-hide>"),
        lambda it: it.rewrite("x = 1"),
        lambda it: it.rewrite(it.getsource().replace("class Tool", "class Other")),
        lambda it: it.rewrite(HIDDEN),
        lambda it: it.rewrite(HIDDEN.replace("42", "43")),
    ],
)
def test_hidden_code_cannot_be_changed_moved_removed_or_added_to(edit):
    made = editor(HIDDEN)
    with pytest.raises(ProtectedCodeError):
        edit(made)
    assert made.diff() == ""


def test_what_is_around_hidden_code_can_be_edited():
    text = edited(HIDDEN, lambda it: (it.replace("first", "def first():\n    return 2\n\n\nx = 1"), it.append("y = 1")))
    assert regions(text) == regions(HIDDEN)
    assert text.endswith("# </moss-hide>\n\n\ny = 1\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 2", "return 3"),
        ("    return 1\n\n\ndef second", "    x = 1\n    return x\n\n\ndef second"),
        ("def first():\n    return 1\n", "def first():\n    return 1 + 0\n    # more\n"),
        ("def first():\n", "added = 1\n\n\ndef first():\n"),
        ("def second():\n    return 2\n", "def first_and_half(): ...\n\n\ndef second():\n    return 2\n"),
        ("    return 2\n", "    return 2\n\n\nlast = 1\n"),
        ("    size = 1", "    size = 2"),
        ("import os\n", ""),
    ],
)
def test_the_visible_source_is_rewritten_around_hidden_code(old, new):
    visible = editor(HIDDEN).getsource()
    assert old in visible
    wanted = visible.replace(old, new)
    made = editor(HIDDEN)
    made.rewrite(wanted)
    made.commit()
    text = made.save_to(PyContext()).code or ""
    assert regions(text) == regions(HIDDEN)
    assert made.getsource().replace("\n", "") == wanted.replace("\n", "")
    assert text.index("def test_first") > text.index("def first")


def test_rewriting_with_what_is_shown_changes_nothing():
    assert editor(HIDDEN).rewrite(editor(HIDDEN).getsource()).startswith("Nothing changed")


STATEMENTS = ["a = 1", "def f():\n    return 1", "class C:\n    x = 1", "# remark", "import os", "", "g = [\n    1,\n]"]


@given(
    st.lists(st.tuples(st.sampled_from(STATEMENTS), st.booleans()), max_size=8),
    st.lists(st.sampled_from(STATEMENTS), max_size=8),
)
def test_whatever_is_rewritten_hidden_code_stays_or_the_edit_is_refused(parts, new):
    source = "\n".join(f"# <moss-hide>\n{text}\n# </moss-hide>" if is_hidden else text for text, is_hidden in parts)
    made = editor(source)
    try:
        made.rewrite("\n".join(new))
    except CodeEditError:
        assert made.diff() == ""
        return
    made.commit()
    text = made.save_to(PyContext(code=source)).code
    text = source if text is None else text
    ast.parse(text)
    assert regions(text) == regions(source)


PERMITTED = """\
from ghostos_moss import Moss as Parent, Permissions, on_host as host

__moss_permissions__ = Permissions(net=True)


@host
def fetch(url):
    return url


class Tool:
    @host
    def go(self): ...


def plain(): ...
"""


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda it: it.replace("__moss_permissions__", "__moss_permissions__ = Permissions(run=True)"), "user's"),
        (lambda it: it.replace("__moss_permissions__", ""), "__moss_permissions__ is the user's"),
        (lambda it: it.append("def f():\n    __moss_permissions__ = None"), "__moss_permissions__"),
        (lambda it: it.append("__moss_permissions__.x = 1"), "__moss_permissions__"),
        (lambda it: it.append("def f():\n    global __moss_permissions__"), "__moss_permissions__"),
        (lambda it: it.append("import x as __moss_permissions__"), "__moss_permissions__"),
        (lambda it: it.append("def f():\n    try: ...\n    except E as __moss_permissions__: ..."), "__moss_perm"),
        (lambda it: it.append("for __moss_permi\u017fsions__ in []: ..."), "__moss_permissions__"),
        (lambda it: it.append("del __moss_permissions__"), "__moss_permissions__"),
        (lambda it: it.replace("fetch", "@host\ndef fetch(url):\n    return open(url)"), "@on_host is the user's"),
        (lambda it: it.replace("fetch", "def fetch(url):\n    return url"), "@on_host"),
        (lambda it: it.replace("plain", "@host\ndef plain(): ..."), "@on_host"),
        (lambda it: it.append("import ghostos_moss\n\n@ghostos_moss.on_host\ndef more(): ..."), "@on_host"),
        (lambda it: it.append("from ghostos_moss import on_host as h\n\n@h\ndef more(): ..."), "@on_host"),
        (lambda it: it.append("again = host\n\n@again\ndef more(): ..."), "@on_host"),
        (lambda it: it.append("def on_host(f): return f"), "@on_host"),
        (lambda it: it.replace("Tool.go", "@host\ndef go(self): return 1"), "@on_host"),
        (lambda it: it.replace("Tool", "class Other: ...\n\nclass Tool: ..."), "@on_host"),
        (lambda it: it.rewrite(it.getsource().replace("class Tool", "class Other")), "@on_host"),
    ],
)
def test_permissions_and_marks_of_host_functions_cannot_be_edited(edit, told):
    made = editor(PERMITTED)
    with pytest.raises(ProtectedCodeError, match=told):
        edit(made)
    assert made.diff() == ""


@pytest.mark.parametrize(
    "edit",
    [
        lambda it: it.append('NOTE = "__moss_permissions__ and on_host are only text here"'),
        lambda it: it.replace("plain", "def plain():\n    return fetch(1)"),
        lambda it: it.rewrite(it.getsource().replace("Parent, Perm", "Parent, SelfUpdater, Perm")),
        lambda it: it.rewrite("x = 1\n" + it.getsource()),
    ],
)
def test_what_is_beside_permissions_and_marks_can_be_edited(edit):
    made = editor(PERMITTED)
    edit(made)
    assert made.diff()


def test_a_version_from_before_the_user_changed_hidden_code_is_not_restored():
    made = editor("a = 1\n")
    made.append("b = 1")
    made.commit()
    context = made.save_to(PyContext())
    later = editor("a = 1\n# <moss-hide>\nc = 1\n# </moss-hide>\n", pycontext=context.model_copy(update={"code": None}))
    with pytest.raises(ProtectedCodeError):
        later.restore(context.versions[-1].id)
