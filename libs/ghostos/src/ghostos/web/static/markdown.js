/** A model's Markdown as HTML that is safe to show, whole or as it grows. */

import { CodeLines, renderCodeLines } from "./code_lines.js";
import { createCopyButton, hearCopying } from "./copy_button.js";
import { findOpenBlock, offsetOfLine } from "./markdown_blocks.js";
import { parseMarkdown, readCode, renderTokens } from "./markdown_parser.js";
import { Pace } from "./pace.js";
import { patchChildren } from "./patching.js";
import { growPlainText } from "./plain_text.js";
import { sanitise } from "./sanitising.js";

/**
 * Texts beyond are shown as they were written. Measured on two busy cores: up to here prose takes half a second at most,
 * and the worst that was tried (a table of 1,500 columns; 20,000 characters of `[a] ` in a line) one to three.
 */
const MAX_CHARACTERS = 100_000;
const MAX_LINE = 20_000;

/**
 * @param {string} text untrusted
 * @returns {string} HTML; of a text that is too large, a `<pre>` with the text
 */
export function renderMarkdown(text) {
  const holder = document.createElement("div");
  if (isTooLarge(text)) growPlainText(appendPlain(holder), text);
  else holder.append(renderSafely(parseMarkdown(text)));
  return holder.innerHTML;
}

/** A message in an element: what of it stands is not touched while it grows. */
export class MarkdownView {
  #element;
  #text = "";
  /** How much of the text stands for good, in how many elements, and the links that it defines. */
  #settled = { offset: 0, elements: 0, references: {} };
  #hasReferences = false;
  /** The block of code at the end, if it is one that grows. */
  #code = null;
  #plain = null;
  #drawing = new Pace(() => this.#draw());

  /** @param {Element} element what it holds is dropped */
  constructor(element) {
    this.#element = element;
    element.classList.add("markdown");
    element.replaceChildren();
    hearCopying(element);
  }

  /**
   * Show this text. One that begins with the text before is taken for its growth.
   *
   * @param {string} text untrusted
   * @param {{isFinal?: boolean}} [options] isFinal: nothing more comes, so that the whole is rendered at once; before,
   *   the end may be drawn a little later, by what drawing it costs
   */
  set(text, { isFinal = false } = {}) {
    const lines = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    if (!lines.startsWith(this.#text)) this.#restart();
    this.#text = lines;
    if (isFinal) this.#finish();
    else this.#drawing.request();
  }

  /** Draw now what waits for its turn. */
  flush() {
    if (this.#drawing.isWaiting) this.#drawing.run();
    this.#code?.lines.flush();
  }

  #restart() {
    this.#settled = { offset: 0, elements: 0, references: {} };
    this.#dropCode();
    this.#plain = null;
  }

  /** A link may be defined below the block that uses it: then, and only then, what stands may not be the whole truth. */
  #finish() {
    this.#drawing.run();
    this.#code?.lines.flush();
    if (this.#plain || !this.#hasReferences) return;
    this.#restart();
    patchChildren(this.#element, renderFragment(parseMarkdown(this.#text)));
  }

  #draw() {
    if (this.#plain || isTooLarge(this.#text)) this.#drawPlain();
    else this.#drawEnd();
  }

  #drawPlain() {
    if (!this.#plain) {
      this.#restart();
      this.#element.replaceChildren();
      this.#plain = appendPlain(this.#element);
    }
    growPlainText(this.#plain, this.#text);
  }

  #drawEnd() {
    const text = this.#text.slice(this.#settled.offset);
    const references = { ...this.#settled.references };
    const tokens = parseMarkdown(text, { references });
    this.#hasReferences = Object.keys(references).length > 0;
    const open = findOpenBlock(tokens, text);
    if (open.token > 0) this.#settle(tokens.slice(0, open.token), offsetOfLine(text, open.line), references);
    const rest = tokens.slice(open.token);
    if (rest.length === 1 && rest[0].type === "fence") this.#drawCode(rest[0]);
    else this.#drawRest(rest);
  }

  #settle(tokens, length, references) {
    this.#dropCode();
    const fragment = renderFragment(tokens);
    const { offset, elements } = this.#settled;
    const count = fragment.childElementCount;
    patchChildren(this.#element, fragment, elements);
    const labels = tokens.filter(({ type }) => type === "reference_definition").map(({ meta }) => meta.label);
    const defined = Object.fromEntries(labels.map((label) => [label, references[label]]));
    this.#settled = {
      offset: offset + length,
      elements: elements + count,
      references: { ...defined, ...this.#settled.references },
    };
  }

  #drawRest(tokens) {
    this.#dropCode();
    patchChildren(this.#element, renderFragment(tokens), this.#settled.elements);
  }

  #drawCode(token) {
    const { offset } = this.#settled;
    const { language, text } = readCode(token);
    if (this.#code?.offset !== offset || this.#code.language !== language) {
      this.#drawRest([token]);
      const element = this.#element.lastElementChild.querySelector("code");
      this.#code = { offset, language, lines: new CodeLines(element, { language }) };
    }
    this.#code.lines.set(text);
  }

  #dropCode() {
    this.#code?.lines.close();
    this.#code = null;
  }
}

function isTooLarge(text) {
  if (text.length > MAX_CHARACTERS) return true;
  for (let start = 0; start + MAX_LINE < text.length; ) {
    const end = text.lastIndexOf("\n", start + MAX_LINE);
    if (end < start) return true;
    start = end + 1;
  }
  return false;
}

function renderSafely(tokens) {
  const { html, codes } = renderTokens(tokens);
  const fragment = sanitise(html);
  fragment.querySelectorAll("pre.code > code").forEach((element, at) => {
    element.innerHTML = renderCodeLines(codes[at].text, codes[at].language);
  });
  return fragment;
}

/** Rendered blocks, and nothing between them; each block of code with a button that copies it. */
function renderFragment(tokens) {
  const fragment = renderSafely(tokens);
  for (const node of [...fragment.childNodes]) {
    if (node.nodeType === Node.TEXT_NODE && node.data.trim() === "") node.remove();
  }
  for (const code of fragment.querySelectorAll("pre.code")) {
    const block = document.createElement("div");
    block.className = "code-block";
    code.replaceWith(block);
    block.append(code, createCopyButton(""));
  }
  return fragment;
}

function appendPlain(element) {
  const plain = document.createElement("pre");
  plain.className = "plain";
  plain.dir = "auto";
  element.append(plain);
  return plain;
}
