"""A target served to this process's pages, as the tests of the inspecting pages want it."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from streamlit.testing.v1 import AppTest

from ghostos.abcd import Conversation
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Confinement
from ghostos.drivers.models.scripted import ScriptedReply
from ghostos.ghosts.target import Approve, load_target
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos.web.app import WebApp
from ghostos.web.running import running

Serve = Callable[..., WebApp]


@contextmanager
def serving(workspace: Path, *, confinement: Confinement | None = None) -> Generator[Serve]:
    """What serves a target; all that was served ends with the block. The last one counts."""
    with ExitStack() as stack:

        def serve(target: Path, *replies: ScriptedReply, approve: Approve | None = None) -> WebApp:
            loaded = load_target(str(target), approve=approve)
            model = use_model(ScriptedModel(replies))
            container = make_app_container(workspace, providers=[model], confinement=confinement)
            stack.callback(container.shutdown)
            matrix = stack.enter_context(get_ghostos(container).create_matrix("test", providers=loaded.providers))
            app = WebApp.over(matrix, target=loaded)
            stack.enter_context(running(app))
            return app

        yield serve


def talk(app: WebApp, text: str, *, thread: str = "mine") -> Conversation:
    """Say something and wait for the turn's end."""
    conversation = app.open_conversation(thread)
    _, receiver = conversation.talk(text)
    with receiver:
        list(receiver.recv())
    return conversation


def checked(page: AppTest) -> AppTest:
    assert not page.exception
    return page
