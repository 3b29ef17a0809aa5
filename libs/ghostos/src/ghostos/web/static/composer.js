// Where the user types, and what goes with it: files are chosen, pasted or dropped.

import { button, el } from "./dom.js";
import { showHidden } from "./safe_text.js";

const MOST_LINES_PX = 240;

export class Composer {
  #files = [];
  #lastSaid = Promise.resolve();

  /**
   * @param {object} options
   * @param {(said: {text: string, files: File[], steer: boolean}) => Promise<void>} options.onSay Rejects where it was not said.
   * @param {() => void} options.onStop
   * @param {HTMLElement} options.dropArea Files that are dropped here go with what is said next.
   */
  constructor({ onSay, onStop, dropArea }) {
    this.onSay = onSay;
    this.input = el("textarea", { rows: "1", placeholder: "Say something", "aria-label": "Say something", dir: "auto" });
    this.chosen = el("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files" });
    this.attach = button("+", () => this.chosen.click(), { class: "quiet attach", title: "Add files", "aria-label": "Add files" });
    this.send = el("button", { type: "submit", class: "primary", title: "Enter" }, "Send");
    this.steer = button("Steer", () => this.#say(true), { title: "Joins the turn that runs, from its next round on (Alt+Enter)" });
    this.stop = button("Stop", onStop, { class: "stop", title: "Stops this turn, what waits behind it, and what moves (Esc)" });
    this.list = el("ul", { class: "files", "aria-label": "Files that go with it" });
    this.hint = el("p", { class: "label hint", "aria-live": "polite" });
    this.element = el("form", { class: "composer" }, this.list,
      el("div", { class: "row" }, this.attach, this.input, this.chosen, this.steer, this.send, this.stop), this.hint);
    this.#listen(onStop, dropArea);
    this.setState({ isAtWork: false, isEnabled: true });
  }

  /** @param {{isAtWork: boolean, isEnabled: boolean, reason?: string}} state */
  setState({ isAtWork, isEnabled, reason = "" }) {
    this.isAtWork = isAtWork;
    this.stop.hidden = !isAtWork;
    this.steer.hidden = !isAtWork;
    this.send.textContent = isAtWork ? "Queue" : "Send";
    for (const control of [this.send, this.steer, this.input, this.attach]) control.disabled = !isEnabled;
    this.hint.textContent = reason;
  }

  /** Put text into the field, as if it had been typed. */
  setText(text) {
    this.input.value = text;
    this.#grow();
    this.input.focus();
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  #listen(onStop, dropArea) {
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say(false);
    });
    this.input.addEventListener("input", () => this.#grow());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#say(event.altKey && this.isAtWork);
    });
    this.chosen.addEventListener("change", () => {
      this.#add([...this.chosen.files]);
      this.chosen.value = "";
    });
    this.input.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      this.#add(files);
    });
    dropArea.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isAtWork) onStop();
    });
    dropArea.addEventListener("dragover", (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      dropArea.classList.add("dropping");
    });
    dropArea.addEventListener("dragleave", (event) => {
      if (!dropArea.contains(event.relatedTarget)) dropArea.classList.remove("dropping");
    });
    dropArea.addEventListener("drop", (event) => {
      dropArea.classList.remove("dropping");
      const files = [...(event.dataTransfer?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      this.#add(files);
    });
  }

  /** Take what is in the field, and say it once all before it is said: nobody has to wait with typing. */
  #say(steer) {
    const text = this.input.value;
    const files = this.#files;
    if (!text.trim() && !files.length) return;
    this.input.value = "";
    this.#files = [];
    this.#refresh();
    this.#lastSaid = this.#lastSaid.then(() => this.onSay({ text, files, steer })).catch(() => this.#putBack(text, files));
  }

  /** It was not said: nothing of it is lost, nor of what was typed since. */
  #putBack(text, files) {
    this.input.value = [text, this.input.value].filter(Boolean).join("\n");
    this.#files = [...files, ...this.#files];
    this.#refresh();
  }

  #add(files) {
    this.#files = [...this.#files, ...files];
    this.#refresh();
    this.focus();
  }

  #refresh() {
    this.list.hidden = !this.#files.length;
    this.list.replaceChildren(...this.#files.map((file) => this.#makeChip(file)));
    this.#grow();
  }

  #makeChip(file) {
    const drop = () => {
      this.#files = this.#files.filter((each) => each !== file);
      this.#refresh();
    };
    return el("li", {}, showHidden(file.name), button("×", drop, { class: "quiet", "aria-label": `Leave out ${file.name}` }));
  }

  #grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, MOST_LINES_PX)}px`;
  }
}
