"""Doubles for tests of ghosts and of GhostOS itself: the model is scripted, everything else is real.

    ScriptedModel   a model driver in this process: no network, no SDK
    ModelServer     a local HTTP server that speaks the OpenAI streaming protocol: the real client talks to it

    with ModelServer(["Hello.", ErrorReply(status=429)]) as server:
        ...  # point OPENAI_BASE_URL at server.base_url
    server.requests[0].body["messages"]

Both are strict: a call beyond the script fails, and so does a reply that nobody asked for. For tests that start
processes, `python -m ghostos.testing.model_server --script FILE` runs the server on its own.
"""

from ghostos.drivers.models.scripted import ScriptedModel
from ghostos.testing.replies import ErrorReply, NoReply, RawReply, Script, StreamReply
from ghostos.testing.server import ModelRequest, ModelServer

__all__ = [
    "ErrorReply",
    "ModelRequest",
    "ModelServer",
    "NoReply",
    "RawReply",
    "Script",
    "ScriptedModel",
    "StreamReply",
]
