// The live pane: one thread, what moves beside it, and all that can be said to them.

import { BodyPanel } from "./body_panel.js";
import { makeApprovalCard, makeRequestCard } from "./cards.js";
import { command } from "./commands.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { button, el, setChildren } from "./dom.js";
import { showHidden } from "./safe_text.js";
import { SubtaskView } from "./subtasks.js";
import { makeActionRow, ThreadView } from "./thread_view.js";

const NEAR_THE_END_PX = 80;

/**
 * Show a pane in an element.
 * @param {HTMLElement} root
 * @param {object} options
 * @param {string|null} options.thread
 * @param {(thread: string|null) => void} options.onThread Called when another thread is shown.
 * @returns {{show(thread: string|null): void, close(): void}}
 */
export function openPane(root, options) {
  return new Pane(root, options);
}

class Pane {
  #connection = null;
  #status = null;
  #cards = new Map();
  #sticks = true;
  #began = 0;
  #clock = 0;
  #queued = [];

  constructor(root, { thread, onThread }) {
    this.root = root;
    this.onThread = onThread;
    this.thread = thread;
    this.turns = el("ol", { class: "turns" });
    this.view = this.#makeView();
    this.earlier = button("Show earlier turns", () => this.#showEarlier(), { class: "quiet earlier", hidden: true });
    this.cards = el("div", { class: "cards" });
    this.queue = el("ol", { class: "queue", "aria-label": "Waits to be answered" });
    this.phrases = el("div", { class: "phrases" });
    this.problem = el("div", { class: "problem", role: "alert", hidden: true });
    this.latest = button("↓ latest", () => this.#scrollToEnd(), { class: "latest", hidden: true });
    this.work = el("p", { class: "label work", role: "status" });
    this.working = el("span", { text: "working" });
    this.since = el("span", { "aria-hidden": "true" }); // not read out each second
    this.facts = el("p", { class: "label facts" });
    this.scroller = el("div", { class: "scroller", role: "log", "aria-label": "Conversation", tabindex: "0" },
      this.earlier, this.turns, this.cards, this.queue, this.phrases, this.work);
    this.composer = new Composer({
      dropArea: root,
      onSay: (said) => this.#say(said),
      onStop: () => this.#do("stop"),
    });
    this.bodies = new BodyPanel({
      onStop: () => this.#do(this.thread && !this.#status?.isNew ? "stop" : "stop-bodies"),
      onMove: (body, handle, x, y) => this.#do("move-handle", { body, handle, x, y }),
    });
    const talk = el("section", { class: "conversation", "aria-label": "Talk" },
      this.scroller, this.latest, this.problem, this.composer.element, this.facts);
    root.replaceChildren(el("div", { class: "columns" }, talk, this.bodies.element));
    this.scroller.addEventListener("scroll", () => this.#noteScroll());
    this.#clock = setInterval(() => this.#showWork(), 1000);
    this.#connect();
  }

  /** Show another thread. */
  show(thread) {
    if (thread === this.thread) return;
    this.thread = thread;
    this.#forget();
    this.#connect();
  }

  close() {
    clearInterval(this.#clock);
    this.#connection?.close();
    this.view.close();
  }

  #makeView() {
    return new ThreadView({
      element: this.turns,
      makeActions: (turn) => this.#makeActions(turn),
      makeSubtask: (child) => new SubtaskView(child),
      onPruned: () => (this.earlier.hidden = false),
    });
  }

  #forget() {
    this.view.clear();
    this.view = this.#makeView();
    this.#status = null;
    delete this.root.dataset.atWork; // not known of this one yet
    this.#cards.clear();
    this.#sticks = true;
    this.earlier.hidden = true;
    for (const box of [this.cards, this.queue, this.phrases]) box.replaceChildren();
    this.#tell(null);
  }

  #connect() {
    this.#connection?.close();
    this.#connection = new Connection({
      thread: this.thread,
      bodies: true,
      seen: () => this.view.committed,
      onItems: (items) => this.#take(items),
      onState: (isOpen) => this.#setConnected(isOpen),
    });
  }

  #setConnected(isOpen) {
    this.root.dataset.connected = String(isOpen);
    if (isOpen) return;
    this.view.forgetUnstored();
    this.work.textContent = "The server does not answer: trying again …";
    this.composer.setState({ isAtWork: false, isEnabled: true, reason: "" });
  }

  #take(items) {
    const bodies = items.findLast((item) => item.kind === "bodies");
    if (bodies) this.bodies.show(bodies.bodies);
    if (items.length === 1 && bodies) return;
    const sticks = this.#sticks;
    this.view.take(items);
    for (const item of items) {
      if (item.kind === "begins") this.earlier.hidden = !item.has_earlier;
      else if (item.kind === "error") this.#tell(item);
      else if (item.kind === "gone") this.#tell({ happened: "This thread was deleted.", advice: "Begin another one." });
      else if (item.kind === "status") this.#setStatus(item);
    }
    if (items.some((item) => item.kind !== "bodies")) this.#showQueue();
    if (sticks) this.#scrollToEnd();
  }

  #setStatus({ status, is_new: isNew = false, is_missing: isMissing = false }) {
    const wasAtWork = this.#status?.is_at_work ?? false;
    this.#status = { ...status, isNew };
    if (status.thread && status.thread !== this.thread) {
      this.thread = status.thread; // it was renamed
      this.#connection.thread = status.thread;
      this.onThread(status.thread);
    }
    if (status.is_at_work && !wasAtWork) this.#began = performance.now();
    if (!status.is_at_work) this.#queued = [];
    if (wasAtWork && !status.is_at_work && status.turn === 1) this.onThread(status.thread); // it has a name to be listed by
    const missing = status.model.missing_key;
    this.composer.setState({ isAtWork: status.is_at_work, isEnabled: !missing, reason: missing ? `${missing}` : "" });
    this.root.dataset.atWork = String(status.is_at_work);
    this.#showCards();
    this.#showPhrases(isMissing);
    this.#showFacts();
    this.#showWork();
    this.view.refreshActions();
  }

  #showCards() {
    const { pending_code: pending, requests } = this.#status;
    const wanted = new Map();
    for (const request of requests) {
      wanted.set(request.id, () => makeRequestCard(request, (scope) => this.#do("allow", { id: request.id, scope })));
    }
    if (pending) wanted.set(pending.id, () => makeApprovalCard(pending, (facts) => this.#do("answer", facts)));
    for (const id of [...this.#cards.keys()]) if (!wanted.has(id)) this.#cards.delete(id);
    for (const [id, make] of wanted) if (!this.#cards.has(id)) this.#cards.set(id, make());
    setChildren(this.cards, [...this.#cards.values()]);
  }

  #showQueue() {
    const waiting = [...(this.#status?.queued ?? []), ...this.#queued].filter(
      (said, index, all) => !this.view.has(said.id) && all.findIndex((other) => other.id === said.id) === index,
    );
    const behind = this.#status?.is_at_work ?? false;
    this.queue.replaceChildren(...waiting.map((said, index) => this.#makeQueued(said, behind && index + 1 >= 1)));
  }

  #makeQueued(said, isBehind) {
    const files = said.files ? ` · ${said.files} file${said.files > 1 ? "s" : ""}` : "";
    const label = said.steers ? "steers: joins at the next round" : isBehind ? "queued: answered next" : "";
    return el("li", { class: "bubble user" },
      el("div", { class: "part said", dir: "auto" }, showHidden(said.text)),
      label || files ? el("p", { class: "label", text: `${label}${files}` }) : null);
  }

  #showPhrases(isMissing) {
    const { phrases, is_at_work: isAtWork, model } = this.#status;
    const hello = this.view.isEmpty && !isAtWork && !model.missing_key
      ? el("p", { class: "label hello", text: isMissing || !this.thread ? "Nothing was said yet: type below to begin." : "" }) : null;
    if (isAtWork || !phrases.length) {
      setChildren(this.phrases, [phrases.length ? null : hello]);
      return;
    }
    this.phrases.replaceChildren(
      el("p", { class: "label", text: "The rehearsal answers these:" }),
      el("div", { class: "row" }, ...phrases.map((phrase) =>
        button(showHidden(phrase), () => this.#say({ text: phrase, files: [], steer: false }).catch(() => {}), { class: "phrase" }))));
  }

  #showFacts() {
    const { profile, is_unconfined: isUnconfined, model, usage, thread } = this.#status;
    const parts = [];
    if (isUnconfined) parts.push(el("strong", { class: "bad", text: "Model-written code runs UNCONFINED in this process" }));
    else if (profile) parts.push(el("span", { text: profile }));
    parts.push(el("span", { class: model.is_rehearsal ? "warn" : "", text: model.is_rehearsal ? "rehearsal: recorded replies, no model" : model.label }));
    if (usage && usage.input + usage.output > 0) parts.push(el("span", { text: describeUsage(usage) }));
    if (thread) parts.push(el("span", { text: `thread ${showHidden(thread)}` }));
    this.facts.replaceChildren(...parts);
  }

  #showWork() {
    if (this.root.dataset.connected === "false") return;
    const isAtWork = this.#status?.is_at_work ?? false;
    this.since.textContent = ` · ${Math.floor((performance.now() - this.#began) / 1000)} s`;
    setChildren(this.work, isAtWork ? [this.working, this.since] : []);
  }

  #makeActions(turn) {
    const status = this.#status;
    if (!status?.thread || status.is_at_work || !this.view.saidIn(turn)) return null;
    const isLast = turn >= status.turn;
    return makeActionRow([
      ["Retry", () => this.#goBack("retry", { turn }), "Says it again; what came of it is kept in a fork"],
      ["Edit", () => this.#edit(turn), "Says it in other words; what came of it is kept in a fork"],
      ["Fork", () => this.#fork(turn), "Begins another thread with what was said up to here"],
      ...(isLast ? [] : [["Rewind", () => this.#goBack("rewind", { turn }), "Goes on from here; what came after it is kept in a fork"]]),
    ]);
  }

  #edit(turn) {
    const field = el("textarea", { rows: "3", "aria-label": "Say instead" });
    field.value = this.view.saidIn(turn);
    const done = () => form.remove();
    const form = el("form", { class: "edit", on: { submit: (event) => {
      event.preventDefault();
      if (!field.value.trim()) return;
      done();
      this.#goBack("retry", { turn, text: field.value });
    } } }, field, el("div", { class: "row" }, el("button", { type: "submit", class: "primary" }, "Say this instead"), button("Cancel", done)));
    this.turns.querySelector(`[data-turn="${turn}"] .actions`)?.append(form);
    field.focus();
  }

  async #goBack(name, facts) {
    const answer = await this.#do(name, facts);
    if (answer?.kept_in) this.#tell({ happened: `What came of it is kept in the thread ${answer.kept_in}.`, advice: "", tone: "info" });
  }

  async #fork(turn) {
    const answer = await this.#do("fork", { turn });
    if (!answer) return;
    this.onThread(answer.thread);
    this.show(answer.thread);
  }

  async #showEarlier() {
    const answer = await this.#do("earlier", { before: this.view.firstSeq || 1 });
    if (!answer) return;
    const { scrollHeight, scrollTop } = this.scroller;
    this.#sticks = false;
    for (const message of answer.messages) this.view.addMessage(message);
    this.view.refreshActions();
    this.earlier.hidden = !answer.has_earlier;
    this.scroller.scrollTop = scrollTop + this.scroller.scrollHeight - scrollHeight;
  }

  async #say({ text, files, steer }) {
    const form = new FormData();
    form.set("text", text);
    if (steer) form.set("steer", "1");
    if (this.thread) form.set("thread", this.thread);
    if (this.#status?.isNew) form.set("is_new", "1");
    for (const file of files) form.append("files", file, file.name || "pasted.png");
    this.#sticks = true;
    this.#tell(null);
    let answer;
    try {
      answer = await command("say", form);
    } catch (error) {
      this.#tell({ ...describe(error), advice: `${error.advice ?? ""} This was not said.` });
      throw error;
    }
    this.#queued.push({ id: answer.event, text, files: files.length, steers: steer });
    if (answer.thread !== this.thread || this.#status?.isNew) {
      this.thread = answer.thread;
      this.onThread(answer.thread);
      this.#connect();
    }
    this.#showQueue();
    this.#scrollToEnd();
  }

  /** Do something, and say what kept it from being done; returns what came of it, or null. */
  async #do(name, facts = {}) {
    this.#tell(null);
    try {
      return await command(name, { thread: this.thread, ...facts });
    } catch (error) {
      this.#tell(describe(error));
      return null;
    }
  }

  #tell(error) {
    this.problem.hidden = !error;
    if (!error) return this.problem.replaceChildren();
    this.problem.dataset.tone = error.tone ?? "bad";
    this.problem.replaceChildren(el("strong", {}, showHidden(error.happened)), " ", showHidden(error.advice ?? ""),
      button("×", () => this.#tell(null), { class: "quiet", "aria-label": "Close this" }));
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.#sticks = scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
    this.latest.hidden = this.#sticks;
  }

  #scrollToEnd() {
    this.#sticks = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.latest.hidden = true;
  }
}

function describe(error) {
  if (error.happened) return { happened: error.happened, advice: error.advice };
  console.error(error);
  return { happened: "The page failed.", advice: "Load it again; its console says more." };
}

function describeUsage({ input, cached, output, cost }) {
  const count = (number) => number.toLocaleString("en");
  const parts = [`${count(input)} token${input === 1 ? "" : "s"} read${cached ? ` (${count(cached)} cached)` : ""}`, `${count(output)} written`];
  return parts.concat(cost ? [`cost ${cost.toPrecision(3)}`] : []).join(", ");
}
