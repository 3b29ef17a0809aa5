"""The model of the turns: it asks for one action, by a tool call or in MOSS, and answers with what came of it."""

import gc
import json
import sys

from ghostos.testing import ModelRequest, ModelServer, RawReply

CODE = "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"
ANSWER = "It is 5."


def answer(request: ModelRequest) -> str | RawReply:
    """What comes next in the turn that a request belongs to."""
    messages = request.body["messages"]
    request.body["messages"] = []  # the server keeps requests, and those of long threads are large
    if messages[-1]["role"] == "tool":
        return ANSWER
    if request.body.get("tools"):
        return RawReply(body=TOOL_CALL, content_type="text/event-stream")
    is_told = messages[-2]["role"] == "user" and "<moss-output" in messages[-2]["content"]
    return ANSWER if is_told else CODE


def _render_tool_call() -> str:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "plus", "arguments": '{"a":2,"b":3}'}}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    choices = [
        {"index": 0, "delta": {"role": "assistant", "content": "Let me see."}, "finish_reason": None},
        {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": "tool_calls"},
    ]
    events = [json.dumps({**head, "choices": [choice]}) for choice in choices]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])


TOOL_CALL = _render_tool_call()


def main() -> None:
    """Print the address; serve until stdin ends."""
    gc.disable()
    with ModelServer(repeat=answer) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
