"""The live pane in a real browser, over a server that is played: what it says, and when, is up to the test.

The page's modules are the real ones. Only `WebSocket` and `fetch` are not: a frame is taken, and a command answered,
exactly when a test says so, which is what the order of things depends on.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["PAGE", "Item", "PlayedPane", "message", "status"]

Item: TypeAlias = Mapping[str, Any]
"""What stands in a frame."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>pane</title>
<link rel="icon" href="data:,">
<style>body { margin: 0 }</style>
<div id="host"></div>
<script>
const sockets = [], posts = [], told = [];
let mood = "open"; // how the server is: open, away, refused (a browser is not let in), failing (it opens, and gives up)
class PlayedSocket extends EventTarget {
  constructor(address, protocols) {
    super();
    this.query = new URL(address).searchParams;
    this.protocols = protocols;
    this.isClosed = false;
    sockets.push(this);
    if (mood === "refused" || mood === "away") return void setTimeout(() => this.drop());
    const isFailing = mood === "failing";
    setTimeout(() => {
      this.dispatchEvent(new Event("open"));
      this.give([{ kind: "hello", version: 1, model: { label: "m", is_rehearsal: false, missing_key: null } }]);
      if (isFailing) this.fail();
    });
  }
  fail() {
    this.give([{ kind: "error", happened: "The settings are broken.", advice: "Mend them.", is_final: false }]);
    this.drop();
  }
  give(items) { this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(items) })); }
  drop() { this.isClosed = true; this.dispatchEvent(new Event("close")); }
  close() { this.isClosed = true; }
}
window.WebSocket = PlayedSocket;
window.fetch = (address, { body, headers }) => new Promise((done, fail) => {
  const facts = body instanceof FormData ? Object.fromEntries(body) : body ? JSON.parse(body) : {};
  const command = address.split("/").at(-1);
  posts.push({ command, facts, headers, done });
  if (mood === "away") fail(new TypeError("Failed to fetch"));
  if (mood === "refused") done(new Response("{}", { status: 403 }));
});
const findSocket = (thread) => sockets.findLast(
  ({ query }) => thread === undefined ? query.has("bodies") : query.get("thread") === thread);
