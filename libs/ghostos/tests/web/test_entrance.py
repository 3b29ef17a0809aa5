"""The key of a workspace's pages, and the addresses that let a browser have it."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ghostos.errors import WorkspaceError
from ghostos.web.entrance import Entrance


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "runtime" / "web.key"


def test_a_token_lets_in_once(key_file: Path) -> None:
    entrance = Entrance(key_file)
    one, two = entrance.make_token(), entrance.make_token()
    assert entrance.take_token(one)
    assert not entrance.take_token(one)
    assert entrance.take_token(two)
    assert not entrance.take_token("")


def test_of_many_that_come_with_one_token_at_once_one_is_let_in(key_file: Path) -> None:
    entrance = Entrance(key_file)
    for _ in range(50):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(entrance.take_token, [entrance.make_token()] * 8)) == 1


def test_a_token_of_another_start_lets_nobody_in_and_the_cookie_still_does(key_file: Path) -> None:
    before = Entrance(key_file)
    token, cookie = before.make_token(), (before.cookie_name, before.cookie_value)
    after = Entrance(key_file)
    assert not after.take_token(token)
    assert (after.cookie_name, after.cookie_value) == cookie
    assert after.is_known(cookie[1])


def test_the_cookie_of_another_workspace_has_another_name_and_does_not_count(key_file: Path, tmp_path: Path) -> None:
    one, two = Entrance(key_file), Entrance(tmp_path / "other.key")
    assert one.cookie_name != two.cookie_name
    assert not one.is_known(two.cookie_value)


def test_a_key_that_was_deleted_shuts_everybody_out(key_file: Path) -> None:
    cookie = Entrance(key_file).cookie_value
    key_file.unlink()
    assert not Entrance(key_file).is_known(cookie)


@pytest.mark.parametrize("cookie", [None, "", "x", "ä" * 35, "\x00", "x" * 100_000])
def test_anything_else_is_not_known(key_file: Path, cookie: str | None) -> None:
    assert not Entrance(key_file).is_known(cookie)


def test_neither_of_the_two_things_a_browser_gets_is_the_key_or_tells_the_other(key_file: Path) -> None:
    entrance = Entrance(key_file)
    key = key_file.read_text().strip()
    assert re.fullmatch(r"ghostos-2-[0-9a-f]{8}", entrance.cookie_name)
    shown = [entrance.cookie_name.removeprefix("ghostos-2-"), entrance.cookie_value, entrance.make_page_key("a:1")]
    assert all(len(each) >= 32 for each in shown[1:])
    pieces = [text[place : place + 8] for text in [*shown, key] for place in range(len(text) - 7)]
    assert len(pieces) == len(set(pieces))


def test_the_key_of_a_page_counts_for_its_own_host_port_and_workspace(key_file: Path, tmp_path: Path) -> None:
    entrance, host = Entrance(key_file), "127.0.0.1:8501"
    key = entrance.make_page_key(host)
    assert Entrance(key_file).is_page_key(key, host=host), "it stays the same when the server starts again"
    assert entrance.is_page_key(entrance.make_page_key("Box.lan:1"), host="box.LAN:1")
    assert not entrance.is_page_key(key, host="127.0.0.1:8502")
    assert not entrance.is_page_key(key, host="localhost:8501")
    assert not Entrance(tmp_path / "other.key").is_page_key(key, host=host)
    for other in ("", key[:-1], f"{key}x", key.upper(), entrance.cookie_value, "\xe4"):
        assert not entrance.is_page_key(other, host=host)


def test_a_key_that_cannot_be_used_is_named_with_what_is_wrong_and_what_to_do(key_file: Path) -> None:
    Entrance(key_file)
    key_file.chmod(0o644)
    with pytest.raises(WorkspaceError, match="other users can use it: delete it") as caught:
        Entrance(key_file)
    assert str(key_file) in caught.value.happened
    assert "--workspace" in caught.value.advice
    blocked = key_file.parent / "file"
    blocked.touch()
    with pytest.raises(WorkspaceError, match=re.escape(str(blocked / "web.key"))):
        Entrance(blocked / "web.key")
