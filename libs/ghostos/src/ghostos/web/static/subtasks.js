// A task that a ghost has made: one line, and its own thread, live, once it is opened.

import { Cards } from "./cards.js";
import { command } from "./commands.js";
import { Connection } from "./connection.js";
import { button, el } from "./dom.js";
import { showHidden } from "./safe_text.js";
import { ThreadView } from "./thread_view.js";

export class SubtaskView {
  #connection = null;
  #view = null;

  /**
   * @param {{id: string, thread: string, ghost: string}} child
   * @param {(thread: string) => void} onOpen Has its thread shown by itself.
   */
  constructor(child, onOpen) {
    this.child = child;
    this.onOpen = onOpen;
    this.state = el("span", { class: "state" });
    this.turns = el("ol", { class: "turns nested" });
    this.cards = el("div", { class: "cards" });
    this.problem = el("p", { class: "label bad", role: "alert" });
    const whole = button("Open its thread", () => onOpen(child.thread), { class: "quiet" });
    this.element = el("details", { class: "subtask" },
      el("summary", {}, el("span", { text: "subtask " }), el("strong", {}, showHidden(child.ghost)), " ", this.state),
      whole, this.turns, this.cards, this.problem);
    this.element.addEventListener("toggle", () => (this.element.open ? this.#open() : this.close()));
    this.asked = new Cards(this.cards, (name, facts) => this.#run(name, facts));
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
    this.#view = new ThreadView({ element: this.turns, makeSubtask: (child) => new SubtaskView(child, this.onOpen) });
    this.#view.clear();
    this.#connection = new Connection({
      thread: this.child.id,
      seen: () => this.#view.committed,
      onItems: (items) => this.#take(items),
    });
  }

  #take(items) {
    this.#view.take(items);
    for (const item of items) {
      if (item.kind === "gone") this.problem.textContent = "It was deleted.";
      else if (item.kind === "status") this.asked.show(item.status);
      else if (item.kind === "error") this.problem.textContent = `${showHidden(item.happened)} ${showHidden(item.advice)}`;
    }
  }

  async #run(name, facts) {
    this.problem.textContent = "";
    try {
      await command(name, { thread: this.child.id, ...facts });
    } catch (error) {
      this.problem.textContent = `${showHidden(error.happened ?? "The page failed.")} ${showHidden(error.advice ?? "")}`;
    }
  }
}
