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


def test_nothing_of_the_value_is_in_the_name(key_file: Path) -> None:
    entrance = Entrance(key_file)
    assert re.fullmatch(r"ghostos-1-[\w-]{8}", entrance.cookie_name)
    assert len(entrance.cookie_value) >= 32
    assert f"{entrance.cookie_name}{entrance.cookie_value}".removeprefix("ghostos-1-") == key_file.read_text().strip()


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
