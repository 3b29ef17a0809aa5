"""A browser tab with a page of ours in it, read as its user reads it."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

__all__ = ["Tab"]

_ARTIFACTS = Path(__file__).parents[4] / "test-artifacts" / "web"
_WAITS_S = 30.0
_GIVE = """
(target, [kind, files]) => {
  const transfer = new DataTransfer();
  for (const [name, type, content] of files) {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  const facts = { bubbles: true, composed: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent(kind, { ...facts, clipboardData: transfer })
    : new DragEvent(kind, { ...facts, dataTransfer: transfer });
  return !target.dispatchEvent(event);
}
"""


@dataclass
class Tab:
    """One tab.

    Attributes:
        page: Playwright's.
        name: What its screenshots begin with.
        faults: Errors that scripts of the page left uncaught, and dialogs that it opened.
        strangers: What it asked of others than this machine.
    """

    page: Any
    name: str
    faults: list[str] = field(default_factory=list[str])
    strangers: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", self._note_request)

    def open(self, address: str) -> Self:
        """Open a page with a talk in it, and wait until it can be used."""
        self.page.goto(address)
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until the pane says that it is connected and that no turn is at work, and Streamlit has drawn all."""
        self.page.locator('.pane[data-connected="true"][data-at-work="false"]').wait_for()
        self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    @property
    def field(self) -> Any:
        """Where one types."""
        return self.page.get_by_role("textbox", name="Say something")

    def text(self) -> str:
        """All that the pane shows."""
        return str(self.page.locator(".pane").inner_text())

    def bubbles(self) -> Any:
        """What was said and done, in order: of the user and of the ghost by turns."""
        return self.page.locator(".conversation > .scroller > .turns > .turn > .talk > .bubble")

    def conversation(self) -> list[str]:
        """The text of each bubble, once nothing is at work any more."""
        self.settle()
        return [str(bubble.inner_text()) for bubble in self.bubbles().all()]

    def code(self) -> list[str]:
        """All code of the talk, in order."""
        return [str(block.inner_text()).rstrip("\n") for block in self.page.locator(".turns .program pre.code").all()]

    def output(self) -> list[str]:
        """All that code put out, in order."""
        return [str(block.inner_text()) for block in self.page.locator(".turns .output pre.plain").all()]

    def see(self, text: str, *, exact: bool = False) -> Any:
        found = self.page.get_by_text(text, exact=exact).first
        found.wait_for()
        return found

    def button(self, name: str, *, exact: bool = True) -> Any:
        return self.page.get_by_role("button", name=name, exact=exact)

    def open_turn(self, turn: int) -> Any:
        """A turn of the talk."""
        return self.page.locator(f'.conversation > .scroller > .turns > .turn[data-turn="{turn}"]')

    def wait_until(self, claim: Any, *, what: str = "") -> None:
        """Wait until a function returns something true; the page goes on meanwhile."""
        deadline = time.monotonic() + _WAITS_S
        while not claim():
            assert time.monotonic() < deadline, what or "it never came to be"
            self.page.wait_for_timeout(25)

    def give(self, kind: str, target: Any, files: Sequence[tuple[str, str, bytes]]) -> bool:
        """Paste files, or drag them; returns whether the page took them.

        Args:
            kind: `paste`, `dragover` or `drop`.
            target: Onto what.
            files: Names, media types and contents.
        """
        packed = [[name, media_type, base64.b64encode(content).decode()] for name, media_type, content in files]
        return bool(target.evaluate(_GIVE, [kind, packed]))

    def shot(self, label: str) -> None:
        """Keep a picture of what is seen; of a tab that was closed there is none."""
        if self.page.is_closed():
            return
        _ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(_ARTIFACTS / f"{self.name}-{label}.png"))

    def check(self) -> None:
        """Fail where the page did what no page of ours may do."""
        assert not self.faults, self.faults
        assert not self.strangers, self.strangers

    def _note_request(self, sent: Any) -> None:
        if not sent.url.startswith(("http://127.0.0.1", "data:", "blob:")):
            self.strangers.append(sent.url)
