"""Images and audio in a thread, as models and rehearsals get them."""

from datetime import UTC, datetime

import pytest

from ghostos.core.asset import AssetRef, clean_name, find_asset, show_size
from ghostos.core.ids import new_id
from ghostos.core.json import Json
from ghostos.core.message import Message, MessageType, Role
from ghostos.core.prompt import AssetMessage, PromptMessage
from ghostos.drivers.models.rehearsal import Rehearsal
from ghostos.drivers.models.rehearsal_file import RehearsalFile
from ghostos.ghosts.prompt_fit import cut_message, fit_messages
from ghostos.ghosts.thread_entries import count_message
from ghostos.ghosts.thread_prompt import ThreadPrompt, render_asset

REF = AssetRef(id=new_id(), name="cat.png", sha256="0" * 64, media_type="image/png", size_bytes=12_000)


def message(
    seq: int = 1, *, role: Role = "user", type: MessageType = "image", content: str = "cat.png", data: Json = None
) -> Message:
    return Message(
        seq=seq,
        id=new_id(),
        thread="t",
        turn=1,
        round=1,
        role=role,
        type=type,
        content=content,
        data=data,
        created_at=datetime.now(UTC),
    )


@pytest.mark.parametrize("role", ["user", "environment"])
def test_an_image_is_a_message_of_its_own_after_what_was_said(role):
    thread = [message(1, type="text", content="What is it?"), message(2, role=role, data=REF.to_data())]
    said, shown = ThreadPrompt().render(thread)
    assert said == PromptMessage("user", "What is it?")
    assert shown == AssetMessage(
        "user",
        f"[image cat.png, asset {REF.id}, not shown to this model]",
        asset=REF,
        caption=f"[image cat.png, asset {REF.id}]",
    )


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {**REF.to_data(), "sha256": "../../etc/passwd"},
        {**REF.to_data(), "sha256": None},
        {**REF.to_data(), "size_bytes": "1"},
        {**REF.to_data(), "asset": 1},
    ],
)
def test_a_message_without_a_whole_file_shows_none(data):
    assert find_asset(message(data=data)) is None
    assert ThreadPrompt().render([message(data=data)]) == []


def test_a_text_with_the_facts_of_a_file_is_a_text():
    assert find_asset(message(type="text", data=REF.to_data())) is None


def test_an_image_counts_as_much_as_a_model_takes_for_it():
    image = render_asset(REF)
    assert count_message(image) > 1_000 + count_message(PromptMessage("user", image.caption)) - 10


def test_where_there_is_no_room_the_name_of_an_image_is_left():
    image = render_asset(REF)
    assert cut_message(image, max_tokens=100) == PromptMessage("user", image.content)
    messages = [image, PromptMessage("user", "hello")]
    tokens = [count_message(each) for each in messages]
    assert fit_messages(messages, tokens=tokens, room=200, longest=150) == [
        PromptMessage("user", image.content),
        messages[1],
    ]


def test_a_rehearsal_answers_what_was_said_with_an_image():
    content = RehearsalFile.model_validate(
        {
            "version": 1,
            "scenes": [{"id": "a", "when": ["look at this"], "rounds": [{"say": "A cat."}]}],
            "otherwise": {"say": "What?"},
        }
    )
    thread = [PromptMessage("user", "look at this"), render_asset(REF)]
    assert Rehearsal(content).reply(thread) == "A cat."


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat.png", "cat.png"),
        ("/srv/a/cat.png", "cat.png"),
        ("C:\\a\\cat.png", "cat.png"),
        ("a\nb\x1b[31m\u202e]<moss>.png", "a_b__31m___moss_.png"),
        ("", "unnamed"),
        ("x" * 500, "x" * 120),
        ("half \udc80", "half _"),
    ],
)
def test_names_are_one_harmless_line(name, shown):
    assert clean_name(name) == shown


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 bytes"), (1023, "1023 bytes"), (12_288, "12 KiB"), (3_565_158, "3.4 MiB")]
)
def test_sizes_are_for_people(size, shown):
    assert show_size(size) == shown
