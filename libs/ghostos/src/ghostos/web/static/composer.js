// Where the user types, and what goes with it: files are chosen, pasted or dropped.

import { button, el } from "./dom.js";
import { showHidden } from "./safe_text.js";

const MOST_LINES_PX = 240;

export class Composer {
  #files = [];
  #drafts = new Map(); // files of threads that are not shown, by the key of their draft
  #key = null;
  #lastSaid = Promise.resolve();

  /**
   * @param {object} options
   * @param {() => import("./talk.js").Talk} options.getTalk The talk that is shown.
   * @param {() => void} options.onStop
   * @param {() => boolean} options.canStop Whether there is something to be stopped by Esc.
   * @param {HTMLElement} options.dropArea Files that are dropped here go with what is said next.
   */
  constructor({ getTalk, onStop, canStop, dropArea }) {
    this.getTalk = getTalk;
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
    this.#listen(onStop, canStop, dropArea);
    this.setState({ isAtWork: false, isEnabled: true });
  }

  /** @param {{isAtWork: boolean, isEnabled: boolean}} state */
  setState({ isAtWork, isEnabled }) {
    this.isAtWork = isAtWork;
    this.stop.hidden = !isAtWork;
    this.steer.hidden = !isAtWork;
    this.send.textContent = isAtWork ? "Queue" : "Send";
    for (const control of [this.send, this.steer, this.input, this.attach]) control.disabled = !isEnabled;
  }

  /** Say something below the field, with where that leads to. */
  tell(text, link = null) {
    if (this.hint.dataset.text === text) return; // said already: it would be read out once more
    this.hint.dataset.text = text;
    this.hint.replaceChildren(...[text, link].filter(Boolean));
  }

  /** Another talk is shown: what was typed in the last one stays there, what was typed in this one comes back. */
  change() {
    if (this.#key !== null) this.#drafts.set(this.#key, this.#files);
    this.#key = this.getTalk().draftKey;
    this.input.value = sessionStorage.getItem(this.#key) ?? "";
    this.#files = this.#drafts.get(this.#key) ?? [];
    this.#refresh();
  }

  /** The talk is called otherwise now: what was typed in it goes with it. */
  rename() {
    if (this.input.value || this.#files.length) this.#keep();
    else this.change();
  }

  /** Say something as if it had been typed; what is in the field stays there. */
  say(text) {
    this.#send(text, [], { steer: false });
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  #listen(onStop, canStop, dropArea) {
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say(false);
    });
    this.input.addEventListener("input", () => {
      this.#keep();
      this.#grow();
    });
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
      if (event.key === "Escape" && canStop()) onStop();
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
    this.#keep();
    this.#refresh();
    this.#send(text, files, { steer });
  }

  #send(text, files, { steer }) {
    const talk = this.getTalk(); // the one in which it was typed, whichever is shown by the time that it is said
    this.#lastSaid = this.#lastSaid.then(() => talk.say({ text, files, steer })).catch(() => this.#putBack(talk, text, files));
  }

  /** It was not said: nothing of it is lost, nor of what was typed since. */
  #putBack(talk, text, files) {
    const key = talk.draftKey;
    const typed = [text, sessionStorage.getItem(key)].filter(Boolean).join("\n");
    sessionStorage.setItem(key, typed);
    if (talk !== this.getTalk()) {
      this.#drafts.set(key, [...files, ...(this.#drafts.get(key) ?? [])]);
      return;
    }
    this.input.value = typed;
    this.#files = [...files, ...this.#files];
    this.#refresh();
  }

  /** Keep what is typed until it is said: leaving the page, or loading it again, loses nothing. */
  #keep() {
    const key = this.getTalk().draftKey;
    if (key !== this.#key && this.#key !== null) sessionStorage.removeItem(this.#key); // it was begun, or renamed
    this.#key = key;
    if (this.input.value) sessionStorage.setItem(key, this.input.value);
    else sessionStorage.removeItem(key);
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
