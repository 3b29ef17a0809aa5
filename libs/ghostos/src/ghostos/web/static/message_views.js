// How one message looks. Each view takes text as it comes, then the whole message: finished and running turns are drawn alike.

import { CodeView } from "./code_view.js";
import { el } from "./dom.js";
import { MarkdownView } from "./markdown.js";
import { showHidden } from "./safe_text.js";
import { fillVariable } from "./variable_view.js";

const FOLDED_LINES = 30;
const OUTPUT_LABELS = {
  ok: ["output", ""],
  error: ["output · the code failed", "bad"],
  rejected: ["output · not run", "bad"],
  interrupted: ["output · interrupted", "bad"],
};
const EVENT_LABELS = new Map([
  ["callback", "from a task that it made"],
  ["timer", "its timer"],
  ["external", "from outside"],
  ["attachment", "a file of yours"],
  ["cancel", "what it was told of the stop"],
]);

/**
 * Make the view of a message.
 * @param {{type: string, role: string}} start
 * @returns {{element: HTMLElement, setText(text: string): void, finish(message: object): void,
 *   setLine?(line: number|null): void, setPrinted?(text: string|null): void}}
 */
export function makeView(start) {
  const { type, role } = start;
  if (type === "text" && role === "assistant") return new SpeechView();
  if (type === "text" && role === "user") return new UserView();
  if (type === "text" && role === "system") return new NoteView();
  if (type === "text") return new EventView();
  if (type === "code") return new ProgramView();
  if (type === "reasoning") return new ReasoningView();
  if (type === "output") return new OutputView();
  if (type === "error") return new ErrorView();
  if (type === "host_call") return new CallView();
  if (type === "state") return new StateView();
  if (type === "approval") return new ApprovalView();
  if (type === "image" || type === "audio") return new AssetView();
  if (type === "variable") return new VariableView();
  return new BlockView(type);
}

class View {
  constructor(className) {
    this.element = el("div", { class: `part ${className}` });
  }
  setText(_text) {}
  finish(message) {
    this.setText(message.content);
  }
}

class SpeechView extends View {
  constructor() {
    super("speech");
    this.body = el("div", { class: "markdown" });
    this.element.append(this.body);
    this.markdown = new MarkdownView(this.body);
  }
  setText(text) {
    this.markdown.set(text, { isFinal: false });
  }
  finish(message) {
    this.markdown.set(message.content, { isFinal: true });
    if (message.status === "partial") this.element.append(el("p", { class: "label warn", text: "cut short" }));
  }
}

class UserView extends View {
  constructor() {
    super("said");
    this.element.dir = "auto";
  }
  setText(text) {
    this.element.replaceChildren(showHidden(text));
  }
}

class NoteView extends View {
  constructor() {
    super("note");
    this.element.setAttribute("role", "note");
    this.element.dir = "auto";
  }
  setText(text) {
    this.element.replaceChildren(showHidden(text));
  }
}

class BlockView extends View {
  constructor(label) {
    super("block");
    this.label = el("p", { class: "label", text: label });
    this.text = el("pre", { class: "plain", tabindex: "0" });
    this.element.append(this.label, this.text);
  }
  setText(text) {
    this.text.replaceChildren(showHidden(text));
    this.text.classList.toggle("long", text.split("\n", FOLDED_LINES + 1).length > FOLDED_LINES);
  }
}

/** What woke the ghost, and is not its user: as its model reads it. */
class EventView extends BlockView {
  constructor() {
    super("event");
  }
  finish(message) {
    super.finish(message);
    const event = message.data?.event;
    this.label.textContent = EVENT_LABELS.get(event) ?? "event";
    if (event === "cancel") this.element.replaceChildren(el("details", {}, el("summary", {}, this.label.textContent), this.text));
  }
}

class ProgramView extends View {
  constructor() {
    super("program");
    const host = el("div");
    this.element.append(host);
    this.code = new CodeView(host, { language: "python", label: "code" });
    this.label = host.querySelector(".code-label");
  }
  setText(text, { isFinal = false } = {}) {
    this.lead = text.length - text.replace(/^\n+/, "").length;
    this.code.set(text.replace(/^\n+|\n+$/g, ""), { isFinal });
  }
  setLine(line) {
    this.code.setLine(line === null ? null : line - (this.lead ?? 0));
    this.element.classList.toggle("runs", line !== null);
  }
  /** Show what it has printed so far; null: it has ended. */
  setPrinted(text) {
    if (text === null) {
      this.printed?.element.remove();
      this.printed = null;
      return;
    }
    if (!this.printed) {
      this.printed = new BlockView("output so far");
      this.element.append(this.printed.element);
    }
    const box = this.printed.text;
    const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 4;
    this.printed.setText(text.trimEnd());
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  }
  finish(message) {
    const data = message.data ?? {};
    if (data.in_text) {
      this.element.replaceChildren(el("p", { class: "label", text: "the code above was run" }));
      return;
    }
    this.setText(message.content, { isFinal: true });
    if (data.withdrawn) this.label.textContent = "code · not run";
    else if (data.is_closed === false) this.#warn("code · cut short, not run");
    else if (message.status === "partial") this.#warn("code · cut short");
  }
  #warn(text) {
    this.label.textContent = text;
    this.label.classList.add("warn");
  }
}

