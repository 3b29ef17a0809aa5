"""`Assets` on the `Moss` of an agent: files by id, images that are shown, and what users attach."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from inline_snapshot import snapshot

from ghostos.abcd import Conversation, Matrix
from ghostos.bootstrap import make_app_container
from ghostos.config import AppSettings, Confinement
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.ghost import GhostDriver
from ghostos.contracts.session import Session
from ghostos.contracts.store import Store
from ghostos.core.asset import Asset, find_asset
from ghostos.core.message import Message
from ghostos.core.operator import Operator
from ghostos.core.prompt import AssetMessage
from ghostos.errors import AssetError, NotGivenError
from ghostos.ghosts.chatbot import Chatbot, ChatbotDriver
from ghostos.ghosts.module import open_module
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.libraries.flow import FlowRecord
from ghostos.runtime.attachments import list_message_ids, record_attachments
from ghostos.runtime.ghost_calls import current_session
from ghostos.runtime.ghost_kinds import GhostKinds
from ghostos.runtime.saved_values import save_file
from ghostos.testing import ScriptedModel
from ghostos_moss.testsuite import MossTestSuite

FILE = """
from pathlib import Path

from ghostos_moss import Moss as Parent

from ghostos.contracts.assets import Assets

PNG = b"\\x89PNG\\r\\n\\x1a\\n" + bytes(range(64))


class Moss(Parent):
    assets: Assets
    ids: list[str] = []


def draw(name: str = "cat.png", content: bytes = PNG) -> str:
    Path(name).write_bytes(content)
    return name
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))

both_sides = pytest.mark.parametrize("confinement", [None, Confinement("off")], ids=["process", "off"])


@dataclass
class Threads:
    """Threads with one agent, in which code is run."""

    agent: MossAgent
    matrix: Matrix
    model: ScriptedModel
    replies: list[str]

    def open(self, thread: str) -> Conversation:
        return self.matrix.sync(self.agent, thread=thread)

    def run(self, thread: str, *lines: str) -> tuple[str, list[Message]]:
        """Run code in a thread; return what it put out, and the whole messages of the turn."""
        self.replies.append("\n".join(["<moss>", *lines, "</moss>"]))
        _, receiver = self.open(thread).talk("go")
        with receiver:
            messages = [delta.message for delta in receiver.recv() if delta.message]
        return "".join(message.content for message in messages if message.type == "output").strip(), messages

    @property
    def store(self) -> Store:
        return self.matrix.store

    @property
    def files(self) -> AssetFiles:
        return self.matrix.container.force_fetch(AssetFiles)

    def save(self, thread: str, content: bytes = PNG, name: str = "cat.png") -> Asset:
        """Save a file as a client does."""
        task_id = self.open(thread).task_id
        return asyncio.run(save_file(self.store, self.files, content, name=name, task_id=task_id))


@pytest.fixture
def agent(tmp_path: Path) -> MossAgent:
    path = tmp_path / "draws.py"
    path.write_text(FILE)
    return MossAgent(str(path))


@pytest.fixture
def threads(start_matrix: Callable[[ScriptedModel], Matrix], agent: MossAgent, tmp_path, monkeypatch) -> Threads:
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")  # of code that is not confined
    replies: list[str] = []
    model = ScriptedModel([lambda _: replies.pop() if replies else "Seen."] * 50)
    return Threads(agent, start_matrix(model), model, replies)


def test_what_a_model_sees_of_it(agent, workspace):
    prompt = MossTestSuite(make_app_container(workspace)).dump_prompt(agent.moss_module)
    assert prompt.partition("as stubs without implementation:\n\n")[2] == snapshot('''\
```python
# from ghostos.contracts.assets
class Assets(ABC):
    """Files that others get by id, such as those that the user attached, and images that you show to the user.

    Paths are in your current folder.
    """
    def save_file(self, path: str | Path) -> str:
        """Keep a copy of a file as it is now. Returns the id."""
    def show(self, id: str) -> None:
        """Show an image, or audio, when your code has ended. To look at it yourself, go on: `moss.flow.observe()`."""
    def load(self, id: str, path: str | Path) -> None:
        """Put a copy into your folder. LookupError where there is none, or it was not given to you."""
    def give(self, id: str, thread: str) -> None:
        """Let another thread use it: a thread's name, or the id of a subtask."""
```\
''')


