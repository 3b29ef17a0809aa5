"""The model of the crash suite: it answers by rule, whatever was asked before, and what it is asked is on record."""

import re

from ghostos.testing import ModelRequest


def answer(request: ModelRequest) -> str:
    """Return what a diligent clerk answers to the last thing that it was told."""
    told = [str(message["content"]) for message in request.body["messages"] if message["role"] == "user"]
    told = [each for each in told if not each.startswith("<moss-state>")]
    last = told[-1]
    if (found := re.match(r'<moss-output status="(\w+)">\n(.*)', last)) is not None:
        return _after_code(found[1], found[2])
    if (found := re.match(r'<moss-event type="(\w+)">\n(.*)', last, re.DOTALL)) is not None:
        return _after_event(found[1], found[2])
    kind, _, word = last.partition(" ")
    match kind:
        case "write":
            return f"<moss>\nmoss.book.write('{word}')\nmoss.seen.append('{word}')\nprint('wrote {word}')\n</moss>"
        case "slow":
            lines = [f"moss.book.write('{word}-1')", "import time", "time.sleep(3)", f"moss.book.write('{word}-2')"]
            return "\n".join(["<moss>", *lines, "print('both')", "</moss>"])
        case "timer":
            return f"<moss>\nmoss.flow.wake(after_s=0.05, note='{word}')\n</moss>"
        case "child":
            return f"<moss>\nmoss.subtasks.create(Chatbot('helper'), 'help {word}')\n</moss>"
        case "call":
            return f"<moss>\nprint('called', await moss.subtasks.call(Chatbot('helper'), 'help {word}'))\n</moss>"
        case "help":
            return f"helped {word}"
        case _:
            return f"said {word}"


def _after_code(status: str, line: str) -> str:
    if status == "ok":
        return f"done: {line}"
    return f"I was told that it was {status}."


def _after_event(kind: str, text: str) -> str:
    if kind == "timer":
        return f"rang {text.rpartition(': ')[2].splitlines()[0]}"
    found = re.search(r"helped (\w+)", text)
    return f"heard {found[1] if found else text.splitlines()[0]}"
