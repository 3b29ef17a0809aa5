import pytest

from ghostos_moss import parse_source
from ghostos_moss.errors import HiddenRegionError


def test_regions_leave_no_trace_in_the_visible_source() -> None:
    source = parse_source(
        "import shown\n\n\n# <moss-hide>\nimport secret\n# </moss-hide>\n\n\ndef f():\n    return 1\n\n\n"
        "# <moss-hide>\nKEY = 1\n# </moss-hide>\n"
    )
    assert source.visible == "import shown\n\n\ndef f():\n    return 1\n"
    assert "secret" in source.text


def test_visible_source_is_the_text_where_nothing_is_hidden() -> None:
    text = 'x = 1\n\n\n\n\ny = """a\n\n\n\n\nb"""\n'
    assert parse_source(text).visible == text


def test_marks_in_strings_and_docstrings_are_text() -> None:
    text = '"""Use\n# <moss-hide>\nto hide."""\nx = "# </moss-hide>"\n'
    assert parse_source(text).visible == text


def test_region_inside_a_class_is_hidden() -> None:
    source = parse_source("class A:\n    x = 1\n    #<moss-hide>\n    y = 2\n    # </MOSS-HIDE>\n    z = 3\n")
    assert source.visible == "class A:\n    x = 1\n    z = 3\n"


def test_names_bound_only_in_regions_are_hidden_names() -> None:
    source = parse_source(
        "import both\n# <moss-hide>\nimport both, os.path\nfrom a import b as c\n\ndef hook(): inner = 1\n"
        "class K: attr = 1\nx, (y, *z) = 1, (2, 3)\nfor i in []: pass\nwith open('f') as f: pass\n"
        "if (w := 1): v: int = 2\nlam = lambda q: q\nlist_ = [e for e in []]\n"
        "match 1:\n    case [m, *n]: pass\n    case {'k': o, **p}: pass\n# </moss-hide>\nx = 5\n"
    )
    assert source.hidden_names == {
        "os",
        "c",
        "hook",
        "K",
        "y",
        "z",
        "i",
        "f",
        "w",
        "v",
        "lam",
        "list_",
        "m",
        "n",
        "o",
        "p",
    }
    assert [each.name for each in source.imports] == ["both"]


def test_everything_hidden_leaves_an_empty_source() -> None:
    assert parse_source("# <moss-hide>\nx = 1\n# </moss-hide>\n").visible == ""


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("x = 1\n# <moss-hide>\n", 2, "never closed"),
        ("x = 1\n\n# </moss-hide>\n", 3, "closes nothing"),
        ("# <moss-hide>\n# <moss-hide>\n# </moss-hide>\n", 2, "opened on line 1 is still open"),
        ("x = 1  # <moss-hide>\n# </moss-hide>\n", 1, "a line of its own"),
    ],
)
def test_marks_that_do_not_pair_up_are_an_error(text: str, line: int, reason: str) -> None:
    with pytest.raises(HiddenRegionError, match=reason) as caught:
        parse_source(text, filename="shop.py")
    assert (caught.value.filename, caught.value.line) == ("shop.py", line)
