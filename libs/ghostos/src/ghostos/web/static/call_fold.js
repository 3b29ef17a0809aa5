// Calls of objects, one after the other: they share a fold.

import { el } from "./dom.js";

export class CallFold {
  #items = [];

  /** @param {{seq: number, view: {element: HTMLElement}}} first Takes the place of this call, which is in a bubble. */
  constructor(first) {
    this.summary = el("summary");
    this.calls = el("div", { class: "calls" });
    this.element = el("details", { class: "part folded", data: { seq: String(first.seq) } }, this.summary, this.calls);
    this.element.fold = this;
    first.view.element.replaceWith(this.element);
    this.add(first);
  }

  /** Take a call in, at its place. */
  add(item) {
    item.fold = this;
    this.#items = [...this.#items, item].sort((one, other) => one.seq - other.seq);
    this.calls.replaceChildren(...this.#items.map((each) => each.view.element));
    this.count();
  }

  /** Let a call go. The last one that is left takes the place of the fold. */
  remove(item) {
    item.fold = null;
    item.view.element.remove();
    this.#items = this.#items.filter((each) => each !== item);
    this.count();
    if (this.#items.length > 1) return;
    const [last] = this.#items;
    if (last) last.fold = null;
    this.element.replaceWith(...(last ? [last.view.element] : []));
  }

  /** Say how many there are: one of them may stand for many more. */
  count() {
    const count = this.#items.reduce((sum, item) => sum + (item.message?.data?.more ?? 1), 0);
    this.summary.textContent = `${count.toLocaleString("en")} calls`;
  }
}
