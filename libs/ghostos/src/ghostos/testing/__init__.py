"""Doubles for tests of ghosts and of GhostOS itself: the model is scripted, everything else is real.

    ScriptedModel   a model driver in this process: no network, no SDK
    ModelServer     a local HTTP server that speaks the OpenAI streaming protocol: the real client talks to it
    WebServer       a local web server with answers by path, for code that asks the web

    with ModelServer(["Hello.", ErrorReply(status=429)]) as server:
        ...  # point OPENAI_BASE_URL at server.base_url
    server.requests[0].body["messages"]

For bodies, each in its own module, as they need the extra `sphero`:

    fake_bolt.FakeBolt             a Sphero BOLT that takes packets, answers them and rolls as they say
    fake_bolt_radio.FakeBoltRadio  one in real time, reached by the radio processes of real_bolt(adapters=...)
    stepped_link.SteppedLink       a radio to one in virtual time

The first two are strict: a call beyond the script fails, and so does a reply that nobody asked for. For tests that
start processes, `python -m ghostos.testing.model_server --script FILE` runs the model server on its own.
"""

from ghostos.drivers.models.scripted import ScriptedModel
from ghostos.testing.replies import ErrorReply, NoReply, RawReply, Script, StreamReply
from ghostos.testing.server import ModelRequest, ModelServer
from ghostos.testing.web_server import WebAnswer, WebRequest, WebServer

__all__ = [
    "ErrorReply",
    "ModelRequest",
    "ModelServer",
    "NoReply",
    "RawReply",
    "Script",
    "ScriptedModel",
    "StreamReply",
    "WebAnswer",
    "WebRequest",
    "WebServer",
]
