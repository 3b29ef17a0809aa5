"""What is hidden of texts that are recorded, and that looking for it takes no long time."""

import json
import time

import pytest

from ghostos_moss._redact import is_secret_name
from ghostos_moss._secrets import SecretMask

KEY = "zebra7quokka"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("password=x1y2&page=2", "password=(secret)&page=2"),
        ('{"password": "abc\\"def", "n": 1}', '{"password": "(secret)", "n": 1}'),
        ('{\\"apiKey\\": \\"zzz\\", \\"b\\": 2}', '{\\"apiKey\\": \\"(secret)", \\"b\\": 2}'),
        ('body=\'{"token": "zz"}\'', 'body=\'{"token": "(secret)"}\''),
        ("https://ada:pw4@host/x?api_key=pw5&n=2", "https://ada:(secret)@host/x?api_key=(secret)&n=2"),
        ("Authorization: Basic YWRhOnB3\nAccept: *", "Authorization: (secret)\nAccept: *"),
        ("Cookie: a=b; c=d\nNext: 1", "Cookie: (secret)\nNext: 1"),
        ("curl -H 'Authorization: Bearer abcdefghij' x", "curl -H 'Authorization: (secret)' x"),
        ("sent with Bearer abc.def-ghi", "sent with (secret)"),
        ("sk-abcdefghijklmnop", "(a key)"),
        (f"({KEY})", "((secret))"),
        ("max_tokens=5, tokens: 7, keyboard=de", "max_tokens=5, tokens: 7, keyboard=de"),
        ("12:30:05 a basic idea, bearer of news", "12:30:05 a basic idea, bearer of news"),
    ],
)
def test_what_is_hidden(text, hidden):
    assert SecretMask([KEY]).hide(text) == hidden


def test_values_that_stand_in_other_words_are_left():
    assert SecretMask(["", "a", "12345"]).hide("a cat, 12345") == "a cat, 12345"


@pytest.mark.parametrize("before", [0, 100])
def test_no_part_of_a_secret_is_left_where_a_text_is_cut(before):
    mask = SecretMask([KEY])
    for place in range(0, 3000, 7):
        text = f"{KEY} " * before + "-" * place + KEY + "=" * (3000 - place)
        shown = mask.shorten(text, 200)
        assert not {KEY[at : at + 3] for at in range(len(KEY) - 2)} & {shown[at : at + 3] for at in range(len(shown))}
        assert len(shown) < 260


def test_a_text_that_is_not_too_long_is_not_cut():
    assert SecretMask().shorten("a" * 200, 200) == "a" * 200
    assert SecretMask().shorten("a" * 201, 200) == f"{'a' * 100} … 1 characters left out … {'a' * 100}"


@pytest.mark.parametrize(
    "part",
    ["a", "a=", "a-", "://", "://a:", "password=", "\\", '"', 'password="\\', "pw: ", "Bearer ", "Bearer a", "sk-"],
)
def test_looking_takes_time_as_the_text_is_long(part):
    text = part * (1_000_000 // len(part))
    mask = SecretMask([KEY])
    started = time.perf_counter()
    mask.hide(text)
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "userPassword",
            "passwords",
            "API_KEY",
            "apiKey",
            "apikey",
            "X-Api-Key",
            "api_keys",
            "pwd",
            "auth",
        ),
        *("token", "access_token", "refresh_tokens", "secret", "secrets", "privateKey", "Authorization", "Set-Cookie"),
    ],
)
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "key",
            "keyboard",
            "max_tokens",
            "tokens",
            "compass",
            "pass_by",
            "name",
            "author",
            "auth_url",
            "secretary",
        ),
        "password" * 100_000,
    ],
)
def test_names_of_other_things(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "secret", ["multi\nlineSECRET\ttab", "pa\"ss\\wor'd-é-SECRET", "plain-SECRET", "it's SECRET", "\x00\x7fSECRET"]
)
def test_a_secret_is_known_however_it_is_written(secret):
    mask = SecretMask([secret])
    for text in (
        secret,
        repr(secret),
        repr({"k": [secret]}),
        repr(repr(secret)),
        json.dumps(secret),
        repr(json.dumps(secret)),
        repr(secret + "'\""),
    ):
        assert "SECRET" not in mask.hide(f"note({text}) = {text}")
