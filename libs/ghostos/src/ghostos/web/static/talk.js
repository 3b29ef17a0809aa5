// One thread on the page: what was said in it, what waits, and all that can be asked of it. Thrown away with its thread.

import { Cards } from "./cards.js";
import { command } from "./commands.js";
import { Connection } from "./connection.js";
import { button, el, setChildren } from "./dom.js";
import { showHidden } from "./safe_text.js";
import { SubtaskView } from "./subtasks.js";
import { ThreadView } from "./thread_view.js";

export class Talk {
  #status = null;
  #isNew = false;
  #id = null;
  #queued = [];
  #shownQueue = "";
  #shownPhrases = "";
  #began = 0;
  #isAway = false;
  #isClosed = false;

  /**
   * @param {object} options
   * @param {string|null} options.thread Its name; null for one that nobody has begun.
   * @param {(status: object) => void} options.onStatus
   * @param {(thread: string) => void} options.onName Called when it is called otherwise, or has something to be listed by.
   * @param {() => void} options.onMissing Called when there is no thread of that name.
   * @param {(thread: string) => void} options.onOpen Called when another thread is asked for.
   * @param {(bodies: object[]) => void} options.onBodies
   * @param {(isOpen: boolean, isRefused: boolean) => void} options.onState
   * @param {(problem: object|null) => void} options.onProblem
   * @param {import("./sticky_scroll.js").StickyScroll} options.scroll
   * @param {(text: string) => void} options.onPhrase Says something as if it had been typed.
   */
  constructor(options) {
    Object.assign(this, options);
    this.turns = el("ol", { class: "turns" });
    this.earlier = button("Show earlier turns", () => this.#showEarlier(), { class: "quiet earlier", hidden: true });
    this.cards = el("div", { class: "cards" });
    this.queue = el("ol", { class: "queue", "aria-label": "Waits to be answered" });
    this.phrases = el("div", { class: "phrases" });
    this.work = el("p", { class: "label work", role: "status" });
    this.working = el("span", { text: "working" });
    this.since = el("span", { "aria-hidden": "true" }); // not read out each second
    this.parts = [this.earlier, this.turns, this.cards, this.queue, this.phrases, this.work];
    this.asked = new Cards(this.cards, (name, facts) => this.run(name, facts));
    this.view = new ThreadView({
      element: this.turns,
      makeActions: (turn) => this.#listActions(turn),
      makeSubtask: (child) => new SubtaskView(child, this.onOpen),
    });
    this.clock = setInterval(() => this.#showWork(), 1000);
    this.#connect();
  }

  /** Under which what is typed is kept until it is said. */
  get draftKey() {
    return `ghostos-draft-${this.thread ?? ""}`;
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.clock);
    this.connection.close();
    this.view.close();
  }

  /**
   * Say something.
   * @param {{text: string, files: File[], steer: boolean}} said
   * @throws {Error} It was not said; why is told.
   */
  async say({ text, files, steer }) {
    const form = new FormData();
    form.set("text", text);
    if (steer) form.set("steer", "1");
    if (this.#address) form.set("thread", this.#address);
    if (this.#isNew) form.set("is_new", "1");
    for (const file of files) form.append("files", file, file.name || "pasted.png");
    this.#tell(null);
    let answer;
    try {
      answer = await command("say", form);
    } catch (error) {
      this.#tell({ ...describe(error), advice: `${error.advice ?? ""} It was not said: ${shorten(text)}` });
      throw error;
    }
    this.#queued.push({ id: answer.event, text, files: files.length, steers: steer });
    const isBegun = this.#id === null;
    if (isBegun) {
      this.#isNew = false;
      this.thread = answer.thread; // what was typed behind it goes there, too, whichever thread is shown by then
    }
    if (this.#isClosed) return;
    if (isBegun) {
      this.onName(answer.thread);
      this.#connect();
    }
    this.#showQueue();
    this.scroll.toEnd();
  }

  /** Stop what runs in it, and what moves; only that where nobody has begun it. */
  stop() {
    return this.#address && !this.#isNew ? this.run("stop") : this.run("stop-bodies");
  }

  /** Have something done, and tell what kept it from being done; returns what came of it, or null. */
  async run(name, facts = {}) {
    try {
      const answer = await command(name, { thread: this.#address, ...facts });
      return this.#isClosed ? null : answer;
    } catch (error) {
      this.#tell(describe(error));
      return null;
    }
  }

  /** What it is asked for by: a name may be another thread's by tomorrow, an id never is. */
  get #address() {
    return this.#id ?? this.thread;
  }

  #connect() {
    this.connection?.close();
    this.connection = new Connection({
      thread: this.#address,
      bodies: true,
      seen: () => this.view.committed,
      onItems: (items) => this.#take(items),
      onState: (isOpen, isRefused) => this.#setConnected(isOpen, isRefused),
    });
  }

  #setConnected(isOpen, isRefused) {
    if (this.#isClosed) return;
    this.onState(isOpen, isRefused);
    this.#isAway = !isOpen;
    if (isOpen) return this.#showWork();
    this.work.textContent = isRefused
      ? "This browser is not let in (any more): open the address that `ghostos web` printed."
      : "The server does not answer: trying again …";
  }

  #take(items) {
    const bodies = items.findLast((item) => item.kind === "bodies");
    if (bodies) this.onBodies(bodies.bodies);
    if (items.length === 1 && bodies) return;
    this.view.take(items);
    for (const item of items) {
      if (item.kind === "begins") this.earlier.hidden = !item.has_earlier;
      else if (item.kind === "error") this.#tell(item);
      else if (item.kind === "gone") this.#tell({ happened: "This thread was deleted.", advice: "Begin another one." });
      else if (item.kind === "status") this.#setStatus(item);
      else if (item.kind === "turn" && this.scroll.sticks && this.view.prune()) this.earlier.hidden = false;
    }
    this.#showQueue();
  }

  #setStatus({ status, is_new: isNew = false }) {
    if (isNew && this.thread !== null) this.onMissing();
    if (this.#isClosed) return;
    const wasAtWork = this.#status?.is_at_work ?? false;
    this.#status = status;
    this.#isNew = isNew;
    this.#id = status.task ?? null;
    if (this.#id) this.connection.thread = this.#id;
    if (status.is_at_work && !wasAtWork) this.#began = performance.now();
    if (!status.is_at_work) this.#queued = [];
    const isFirstOver = wasAtWork && !status.is_at_work && status.turn === 1;
    if (status.thread && (status.thread !== this.thread || isFirstOver)) {
      this.thread = status.thread;
      this.onName(status.thread);
    }
    this.asked.show(status);
    this.#showPhrases();
    this.#showWork();
    this.view.refreshActions();
    this.onStatus(status);
  }

  #showQueue() {
    const all = [...(this.#status?.queued ?? []), ...this.#queued];
    const waiting = all.filter((said, index) =>
      !this.view.has(said.id) && all.findIndex((other) => other.id === said.id) === index);
    const isBehind = this.#status?.is_at_work ?? false;
    const shown = JSON.stringify([waiting, isBehind]);
    if (shown === this.#shownQueue) return;
    this.#shownQueue = shown;
    this.queue.replaceChildren(...waiting.map((said) => makeQueued(said, isBehind)));
  }

  #showPhrases() {
    const { phrases, is_at_work: isAtWork, model } = this.#status;
    const isBlank = this.view.isEmpty && !isAtWork && !model.missing_key && !phrases.length;
    const shown = JSON.stringify([isAtWork ? [] : phrases, isBlank]);
    if (shown === this.#shownPhrases) return;
    this.#shownPhrases = shown;
    if (isBlank) this.phrases.replaceChildren(el("p", { class: "label", text: "Nothing was said yet: type below to begin." }));
    else if (isAtWork || !phrases.length) this.phrases.replaceChildren();
    else this.phrases.replaceChildren(el("p", { class: "label", text: "The rehearsal answers these:" }),
      el("div", { class: "row" }, ...phrases.map((phrase) => button(showHidden(phrase), () => this.#sayPhrase(phrase), { class: "phrase" }))));
  }

  #sayPhrase(phrase) {
    this.phrases.replaceChildren(); // the next ones come with what is answered
    this.#shownPhrases = "";
    this.onPhrase(phrase);
  }

  #showWork() {
    if (this.#isAway) return; // that is said in its place
    this.since.textContent = ` · ${Math.floor((performance.now() - this.#began) / 1000)} s`;
    setChildren(this.work, this.#status?.is_at_work ? [this.working, this.since] : []);
  }

  #listActions(turn) {
    const status = this.#status;
    if (!status?.thread || status.is_at_work) return [];
    const rewind = ["Rewind", () => this.#goBack("rewind", { turn }), "Goes on from here; what came after it is kept in a fork"];
    const again = [
      ["Retry", () => this.#goBack("retry", { turn }), "Says it again; what came of it is kept in a fork"],
      ["Edit", () => this.#edit(turn), "Says it in other words; what came of it is kept in a fork"],
    ];
    return [
      ...(this.view.saidIn(turn) ? again : []),
      ["Fork", () => this.#fork(turn), "Begins another thread with what was said up to here"],
      ...(turn >= status.turn ? [] : [rewind]),
    ];
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
    this.view.putBelow(turn, form);
    form.scrollIntoView({ block: "nearest" });
    field.focus({ preventScroll: true });
  }

  async #goBack(name, facts) {
    this.#tell(null);
    const answer = await this.run(name, facts);
    if (!answer?.kept_in) return;
    const happened = `What came of it is kept in the thread ${answer.kept_in}.`;
    this.#tell({ happened, advice: "", tone: "info", thread: answer.kept_in });
  }

  async #fork(turn) {
    this.#tell(null);
    const answer = await this.run("fork", { turn });
    if (answer) this.onOpen(answer.thread);
  }

  async #showEarlier() {
    const answer = await this.run("earlier", { before: this.view.firstSeq || 1 });
    if (!answer) return;
    await this.scroll.holdWhile(() => this.view.addEarlier(answer.messages));
    this.earlier.hidden = !answer.has_earlier;
  }

  #tell(problem) {
    if (!this.#isClosed) this.onProblem(problem);
  }
}

function makeQueued(said, isBehind) {
  const files = said.files ? ` · ${said.files} file${said.files > 1 ? "s" : ""}` : "";
  const label = said.steers ? "steers: joins at the next round" : isBehind ? "queued: answered next" : "";
  return el("li", { class: "bubble user" },
    el("div", { class: "part said", dir: "auto" }, showHidden(said.text)),
    label || files ? el("p", { class: "label", text: `${label}${files}` }) : null);
}

function describe(error) {
  if (error.happened) return { happened: error.happened, advice: error.advice, tone: error.tone };
  console.error(error);
  return { happened: "The page failed.", advice: "Load it again; its console says more." };
}

function shorten(text) {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