class ReasoningView extends View {
  constructor() {
    super("reasoning");
    this.body = el("div", { class: "markdown" });
    this.element.append(el("details", {}, el("summary", { text: "reasoning" }), this.body));
    this.markdown = new MarkdownView(this.body);
  }
  setText(text) {
    this.markdown.set(text, { isFinal: false });
  }
  finish(message) {
    this.markdown.set(message.content, { isFinal: true });
  }
}

class OutputView extends BlockView {
  constructor() {
    super("output");
    this.element.classList.add("output");
  }
  finish(message) {
    const [label, tone] = OUTPUT_LABELS[message.data?.status] ?? OUTPUT_LABELS.ok;
    if (message.content === "(no output)" && !tone) {
      this.element.replaceChildren(el("p", { class: "label", text: "ran, and put nothing out" }));
      return;
    }
    this.setText(message.content);
    this.label.textContent = label;
    if (tone) this.label.classList.add(tone);
  }
}

class ErrorView extends View {
  constructor() {
    super("alert");
  }
  setText(text) {
    this.element.replaceChildren(el("strong", {}, showHidden(text)));
  }
  finish(message) {
    this.setText(message.content);
    const advice = message.data?.advice;
    if (typeof advice === "string" && advice) this.element.append(el("p", {}, showHidden(advice)));
  }
}

class CallView extends View {
  constructor() {
    super("call");
  }
  setText(text) {
    this.element.replaceChildren(showHidden(text));
  }
  finish(message) {
    this.setText(message.content);
    if (message.data?.error) this.element.classList.add("bad");
  }
}

class StateView extends View {
  constructor() {
    super("state label");
  }
  finish(message) {
    const data = message.data ?? {};
    let text = message.content;
    if (data.state === "finished") text = data.result == null ? "finished" : `finished: ${data.result}`;
    else if (data.is_rehearsal) text = "rehearsal: recorded replies, no model";
    else if (data.model != null) text = `answered by ${data.model}`;
    this.element.replaceChildren(showHidden(text));
  }
}

class ApprovalView extends View {
  constructor() {
    super("approval");
  }
  finish(message) {
    const answer = message.data?.code;
    if (answer?.decision === "edit" && typeof answer.code === "string") {
      const host = el("div");
      this.element.replaceChildren(host);
      new CodeView(host, { language: "python", label: "You ran this in its place" }).set(answer.code, { isFinal: true });
      return;
    }
    const text = message.content.replace(/^The user (has )?/, (_words, has) => (has ? "You have " : "You "));
    this.element.replaceChildren(el("p", { class: "label" }, showHidden(text)));
  }
}

class AssetView extends View {
  constructor() {
    super("asset");
  }
  finish(message) {
    const { sha256, media_type: mediaType, size_bytes: size } = message.data ?? {};
    const label = `${message.type} ${message.content}, ${showSize(size)}`;
    this.element.replaceChildren(el("p", { class: "label" }, showHidden(label)));
    if (!/^[0-9a-f]{64}$/.test(sha256 ?? "")) return;
    const address = `/ghostos/assets/${sha256}`;
    const isAudio = String(mediaType).startsWith("audio/");
    const media = isAudio
      ? el("audio", { src: address, controls: true, "aria-label": message.content })
      : el("img", { src: address, alt: `image ${message.content}`, loading: "lazy" });
    media.addEventListener("error", () => {
      media.remove();
      this.element.querySelector(".label").append(" · cannot be shown");
    });
    this.element.prepend(isAudio ? media : el("a", { href: address, target: "_blank", rel: "noopener" }, media));
  }
}

class VariableView extends View {
  constructor() {
    super("variable");
  }
  finish(message) {
    const { variable, type } = message.data ?? {};
    const box = el("div");
    this.element.replaceChildren(el("p", { class: "label" }, "value ", showHidden(`${message.content} (${type})`)), box);
    whenSeen(this.element, () => fillVariable(box, { thread: message.thread, id: variable }));
  }
}

/** Do something once an element comes into view: a long thread asks for what is looked at. */
function whenSeen(element, act) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    act();
  });
  observer.observe(element);
}

function showSize(bytes) {
  if (!Number.isFinite(bytes)) return "unknown size";
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}
