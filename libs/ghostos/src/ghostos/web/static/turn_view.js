// One turn on the page: what was said in it, the tasks that it has made, and what may be done with it.

import { button, el } from "./dom.js";

export class TurnView {
  #offered = "";
  #talk = el("div", { class: "talk" });
  #subtasks = el("div", { class: "subtasks" });
  #footer = el("div", { class: "actions" });
  #below = el("div", { class: "below" });

  /** @param {number} turn Its number. */
  constructor(turn) {
    this.element = el("li", { class: "turn", data: { turn: String(turn) } }, this.#talk, this.#subtasks, this.#footer, this.#below);
  }

  get isEmpty() {
    return !this.#talk.childElementCount && !this.#subtasks.childElementCount;
  }

  /** Put a message at its place, into the bubble of its side. */
  put(element, { seq, side }) {
    const box = this.#findBox(side, seq);
    const after = [...box.children].find((child) => Number(child.dataset.seq) > seq);
    box.insertBefore(element, after ?? null);
  }

  addSubtask(element) {
    this.#subtasks.append(element);
  }

  /**
   * Offer what may be done with it now; where that is what it offers, all stays as it is.
   * @param {Array<[string, () => void, string]>} actions Label, what it does, what it says to who points at it.
   */
  offer(actions) {
    const offered = actions.map(([label]) => label).join();
    if (offered === this.#offered) return;
    this.#offered = offered;
    const buttons = actions.map(([label, act, help]) => button(label, act, { class: "quiet", title: help }));
    const row = el("div", { class: "row", role: "group", "aria-label": "Actions on this turn" }, ...buttons);
    this.#footer.replaceChildren(...(buttons.length ? [row] : []));
  }

  /** Put something below it, in the place of what was put there before. */
  putBelow(element) {
    this.#below.replaceChildren(element);
  }

  /** The bubble of a side into which a message of that number belongs. */
  #findBox(side, seq) {
    let before = null;
    let after = null;
    for (const box of this.#talk.children) {
      if (Number(box.firstElementChild?.dataset.seq ?? Infinity) < seq) before = box;
      else after ??= box;
    }
    if (before?.dataset.side === side) return before;
    if (after?.dataset.side === side) return after;
    const label = side === "user" ? "You" : "Ghost";
    const box = el("div", { class: `bubble ${side}`, data: { side }, role: "group", "aria-label": label });
    this.#talk.insertBefore(box, after);
    return box;
  }
}
