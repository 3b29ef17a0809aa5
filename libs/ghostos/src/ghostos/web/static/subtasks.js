// A task that a ghost has made: one line, and its own thread, live, once it is opened.

import { Connection } from "./connection.js";
import { el } from "./dom.js";
import { showHidden } from "./safe_text.js";
import { ThreadView } from "./thread_view.js";

export class SubtaskView {
  #connection = null;
  #view = null;

  /** @param {{id: string, thread: string, ghost: string}} child */
  constructor(child) {
    this.child = child;
    this.state = el("span", { class: "state" });
    this.turns = el("ol", { class: "turns nested" });
    this.element = el("details", { class: "subtask" },
      el("summary", {}, el("span", { text: "subtask " }), el("strong", {}, showHidden(child.ghost)), " ", this.state),
      this.turns);
    this.element.addEventListener("toggle", () => (this.element.open ? this.#open() : this.close()));
  }

  update(child) {
    this.state.textContent = child.state;
    this.state.dataset.state = child.state;
  }

  close() {
    this.#connection?.close();
    this.#connection = null;
    this.#view?.close();
  }

  #open() {
    if (this.#connection) return;
    this.#view = new ThreadView({ element: this.turns, makeSubtask: (child) => new SubtaskView(child) });
    this.#view.clear();
    this.#connection = new Connection({
      thread: this.child.thread,
      seen: () => this.#view.committed,
      onItems: (items) => this.#view.take(items),
      onState: (isOpen) => isOpen || this.#view.forgetUnstored(),
    });
  }
}
