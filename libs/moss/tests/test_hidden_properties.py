"""Hidden regions in sources of any shape: what lies in one is never shown, and what does not always is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostos_moss import parse_source
from ghostos_moss.errors import HiddenRegionError

OPEN = ("# <moss-hide>", "#<moss-hide>", "#   <MOSS-hide>", "# <moss-hide> and why", "    # <moss-hide>")
CLOSE = ("# </moss-hide>", "#</moss-hide>", "#  </Moss-Hide>", "\t# </moss-hide>")

shown = st.sampled_from(
    (
        ["shown = 1"],
        ["# shown, a comment"],
        ["shown = '# <moss-hide>'"],
        ['shown = """', "# </moss-hide>", "", "", "", "# <moss-hide>", '"""'],
        ["def shown(x=(", "    '''# <moss-hide>''',", ")):", "    # shown", "    return x"],
        ["shown = [", "    1,  # shown", "]"],
        ["shown = f'{1}# </moss-hide>'"],
        ["shown = 'é\u2028\x85'"],
        [""],
        ["", "", ""],
    )
)
secret = st.sampled_from(
    (
        ["secret = 1"],
        ["# secret"],
        ["secret = '''", "# secret </moss-hide>", "'''"],
        ["def secret():", "    return 'secret'"],
        [""],
        ["import secret"],
    )
)
region = st.tuples(st.sampled_from(OPEN), st.lists(secret, max_size=4), st.sampled_from(CLOSE))
pieces = st.lists(st.one_of(shown, region), max_size=12)


def lines_of(piece: list[str] | tuple[str, list[list[str]], str]) -> list[str]:
    if isinstance(piece, list):
        return piece
    opened, inside, closed = piece
    return [opened, *(line for part in inside for line in part), closed]


@given(pieces)
def test_what_is_hidden_is_never_shown_and_all_else_is(pieces):
    text = "".join(f"{line}\n" for piece in pieces for line in lines_of(piece))
    source = parse_source(text)
    assert "secret" not in source.visible
    expected = [line for piece in pieces if isinstance(piece, list) for line in piece if line.strip()]
    assert [line for line in source.visible.split("\n") if line.strip()] == expected
    if not any(isinstance(piece, tuple) for piece in pieces):
        assert source.visible.strip("\n") == text.strip("\n")
    assert parse_source(source.visible).visible == source.visible


@given(pieces, st.sampled_from((*OPEN, *CLOSE)), st.data())
def test_a_mark_without_its_partner_is_always_an_error(pieces, mark, data):
    parts = [lines_of(piece) for piece in pieces]
    parts.insert(data.draw(st.integers(0, len(parts))), [mark])
    with pytest.raises(HiddenRegionError):
        parse_source("".join(f"{line}\n" for part in parts for line in part))
