"""What every store promises to who looks for a thread: the contract of `ghostos.contracts.thread_search`."""

from dataclasses import replace

import pytest

from ghostos.contracts.thread_search import ThreadQuery
from ghostos.core.message import MessageType, Role
from ghostos.core.task import Task


async def talk(
    store, records, name: str, *said: str, type_: MessageType = "text", role: Role = "user", **of_task
) -> Task:
    """Make a thread whose one turn says all that; later ones are the ones last used."""
    task = await store.create_task(replace(records.task(name), **of_task))
    await store.post_event(records.event(task))
    claim = await records.claim(store, task.id)
    commit = records.commit(claim, *said)
    await store.commit_round(
        replace(commit, messages=[replace(message, type=type_, role=role) for message in commit.messages])
    )
    records.clock.advance(1)
    return task


async def names(store, words: str = "", **query) -> list[str]:
    found = await store.search_threads(ThreadQuery(words=words, **query))
    assert found.total == len(found.threads)
    return [thread.name for thread in found.threads]


async def test_without_words_all_threads_are_listed_the_one_last_used_first(store, records):
    await talk(store, records, "a", "Hello there.", "And so on.")
    await talk(store, records, "b")
    found = await store.search_threads(ThreadQuery())
    assert [(line.name, line.turn, line.messages, line.begins) for line in found.threads] == [
        ("b", 1, 0, ""),
        ("a", 1, 2, "Hello there."),
    ]
    line = found.threads[1]
    assert (line.target, line.state, line.parent_id, line.excerpt) == ("/srv/my.py", "waiting", None, "")


async def test_words_are_found_in_names_and_in_every_message(store, records):
    await talk(store, records, "apples", "What do they cost?")
    await talk(store, records, "b", "Tell me of pears.", "One apple is 2.")
    await talk(store, records, "c", "Nothing.")
    assert await names(store, "apple") == ["b", "apples"]
    assert await names(store, "APPLE") == ["b", "apples"]
    assert await names(store, "what do they") == ["apples"]
    assert await names(store, "they do") == []


@pytest.mark.parametrize("type_", ["code", "output", "reasoning", "state"])
async def test_only_what_was_said_is_searched(store, records, type_):
    await talk(store, records, "a", "apples", type_=type_)
    assert await names(store, "apples") == []


@pytest.mark.parametrize("role", ["user", "assistant", "environment", "system"])
async def test_whoever_said_it(store, records, role):
    await talk(store, records, "a", "apples", role=role)
    assert await names(store, "apples") == ["a"]


@pytest.mark.parametrize("words", ["100%", "a_b", "x!y", "[a]*", "'; --", '"', "\\"])
async def test_no_character_means_another_one(store, records, words):
    await talk(store, records, "plain", "1000 ab axb xy a")
    await talk(store, records, "literal", f"before {words} after")
    assert await names(store, words) == ["literal"]


@pytest.mark.parametrize(
    ("words", "said"), [("über", "ÜBER"), ("привет", "Привет всем"), ("Größe", "größe"), ("ὀδυσσεύς", "Ὀδυσσεύς")]
)
async def test_the_case_of_other_letters_does_not_count_either(store, records, words, said):
    await talk(store, records, "a", f"x {said} y")
    assert await names(store, words) == ["a"]


async def test_half_a_surrogate_pair_and_blanks_are_no_reason_to_fail(store, records):
    await talk(store, records, "a", "hello")
    assert await names(store, "\ud800") == []
    assert await names(store, "  hello ") == ["a"]
    assert await names(store, "   ") == ["a"]


async def test_an_excerpt_shows_the_latest_place_on_one_line(store, records):
    long = f"{'before ' * 30}\nthe Apple\nhere {'after ' * 30}"
    await talk(store, records, "a", "an apple first", long)
    (line,) = (await store.search_threads(ThreadQuery(words="apple"))).threads
    assert line.begins == "an apple first"
    assert "the Apple here after" in line.excerpt
    assert line.excerpt[0] == line.excerpt[-1] == "…"
    assert len(line.excerpt) < 110


async def test_a_thread_found_by_its_name_alone_has_no_excerpt(store, records):
    await talk(store, records, "apples", "hello")
    (line,) = (await store.search_threads(ThreadQuery(words="apple"))).threads
    assert line.excerpt == ""


async def test_words_far_inside_a_huge_message_are_found(store, records):
    await talk(store, records, "a", "x" * 1_000_000 + " needle")
    (line,) = (await store.search_threads(ThreadQuery(words="needle"))).threads
    assert (line.name, line.excerpt) == ("a", "")


async def test_a_list_can_be_turned_over_and_knows_how_long_it_is(store, records):
    for number in range(5):
        await talk(store, records, f"t{number}", "hello")
    for words in ("", "hello"):
        found = await store.search_threads(ThreadQuery(words=words, limit=2, offset=2))
        assert ([line.name for line in found.threads], found.total) == (["t2", "t1"], 5)
        assert (await store.search_threads(ThreadQuery(words=words, limit=2, offset=6))).threads == []


async def test_other_targets_and_what_ghosts_made_are_shown_when_asked_for(store, records):
    mine = await talk(store, records, "mine", "hello")
    await talk(store, records, "other", "hello", target="/srv/other.py")
    await talk(store, records, "made", "hello", parent_id=mine.id)
    for words in ("", "hello"):
        assert await names(store, words) == ["other", "mine"]
        assert await names(store, words, target="/srv/my.py") == ["mine"]
        assert await names(store, words, target="/srv/my.py", with_made=True) == ["made", "mine"]
    found = await store.search_threads(ThreadQuery(words="made", with_made=True))
    assert [line.parent_id for line in found.threads] == [mine.id]