@both_sides
def test_an_image_is_shown_to_the_user_and_then_seen(threads):
    _, messages = threads.run("mine", "moss.assets.show(moss.assets.save_file(draw()))", "moss.flow.observe()")
    (shown,) = [message for message in messages if message.type == "image"]
    asset = find_asset(shown)
    assert asset is not None
    assert (shown.role, shown.content, shown.turn) == ("environment", "cat.png", 1)
    assert (asset.media_type, asset.size_bytes) == ("image/png", len(PNG))
    assert threads.files.read(asset.sha256) == PNG
    kinds = [message.type for message in messages if message.role != "system" and message.type != "host_call"]
    assert kinds == ["code", "output", "image", "text"]
    prompts = threads.model.prompts
    assert [sum(isinstance(each, AssetMessage) for each in prompt.messages) for prompt in prompts] == [0, 1]
    (seen,) = [each for each in prompts[1].messages if isinstance(each, AssetMessage)]
    assert (seen.role, seen.asset) == ("user", asset)
    assert [message.type for message in threads.open("mine").history()].count("image") == 1


@pytest.mark.parametrize("confinement", [None], ids=["process"])
def test_of_a_file_that_stays_in_the_folder_of_the_code_the_model_is_told_and_of_one_that_is_saved_not(threads):
    saved, _ = threads.run("mine", "print(len(moss.assets.save_file(draw('saved.bin'))))")
    assert saved == "36"
    kept, _ = threads.run("mine", "draw('saved.bin')\nprint(len(moss.assets.save_file(draw('other.bin'))))")
    assert kept.startswith("36\nnote: A file named without its folder is written to a folder that confined code has")


@both_sides
def test_a_file_goes_from_one_thread_to_another_that_it_is_given_to(threads):
    content = "bytes(range(256)) * 1000"
    id, _ = threads.run("first", f"print(moss.assets.save_file(draw('data.bin', {content})))")
    refused, _ = threads.run("second", f"moss.assets.load({id!r}, 'copy.bin')")
    assert f"LookupError: no asset has the id '{id}', or it was not given to you" in refused
    threads.run("first", f"moss.assets.give({id!r}, 'second')")
    output, _ = threads.run(
        "second",
        f"moss.assets.load({id!r}, 'copy.bin')",
        f"moss.assets.load({id!r}, Path('copy.bin').resolve())",
        f"print(Path('copy.bin').read_bytes() == {content})",
    )
    assert output == "True"


@both_sides
def test_the_same_content_is_on_the_disk_once(threads, workspace):
    threads.run("first", "print(moss.assets.save_file(draw()), moss.assets.save_file(draw('other.png')))")
    threads.save("second")
    assert len([path for path in (workspace / "runtime" / "assets").rglob("*") if path.is_file()]) == 1


@both_sides
@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("moss.assets.save_file('missing.png')", "FileNotFoundError: there is no 'missing.png' in your folder"),
        ("moss.assets.save_file(draw('empty', b''))", "ValueError: The file is empty"),
        ("moss.assets.save_file(draw('big', bytes(21 * 2**20)))", "ValueError: 'big' has 22,020,096 bytes; 20,971,520"),
        (
            "import os; os.mkfifo('pipe'); moss.assets.save_file('pipe')",
            "ValueError: 'pipe' is no regular file|PermissionError",
        ),
        ("moss.assets.save_file(3)", "TypeError: a path is a str or a Path"),
        ("moss.assets.show('no id')", "LookupError: no asset has the id 'no id'"),
        ("moss.assets.show(3)", "TypeError: id is a str"),
        ("moss.assets.show(moss.assets.save_file(draw('a.png', b'<svg>' * 9)))", "ValueError: a.png is no PNG, JPEG,"),
        ("id = moss.assets.save_file(draw())\nfor _ in range(21): moss.assets.show(id)", "ValueError: at most 20"),
        ("moss.assets.load(moss.assets.save_file(draw()), 'no/where.png')", "FileNotFoundError: there is no 'no/where"),
    ],
)
def test_what_cannot_be_is_an_error_of_the_code(threads, line, error):
    output, _ = threads.run("mine", line)
    assert re.search(error, output), output
    assert "runtime" not in output  # no paths of the workspace


@pytest.mark.parametrize("confinement", [None])
@pytest.mark.parametrize(
    "line",
    [
        "moss.assets.save_file('/etc/passwd')",
        "moss.assets.save_file('../../ghostos.db')",
        "import os; os.symlink('/etc/passwd', 'a'); moss.assets.save_file('a')",
        "import os; os.symlink('/etc', 'b'); moss.assets.save_file('b/passwd')",
        "import os; os.symlink('/etc', 'c'); moss.assets.load(moss.assets.save_file(draw()), 'c/new')",
        "moss.assets.load(moss.assets.save_file(draw()), '/tmp/new')",
    ],
)
def test_confined_code_reaches_nothing_but_its_folder(threads, line):
    output, _ = threads.run("mine", line)
    assert re.search("ValueError: .* is( not in your current folder|, or is behind, a link)", output), output


