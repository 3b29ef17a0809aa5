"""What code has printed so far, as listeners hear it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ghostos.config import Confinement
from ghostos.core.clock import utc_now
from ghostos.core.message import Delta, Message
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.runtime.running_output import RunningOutput
from ghostos.testing import ScriptedModel

CODE = Message(
    seq=3, id="m3", thread="t", turn=1, round=1, role="assistant", type="code", content="a", created_at=utc_now()
)


def show(tell: Callable[[RunningOutput], object], *said: Message, count: int = 1) -> list[Delta]:
    """What is shown of what is told, once that many have been shown, or none for a while."""
    shown: list[Delta] = []

    async def listen() -> None:
        enough = asyncio.Event()

        def add(delta: Delta) -> None:
            shown.append(delta)
            if len(shown) >= count:
                enough.set()

        output = RunningOutput(said=said, show=add)
        tell(output)
        try:
            async with asyncio.timeout(20 if count else 0.5):
                await enough.wait()
        except TimeoutError:
            assert not count

    asyncio.run(listen())
    return shown


def test_pieces_that_come_together_are_shown_together_at_the_last_code():
    def tell(output: RunningOutput) -> None:
        for number in range(3):
            output.tell(f"{number}\n")

    earlier = replace(CODE, seq=1, content="before")
    (delta,) = show(tell, earlier, CODE, replace(CODE, seq=4, type="text"))
    assert delta == Delta(seq=3, type="code", role="assistant", content="", offset=1, printed="0\n1\n2\n")


def test_of_much_the_end_is_shown():
    (delta,) = show(lambda output: [output.tell(f"{number}\n") for number in range(9000)], CODE)
    assert delta.printed is not None
    assert delta.printed.startswith("…")
    assert delta.printed.endswith("\n8998\n8999\n")
    assert len(delta.printed) == 2001
    (delta,) = show(lambda output: output.tell("x" * 100_000), CODE)
    assert delta.printed == "…" + "x" * 2000


def test_what_cannot_be_sent_is_written_out():
    (delta,) = show(lambda output: output.tell("\udcff"), CODE)
    assert delta.printed == "\\udcff"


def test_code_that_this_round_has_not_said_shows_nothing():
    assert show(lambda output: output.tell("x"), replace(CODE, role="user"), count=0) == []


def test_nothing_is_shown_of_a_run_that_is_over():
    def tell(output: RunningOutput) -> None:
        output.tell("x")
        output.end()

    assert show(tell, CODE, count=0) == []


@pytest.fixture(params=["off", "process"])
def confinement(request: pytest.FixtureRequest) -> Confinement:
    return Confinement(request.param)


def test_listeners_hear_what_is_printed_while_code_runs_and_nothing_of_it_is_stored(start_matrix, tmp_path: Path):
    target, mark = tmp_path / "waiting_file.py", tmp_path / "go_on"
    target.write_text("import os, time\n")
    code = f"print('begun')\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.02)\nprint('done')"
    model = ScriptedModel([f"<moss>\n{code}\n</moss>", "Done."])
    conversation = start_matrix(model).sync(MossAgent(str(target)))
    _, receiver = conversation.talk("go")
    with receiver:
        deltas = iter(receiver.recv())
        heard = next(delta for delta in deltas if delta.printed is not None)
        late = conversation.attach(from_seq=heard.seq)
        with late:
            assert next(delta for delta in late.recv() if delta.printed is not None) == heard
        mark.touch()
        rest = [delta.message for delta in deltas if delta.message is not None]
    assert (heard.printed, heard.content, heard.message) == ("begun\n", "", None)
    assert [message.content for message in rest if message.type == "output"] == ["begun\ndone"]
    stored = [message.content for message in conversation.history() if message.type == "output"]
    assert stored == ["begun\ndone"]
