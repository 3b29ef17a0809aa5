"""What every keeper of journals promises, over each kind of it; then what is particular to files."""

import os
from dataclasses import replace

import pytest

from ghostos.contracts.journal import Journals, JournalStep
from ghostos.core.message import encode_message
from ghostos.drivers.journal.files import FileJournals
from ghostos.errors import WorkspaceError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runtime" / "rounds"


@pytest.fixture(params=["files"])
def journals(request, folder) -> Journals:
    return FileJournals(folder)


@pytest.fixture
def message(records):
    task = records.task()

    def make(seq, content="", status="complete"):
        return replace(records.message(task, seq, content), status=status)

    return make


def test_a_journal_that_is_not_there_holds_nothing(journals):
    assert journals.read("r1").messages == []
    journals.remove("r1")


def test_whole_messages_come_back_in_order(journals, message):
    first, second = message(1, "one"), message(2, "two")
    journal = journals.open("r1")
    journal.complete(second)
    journal.complete(first)
    assert journals.read("r1").messages == [first, second]


def test_text_without_an_end_is_partial(journals, message):
    journal = journals.open("r1")
    begun, whole = message(1), message(2, "whole")
    journal.start(begun)
    journal.start(message(2))
    for text in ("The an", "swer ", "is 4\n"):
        journal.delta(1, text)
        journal.delta(2, "who")
    journal.complete(whole)
    assert journals.read("r1").messages == [replace(begun, content="The answer is 4\n", status="partial"), whole]


def test_it_can_be_read_while_it_is_written_and_after_closing(journals, message):
    journal = journals.open("r1")
    journal.start(message(1))
    journal.delta(1, "a")
    assert [found.content for found in journals.read("r1").messages] == ["a"]
    journal.delta(1, "b")
    journal.close()
    journal.close()
    assert [found.content for found in journals.read("r1").messages] == ["ab"]
    with pytest.raises(WorkspaceError, match="was closed"):
        journal.delta(1, "c")


def test_a_removed_journal_holds_nothing(journals, message):
    journal = journals.open("r1")
    journal.complete(message(1, "one"))
    journal.remove()
    journal.remove()
    assert journals.read("r1").messages == []


def test_journals_do_not_mix(journals, message):
    first, second = journals.open("r1"), journals.open("r2")
    first.complete(message(1, "one"))
    second.complete(message(1, "other"))
    second.remove()
    assert [found.content for found in journals.read("r1").messages] == ["one"]


def test_a_new_journal_is_empty(journals, message):
    journals.open("r1").complete(message(1, "old"))
    journals.open("r1")
    assert journals.read("r1").messages == []


def test_half_a_surrogate_pair_does_not_stop_a_round(journals, message):
    journal = journals.open("r1")
    journal.start(message(1))
    journal.delta(1, "half \ud83d")
    journal.complete(replace(message(2, "\udc00"), data={"k": "\udfff"}))
    assert [(found.content, found.data) for found in journals.read("r1").messages] == [
        ("half \ufffd", {"k": [1]}),
        ("\ufffd", {"k": "\ufffd"}),
    ]


def test_a_journal_is_followed_from_before_it_begins_until_after_it_is_removed(journals, message):
    follower = journals.follow("r1")
    assert follower.read() == []
    assert not follower.is_found
    journal = journals.open("r1")
    begun, whole = message(1), message(2, "two")
    journal.start(begun)
    journal.delta(1, "a")
    assert follower.read() == [JournalStep(seq=1, message=begun), JournalStep(seq=1, text="a")]
    assert follower.read() == []
    assert (follower.is_found, follower.is_removed) == (True, False)
    journal.complete(whole)
    journal.remove()
    assert follower.is_removed
    assert follower.read() == [JournalStep(seq=2, message=whole, is_whole=True)]
    follower.close()
    follower.close()
    assert follower.read() == []


def test_who_follows_late_gets_all_of_it(journals, message):
    journal = journals.open("r1")
    texts = [f"{number} " * 1000 for number in range(300)]
    journal.start(message(1))
    for text in texts:
        journal.delta(1, text)
    follower = journals.follow("r1")
    found = []
    while steps := follower.read():
        found += steps
    assert [step.text for step in found[1:]] == texts
    follower.close()


