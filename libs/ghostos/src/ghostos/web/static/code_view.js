/** A piece of code with its label and a copy button: what a ghost writes and runs. */

import { CodeLines } from "./code_lines.js";
import { createCopyButton, hearCopying } from "./copy_button.js";
import { findLanguage } from "./highlighting.js";
import { setSafeText } from "./safe_text.js";

export class CodeView {
  #lines;

  /**
   * @param {Element} element becomes the block; what it held is dropped
   * @param {{language?: string, label?: string}} [options] language: a name or alias, coloured when known.
   *   label: what is said above the code; untrusted text is fine; by default the language
   */
  constructor(element, { language = "", label = language } = {}) {
    const head = document.createElement("div");
    const title = document.createElement("span");
    const { block, code } = createCodeBlock(findLanguage(language));
    head.className = "code-head";
    title.className = "code-label";
    setSafeText(title, label);
    head.append(title, createCopyButton(title.textContent));
    element.classList.add("code-block");
    element.replaceChildren(head, block);
    hearCopying(element);
    this.#lines = new CodeLines(code, { language: findLanguage(language) });
  }

  /**
   * Show this code. A text that begins with the one before is taken for its growth: lines that stand are left alone.
   *
   * @param {string} text
   * @param {{isFinal?: boolean}} [options] isFinal: nothing more comes, so that colours need not wait
   */
  set(text, { isFinal = false } = {}) {
    this.#lines.set(text.replace(/\r\n?/g, "\n"), { isFinal });
  }

  /** @param {number | null} line the line that runs, from 1, also before it is there; null: none */
  setLine(line) {
    this.#lines.mark(line);
  }
}

/** The element that `Markdown` has for code, too. */
function createCodeBlock(language) {
  const block = document.createElement("pre");
  const code = document.createElement("code");
  block.className = "code";
  block.dir = "ltr";
  code.className = language ? `hljs language-${language}` : "hljs";
  block.append(code);
  return { block, code };
}