def test_a_file_that_is_lost_is_said_to_be(threads):
    asset = threads.save("mine")
    threads.files.path_of(asset.ref.sha256).unlink()
    output, messages = threads.run("mine", f"moss.assets.show({asset.ref.id!r})")
    assert "RuntimeError: the file was saved, but it is lost by now: tell the user" in output
    assert [message for message in messages if message.type == "image"] == []


def test_clients_save_files_for_a_thread(threads):
    asset = threads.save("mine", name="/srv/photos/holiday 1.jpg")
    assert (asset.ref.name, asset.ref.media_type) == ("holiday 1.jpg", "image/png")
    output, _ = threads.run(
        "mine", f"moss.assets.load({asset.ref.id!r}, 'a.png'); print(Path('a.png').read_bytes() == PNG)"
    )
    assert output == "True"
    with pytest.raises(AssetError, match="limit"):
        threads.save("mine", content=bytes(21 * 2**20))
    with pytest.raises(NotGivenError):
        asyncio.run(threads.store.get_asset(asset.ref.id, task_id=threads.open("other").task_id))


def test_the_largest_file_is_a_setting(workspace, tmp_path):
    (workspace / "configs").mkdir(parents=True)
    (workspace / "configs" / "ghostos.toml").write_text("version = 1\n[assets]\nmax_mb = 1\n")
    container = make_app_container(workspace)
    assert container.force_fetch(AppSettings).settings.assets.max_mb == 1
    with pytest.raises(AssetError, match=r"1,048,577 bytes; 1,048,576 are the limit"):
        container.force_fetch(AssetFiles).save(bytes(1024**2 + 1))
    container.shutdown()


def test_without_a_ghost_at_work_it_says_so(agent, workspace):
    container = make_app_container(workspace, confinement=Confinement("off"))
    session = open_module(agent.moss_module, container=container, flow=FlowRecord())
    try:
        result = session.run("moss.assets.show('id')", timeout_s=10)
    finally:
        session.close()
        container.shutdown()
    assert "assets need a ghost at work" in (result.error or "")


class Looker(Chatbot):
    """Looks at what came with what was said to it."""

    kind: ClassVar[str] = "looker"

    def create_driver(self) -> GhostDriver:
        return LookerDriver(self)


class LookerDriver(ChatbotDriver):
    async def on_event(self, session: Session) -> Operator:
        at_work = current_session.get()
        assert at_work is not None
        for _ in range(2):  # a second time changes nothing
            await record_attachments(at_work, session.event, store=session.container.force_fetch(Store))
        return await super().on_event(session)


def test_what_a_user_attached_stands_after_what_was_said(start_matrix):
    model = ScriptedModel(["A cat."])
    matrix = start_matrix(model)
    matrix.container.set(GhostKinds, GhostKinds(Looker))
    conversation = matrix.sync(Looker(name="looker"), thread="mine")
    files, store = matrix.container.force_fetch(AssetFiles), matrix.store

    def save(content: bytes, name: str, task_id: str = conversation.task_id) -> str:
        return asyncio.run(save_file(store, files, content, name=name, task_id=task_id)).ref.id

    other = matrix.sync(Looker(name="looker"), thread="other").task_id
    image, audio, data = save(PNG, "cat.png"), save(b"OggS" + bytes(20), "hum.ogg"), save(b"a,b\n1,2", "data.csv")
    foreign = save(PNG, "theirs.png", other)
    attached = [image, audio, data, foreign, image, 3]
    event, receiver = conversation.send_event("input", {"text": "What is it?", "attachments": attached})
    with receiver:
        list(receiver.recv())
    history = conversation.history()
    said = [(each.role, each.type, each.content) for each in history if each.role in ("user", "environment")]
    assert said == [
        ("user", "text", "What is it?"),
        ("user", "image", "cat.png"),
        ("user", "audio", "hum.ogg"),
        ("environment", "text", f"The user attached the file data.csv, 7 bytes, asset {data}."),
        (
            "environment",
            "text",
            f"A file that was attached is not there. There is no asset with the id '{foreign}', "
            "or it was not given to this thread.",
        ),
    ]
    assert [each.id for each in history if each.role in ("user", "environment")] == list_message_ids(event)
    sent = [message.content for message in model.prompts[0].messages[1:6]]
    assert sent[0] == "What is it?"
    assert sent[1] == f"[image cat.png, asset {image}, not shown to this model]"
    assert sent[3].startswith('<moss-event type="attachment">\nThe user attached the file data.csv')