def test_a_line_larger_than_what_is_read_at_once_is_one_line(journals, message):
    journal = journals.open("r1")
    whole = message(1, "x" * 3_000_000)
    journal.complete(whole)
    follower = journals.follow("r1")
    assert follower.read() == [JournalStep(seq=1, message=whole, is_whole=True)]
    follower.close()


@pytest.mark.parametrize("round_id", ["", ".", "../../etc/passwd", "a/b", "a.b", "a\0b", "a\n", "é", "-r", "x" * 200])
def test_an_id_that_is_none_names_no_file(journals, round_id, tmp_path):
    for method in (journals.open, journals.read, journals.remove, journals.follow):
        with pytest.raises(WorkspaceError, match="not the id of a round"):
            method(round_id)
    assert list(tmp_path.iterdir()) == []


def test_every_tear_of_the_last_line_leaves_the_lines_before_it(journals, folder, message):
    file = folder / "r1.journal"
    journal = journals.open("r1")
    journal.start(message(1))
    journal.delta(1, "kept – ")
    kept = len(file.read_bytes())
    journal.delta(1, "lost – or not")
    content = file.read_bytes()

    def text() -> str:
        (found,) = journals.read("r1").messages
        assert found.status == "partial"
        return found.content

    assert text() == "kept – lost – or not"
    for end in range(kept, len(content) - 1):
        file.write_bytes(content[:end])
        assert text() == "kept – "


def test_a_line_is_followed_once_it_is_whole(journals, folder, message):
    folder.mkdir(parents=True)
    file = folder / "r1.journal"
    begin = b'{"kind":"start","message":' + encode_message(message(1)) + b"}\n"
    line = '{"kind":"delta","seq":1,"text":"kept – ü"}\n'.encode()
    file.write_bytes(begin)
    follower = journals.follow("r1")
    assert len(follower.read()) == 1
    with file.open("ab", buffering=0) as written:
        for number in range(len(line)):
            assert follower.read() == []
            written.write(line[number : number + 1])
        assert follower.read() == [JournalStep(seq=1, text="kept – ü")]
        written.write(b'{"kind":"del\n\xff\n' + b"[" * 100_000 + b"\n" + line)
    assert follower.read() == [JournalStep(seq=1, text="kept – ü")]
    follower.close()


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_not_followed(journals, folder, tmp_path, message, kind):
    folder.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_bytes(b'{"kind":"complete","message":' + encode_message(message(1)) + b"}\n")
    match kind:
        case "link":
            (folder / "r1.journal").symlink_to(victim)
        case "folder":
            (folder / "r1.journal").mkdir()
        case _:
            os.mkfifo(folder / "r1.journal")
    follower = journals.follow("r1")
    assert follower.read() == []
    assert not follower.is_found


def test_damaged_lines_are_left_out(journals, folder, message):
    whole, later = message(1, "one"), message(9, "nine")
    lines = [
        b'{"kind":"complete","message":' + encode_message(whole) + b"}",
        b"",
        b"\xff\xfe\x00 no text",
        b"[" * 100_000,
        b"null",
        b'{"kind":"delta","seq":1,"text":"for a message that is whole"}',
        b'{"kind":"delta","seq":77,"text":"for one that never began"}',
        b'{"kind":"delta","seq":"1","text":5}',
        b'{"kind":"explode"}',
        b'{"kind":"start"}',
        b'{"kind":"complete","message":{"seq":"many"}}',
        b'{"kind":"complete","message":' + encode_message(later).replace(b'"assistant"', b'"root"') + b"}",
        b'{"kind":"start","message":' + encode_message(later) + b"}",
    ]
    folder.mkdir(parents=True)
    (folder / "r1.journal").write_bytes(b"\n".join(lines))
    assert journals.read("r1").messages == [whole, replace(later, status="partial")]


def test_a_link_in_the_place_of_a_journal_is_not_followed(journals, folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder.mkdir(parents=True)
    (folder / "r1.journal").symlink_to(victim)
    with pytest.raises(WorkspaceError):
        journals.open("r1")
    assert victim.read_text() == "precious"


def test_a_journal_is_for_its_owner_alone(journals, folder):
    journals.open("r1").close()
    assert (folder / "r1.journal").stat().st_mode & 0o077 == 0
