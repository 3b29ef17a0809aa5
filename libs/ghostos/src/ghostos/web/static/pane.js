// The live pane: a talk, where one types, and what moves beside them.

import { BodyPanel } from "./body_panel.js";
import { Composer } from "./composer.js";
import { button, el } from "./dom.js";
import { showHidden } from "./safe_text.js";
import { StickyScroll } from "./sticky_scroll.js";
import { Talk } from "./talk.js";

/**
 * Show a pane in an element.
 * @param {HTMLElement} root
 * @param {object} options
 * @param {string|null} options.thread
 * @param {boolean} [options.isLast] Whether nobody has asked for it but that it was shown last: it may be gone.
 * @param {(thread: string|null) => void} options.onThread Called when another thread is shown.
 * @returns {{show(thread: string|null): void, close(): void}}
 */
export function openPane(root, options) {
  return new Pane(root, options);
}

class Pane {
  constructor(root, { thread, isLast = false, onThread }) {
    this.root = root;
    this.onThread = onThread;
    this.isLast = isLast;
    this.problem = el("div", { class: "problem", role: "alert", hidden: true });
    this.facts = el("p", { class: "label facts" });
    const latest = el("button", { type: "button", class: "latest", hidden: true }, "↓ latest");
    this.scroller = el("div", { class: "scroller", role: "log", "aria-label": "Conversation", tabindex: "0" });
    this.scroll = new StickyScroll({ scroller: this.scroller, latest });
    this.composer = new Composer({
      dropArea: root,
      getTalk: () => this.talk,
      onStop: () => this.talk.stop(),
      canStop: () => this.composer.isAtWork || this.bodies.isBusy,
    });
    this.bodies = new BodyPanel({
      onStop: () => this.talk.stop(),
      onMove: (body, handle, x, y) => this.talk.run("move-handle", { body, handle, x, y }),
    });
    const conversation = el("section", { class: "conversation", "aria-label": "Talk" },
      this.scroller, latest, this.problem, this.composer.element, this.facts);
    root.replaceChildren(el("div", { class: "columns" }, conversation, this.bodies.element));
    this.#open(thread);
  }

  /** Show another thread. */
  show(thread) {
    if (thread !== this.talk.thread) this.#open(thread);
  }

  close() {
    this.talk.close();
    this.scroll.close();
  }

  #open(thread) {
    const wasLast = this.isLast && !this.talk;
    this.talk?.close();
    this.isLast = wasLast;
    this.#tell(null);
    delete this.root.dataset.atWork; // not known of this one yet
    this.talk = new Talk({
      thread,
      scroll: this.scroll,
      onStatus: (status) => this.#showStatus(status),
      onName: (name) => {
        this.composer.rename();
        this.onThread(name);
      },
      onMissing: () => this.isLast && this.#open(null),
      onOpen: (name) => this.#go(name),
      onBodies: (bodies) => this.bodies.show(bodies),
      onState: (isOpen) => this.#showState(isOpen),
      onProblem: (problem) => this.#tell(problem),
      onPhrase: (phrase) => this.composer.say(phrase),
    });
    this.scroller.replaceChildren(...this.talk.parts);
    this.scroll.watch(this.talk.parts);
    this.scroll.toEnd();
    this.composer.change();
  }

  #go(thread) {
    this.onThread(thread);
    this.show(thread);
  }

  #showState(isOpen) {
    this.root.dataset.connected = String(isOpen);
    if (isOpen && this.problem.dataset.tone === "away") this.#tell(null);
  }

  #showStatus(status) {
    if (this.isLast && status.thread) {
      this.isLast = false;
      this.onThread(status.thread); // the page did not know of it yet
    }
    const missing = status.model.missing_key;
    this.composer.setState({ isAtWork: status.is_at_work, isEnabled: !missing });
    this.composer.tell(missing ? `${showHidden(missing)} ` : "", missing ? el("a", { href: "/models" }, "Models and keys") : null);
    this.root.dataset.atWork = String(status.is_at_work);
    this.facts.replaceChildren(...describeFacts(status));
  }

  #tell(problem) {
    this.problem.hidden = !problem;
    if (!problem) return this.problem.replaceChildren();
    this.problem.dataset.tone = problem.tone ?? "bad";
    const open = problem.thread ? button("Open it", () => this.#go(problem.thread), { class: "quiet" }) : "";
    this.problem.replaceChildren(el("strong", {}, showHidden(problem.happened)), " ", showHidden(problem.advice ?? ""), open,
      button("×", () => this.#tell(null), { class: "quiet close", "aria-label": "Close this" }));
  }
}

function describeFacts({ profile, is_unconfined: isUnconfined, model, usage, thread }) {
  const parts = [];
  if (isUnconfined) parts.push(el("strong", { class: "bad", text: "Model-written code runs UNCONFINED in this process" }));
  else if (profile) parts.push(el("span", { text: profile }));
  const label = model.is_rehearsal ? "rehearsal: recorded replies, no model" : model.label;
  parts.push(el("span", { class: model.is_rehearsal ? "warn" : "", text: showHidden(label) }));
  if (usage && usage.input + usage.output > 0) parts.push(el("span", { text: describeUsage(usage) }));
  if (thread) parts.push(el("span", { text: `thread ${showHidden(thread)}` }));
  return parts;
}

function describeUsage({ input, cached, output, cost }) {
  const count = (number) => number.toLocaleString("en");
  const parts = [`${count(input)} token${input === 1 ? "" : "s"} read${cached ? ` (${count(cached)} cached)` : ""}`, `${count(output)} written`];
  return parts.concat(cost ? [`cost ${cost.toPrecision(3)}`] : []).join(", ");
}