const nextTask = () => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = done;
  port2.postMessage(null);
});
const settle = async () => {
  for (let round = 0; round < 5; round++) await new Response("{}").json().then(nextTask);
};
const nextFrame = () => new Promise(
  (done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
const answer = (command, value, status) => {
  const at = posts.findIndex((post) => post.command === command && !post.isAnswered);
  posts[at].isAnswered = true;
  posts[at].done(new Response(JSON.stringify(value), { status }));
  return settle();
};
</script>
<script type="module">
import { openPane } from "/pane.js";
const shadow = document.querySelector("#host").attachShadow({ mode: "open" });
shadow.innerHTML = `<link rel="stylesheet" href="/text.css"><link rel="stylesheet" href="/pane.css">
<div class="pane" style="height: 600px"></div>`;
window.shadow = shadow;
window.openOn = (thread) => {
  window.pane = openPane(shadow.querySelector(".pane"), { thread, onThread: (name) => told.push(name) });
};
</script>
"""


def message(seq: int, content: str, *, turn: int = 1, by: str = "user text", minute: int = 0, **facts: Any) -> Item:
    """Return a message as an item.

    Args:
        seq: Its number.
        content: What it says.
        turn: Of which turn it is.
        by: Role and type.
        minute: When it was said.
        facts: Whatever else is to be said of it.
    """
    role, type_ = by.split()
    made = {
        "seq": seq,
        "id": f"m{seq}",
        "thread": "any",
        "turn": turn,
        "round": 1,
        "parent": None,
        "role": role,
        "type": type_,
        "content": content,
        "data": None,
        "status": "complete",
        "created_at": _tell_time(minute),
    }
    return {"kind": "message", "message": made | facts}


def status(thread: str = "A", *, turn: int = 1, children: Mapping[str, int] | None = None, **facts: Any) -> Item:
    """Return how a thread is as an item: at rest, as long as nothing else is said.

    Args:
        thread: Its name. Its id is the same with a `#` before it.
        turn: The last one.
        children: Tasks that it has made, and in which minute.
        facts: Whatever else is to be said of it.
    """
    made = {
        "thread": thread,
        "task": f"#{thread}",
        "state": "waiting",
        "is_at_work": False,
        "turn": turn,
        "queued": [],
        "requests": [],
        "pending_code": None,
        "children": [_describe_child(name, minute) for name, minute in (children or {}).items()],
        "usage": {"input": 0, "cached": 0, "output": 0, "cost": 0},
        "profile": "",
        "is_unconfined": False,
        "model": {"label": "m", "is_rehearsal": False, "missing_key": None},
        "phrases": [],
    }
    return {"kind": "status", "status": made | facts}


def _describe_child(name: str, minute: int) -> Item:
    facts = {"ghost": f"{name} ghost", "state": "running", "is_over": False, "created_at": _tell_time(minute)}
    return {"id": f"#{name}", "thread": name, **facts}


def _tell_time(minute: int) -> str:
    return f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00+00:00"


class PlayedPane:
    """The pane, and the server behind it.

    Args:
        page: Playwright's, at the address of `PAGE`.
    """

    def __init__(self, page: Any) -> None:
        self.page = page

    def open(self, thread: str | None = "A") -> None:
        """Put the pane into the page, as the page of a thread that is there loads."""
        self.page.wait_for_function("window.openOn && [...shadow.querySelectorAll('link')].every((link) => link.sheet)")
        self.page.evaluate("(thread) => openOn(thread)", thread)
        self.page.locator('.pane[data-connected="true"]').wait_for()

    def begin(self, thread: str = "A", *items: Item, **facts: Any) -> None:
        """Say what the thread that is shown holds: one message of the user, and more."""
        begun = [message(1, f"said in {thread}"), *items]
        last = max(item["message"]["seq"] for item in begun if item["kind"] == "message")
        self.give(*begun, {"kind": "committed", "seq": last}, status(thread, **facts))

    def show(self, thread: str | None) -> None:
        """Have another thread shown, as a click in the sidebar does."""
        self.page.evaluate("async (thread) => { pane.show(thread); await settle() }", thread)

    def give(self, *items: Item, to: str | None = None) -> None:
        """Send a frame to the socket of the pane, or to that of a thread; it is taken by the time that this returns."""
        self.page.evaluate("([to, items]) => findSocket(to ?? undefined).give(items)", [to, list(items)])

    def drop(self, mood: str = "open") -> None:
        """Break the connection; from now on the server is `open`, `away`, `refused` (to this browser) or `failing`."""
        self.page.evaluate("(next) => { mood = next; findSocket().drop() }", mood)

    def come_again(self) -> None:
        """Break the connection, and wait until the page has another one."""
        before = len(self.sockets())
        self.drop()
        self.page.wait_for_function("(before) => sockets.length > before", arg=before)
        self.page.locator('.pane[data-connected="true"]').wait_for()

    def sockets(self) -> list[dict[str, Any]]:
        """All that were opened, in order: what each asked for, and whether it is closed."""
        facts = "({ query, protocols, isClosed }) => ({ ...Object.fromEntries(query), protocols, isClosed })"
        return list(self.page.evaluate(f"sockets.map({facts})"))

    def posts(self, command: str) -> list[dict[str, Any]]:
        """What the server was asked to do by one command, each as its facts."""
        return list(
            self.page.evaluate(
                "(command) => posts.filter((post) => post.command === command).map(({ facts }) => facts)", command
            )
        )

    def answer(self, command: str, value: object, *, code: int = 200) -> None:
        """Answer the oldest command of that name which has no answer; what comes of that is over when this returns."""
        self.page.evaluate("([command, value, code]) => answer(command, value, code)", [command, value, code])

    def say(self, text: str) -> None:
        """Type something, and send it."""
        self.field.fill(text)
        self.field.press("Enter")
        self.settle()

    def settle(self) -> None:
        """Wait until all is done that follows from what has happened."""
        self.page.evaluate("settle()")

    def draw(self) -> None:
        """Wait until the browser has drawn what there is, and has told of sizes and of scrolling."""
        self.page.evaluate("nextFrame()")

    def find(self, selector: str) -> Any:
        return self.page.locator(f".pane {selector}")

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def field(self) -> Any:
        """Where one types."""
        return self.page.get_by_role("textbox", name="Say something")

    def turns(self) -> list[str]:
        """The text of each turn."""
        return [str(text) for text in self.find(".scroller > .turns > .turn > .talk").all_inner_texts()]

    def problem(self) -> str:
        """What the pane says went wrong; nothing where nothing did."""
        return " ".join(str(self.find(".problem").inner_text()).removesuffix("×").split())

    def told(self) -> list[str]:
        """The threads that the pane has said to be shown now."""
        return list(self.page.evaluate("told"))

    def scroll(self, share: float) -> None:
        """Go to a share of what is scrolled: 0 is its beginning."""
        self.find(".scroller").evaluate(
            "(box, share) => { box.scrollTop = share * (box.scrollHeight - box.clientHeight) }", share
        )
        self.draw()

    def is_at_end(self) -> bool:
        """Whether the end of the talk is in sight."""
        measure = "(box) => box.scrollHeight - box.scrollTop - box.clientHeight"
        return bool(self.find(".scroller").evaluate(measure) < 2)
