/** Code in a `<code>` element, one `.line` element per line; of a text that grows only what changes is drawn. */

import { endOfColours, highlightLines, plainLines } from "./highlighting.js";
import { Pace } from "./pace.js";

/**
 * @param {string} text
 * @param {string} language from `findLanguage`
 * @returns {string} the content of a `<code>` element, as `CodeLines` draws it
 */
export function renderCodeLines(text, language) {
  return wrapLines(endLines(highlightLines(text, language)));
}

export class CodeLines {
  #element;
  #language;
  #text = "";
  /** The text that is drawn, its lines' HTML and elements; and the beginning of it that is in colour. */
  #drawn = "";
  #html = [];
  #lines = [];
  #coloured = null;
  #marked = null;
  #growing = new Pace(() => this.#grow());
  #colouring = new Pace(() => this.#colour());

  /**
   * @param {Element} element its content becomes the lines
   * @param {{language: string}} options language: from `findLanguage`; empty: no colours
   */
  constructor(element, { language }) {
    this.#element = element;
    this.#language = language;
    element.replaceChildren();
  }

  /**
   * Show this text. While it grows, colours and lines may come a little later, by what drawing them costs.
   *
   * @param {string} text lines end with \n
   * @param {{isFinal?: boolean}} [options] isFinal: all of it now
   */
  set(text, { isFinal = false } = {}) {
    const isGrowing = this.#lines.length > 0 && text.startsWith(this.#text);
    const isNew = text !== this.#text;
    this.#text = text;
    if (isGrowing && !isFinal) {
      if (isNew) this.#growing.request();
      return;
    }
    this.#growing.cancel();
    if (!isGrowing) this.#coloured = null;
    this.#colouring.run();
  }

  /** @param {number | null} line the one that runs, from 1; it may be yet to come */
  mark(line) {
    this.#lines[this.#marked - 1]?.classList.remove("running");
    this.#lines[this.#marked - 1]?.removeAttribute("aria-current");
    this.#marked = line;
    this.#drawMark();
  }

  /** Draw now what waits for its turn. */
  flush() {
    if (this.#growing.isWaiting || this.#colouring.isWaiting) this.set(this.#text, { isFinal: true });
  }

  /** Draw nothing any more: what waits is dropped. */
  close() {
    this.#growing.cancel();
    this.#colouring.cancel();
  }

  #drawMark() {
    this.#lines[this.#marked - 1]?.classList.add("running");
    this.#lines[this.#marked - 1]?.setAttribute("aria-current", "step");
  }

  /** Draw what came since, without colours; these follow. */
  #grow() {
    this.#drawNew();
    if (this.#language) this.#colouring.request();
  }

  #colour() {
    const coloured = this.#text.slice(0, endOfColours(this.#text));
    if (coloured !== this.#coloured) this.#draw(0, highlightLines(this.#text, this.#language));
    else if (this.#drawn !== this.#text) this.#drawNew();
    this.#coloured = coloured;
  }

  #drawNew() {
    const isLastLineWhole = this.#text[this.#drawn.length] === "\n";
    const start = isLastLineWhole ? this.#drawn.length : this.#drawn.lastIndexOf("\n");
    const first = isLastLineWhole ? this.#lines.length : this.#lines.length - 1;
    if (isLastLineWhole) this.#replace(first - 1, `${this.#html[first - 1]}\n`);
    this.#draw(first, plainLines(this.#text.slice(start + 1)));
  }

  /** Put these lines where now the lines from `first` on are, and touch only those that differ. */
  #draw(first, lines) {
    const html = endLines(lines);
    const known = Math.min(this.#lines.length - first, html.length);
    for (let at = 0; at < known; at++) this.#replace(first + at, html[at]);
    this.#html.length = first + known;
    for (const line of this.#lines.splice(first + known)) line.remove();
    this.#element.insertAdjacentHTML("beforeend", wrapLines(html.slice(known)));
    for (let at = known; at < html.length; at++) {
      this.#html.push(html[at]);
      this.#lines.push(this.#element.children[first + at]);
    }
    this.#drawn = this.#text;
    this.#drawMark();
  }

  #replace(index, html) {
    if (this.#html[index] === html) return;
    this.#html[index] = html;
    this.#lines[index].innerHTML = html;
  }
}

function endLines(lines) {
  const last = lines.length - 1;
  return lines.map((line, at) => (at < last ? `${line}\n` : line));
}

function wrapLines(lines) {
  return lines.map((line) => `<span class="line">${line}</span>`).join("");
}
