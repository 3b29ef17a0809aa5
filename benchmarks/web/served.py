"""`ghostos web` over a model of the benchmarks' own: `python -m benchmarks.web.served TARGET WORKSPACE`.

What the model answers is in what it is told: `stream 300 10` is that many pieces, with so many milliseconds between
them, each with the time at which it was given away; `rounds 50` is so many rounds of code; `go` sets the ball in motion
for a minute.
"""

import asyncio
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

from ghostos.bootstrap import get_ghostos, install_target, make_app_container
from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.libraries.accepted import open_accepted_files
from ghostos.libraries.workspaces import find_workspace
from ghostos.testing.models import use_model
from ghostos.web import http_server
from ghostos.web.app import WebApp
from ghostos_container import Container

_GO = "<moss>\nfor heading in (0, 90, 180, 270) * 30:\n    moss.body.new_move(True).go(heading, 40, 60)\n</moss>"


class TimedModel:
    """Answers as it is told."""

    label = "benchmark:model"
    is_rehearsal = False

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta, None]:
        """Yield the reply."""
        told = [message.content for message in prompt.messages if message.role == "user"]
        asked = next(text for text in reversed(told) if not text.startswith("<moss-"))
        outputs = sum(text.startswith("<moss-output") for text in told[len(told) - told[::-1].index(asked) :])
        if found := re.fullmatch(r"stream (\d+) (\d+)", asked):
            for number in range(int(found[1])):
                yield ModelDelta(kind="text", text=_piece(number))
                await asyncio.sleep(int(found[2]) / 1000)
        elif (found := re.fullmatch(r"rounds (\d+)", asked)) and outputs < int(found[1]):
            yield ModelDelta(kind="text", text=f"<moss>\nprint({outputs} + 1)\n</moss>")
        elif asked == "go" and not outputs:
            yield ModelDelta(kind="text", text=f"I go.\n{_GO}")
        else:
            yield ModelDelta(kind="text", text=f"Heard: {asked}.")
        yield ModelDelta(kind="done")

    async def aclose(self) -> None:
        """Nothing is open."""


def _piece(number: int) -> str:
    """Return a piece of Markdown; every tenth ends a paragraph."""
    mark = "\n\n" if number % 10 == 9 else " "
    return f"**w{number}**:{time.time_ns() // 1000}{mark}"


def main() -> None:
    """Serve until SIGTERM."""
    target, root = sys.argv[1], Path(sys.argv[2])
    workspace = find_workspace(root, environment={}).workspace

    def make() -> Container:
        return make_app_container(workspace.root, providers=[use_model(TimedModel())])

    sys.setswitchinterval(0.0005)  # as `ghostos web` does
    with (
        closing(open_accepted_files(workspace)) as accepted,
        install_target(target, accepted=accepted, make_container=make) as (loaded, container),
        get_ghostos(container).create_matrix("web") as matrix,
    ):
        http_server.run(WebApp.over(matrix, target=loaded), host="127.0.0.1", port=0, headless=True)


if __name__ == "__main__":
    main()
