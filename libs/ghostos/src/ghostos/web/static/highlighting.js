/** Code as coloured HTML, line by line. */

import { escapeHtml, markHidden } from "./safe_text.js";
import hljs from "./vendor/highlight.js";

/** What lies beyond is shown without colours. */
const MAX_LINES = 2000;
const MAX_CHARACTERS = 100_000;

/** What highlight.js promises: nothing but its own spans and text. This goes into the page, so that it is looked at. */
const ONLY_SPANS = /^(?:[^<]|<span class="[\w -]+">|<\/span>)*$/;

const OTHER_NAMES = [["console", "bash"], ["shell", "bash"], ["pycon", "python"], ["python3", "python"]];
const LANGUAGES = new Map(OTHER_NAMES);
for (const name of hljs.listLanguages()) {
  for (const alias of [name, ...(hljs.getLanguage(name).aliases ?? [])]) LANGUAGES.set(alias, name);
}

/**
 * @param {string} name as people and models write it: `py`, `Python`, `c++`
 * @returns {string} the language's one name, fit for a class; empty if it is not known
 */
export function findLanguage(name) {
  return LANGUAGES.get(name.trim().toLowerCase()) ?? "";
}

/**
 * The lines of some code as HTML: text, and spans with classes that end with their line.
 *
 * @param {string} text
 * @param {string} language from `findLanguage`
 * @returns {string[]} without line ends, as many as the text has
 */
export function highlightLines(text, language) {
  const end = language ? endOfColours(text) : 0;
  if (end === 0) return plainLines(text);
  const { value } = hljs.highlight(text.slice(0, end), { language, ignoreIllegals: true });
  if (!ONLY_SPANS.test(value)) return plainLines(text);
  const lines = closeLines(markHidden(value).split("\n"));
  return end < text.length ? lines.concat(plainLines(text.slice(end + 1))) : lines;
}

/**
 * @param {string} text
 * @returns {string[]} its lines as HTML, without colours
 */
export function plainLines(text) {
  return markHidden(escapeHtml(text)).split("\n");
}

/**
 * Where colours end.
 *
 * @param {string} text
 * @returns {number} the text's length, or the place of the line end after the last line that is coloured; 0: nowhere
 */
export function endOfColours(text) {
  let end = -1;
  for (let lines = 0; lines < MAX_LINES; lines++) {
    const next = text.indexOf("\n", end + 1);
    if (next < 0 || next > MAX_CHARACTERS) return text.length <= MAX_CHARACTERS ? text.length : Math.max(end, 0);
    end = next;
  }
  return end;
}

/** End each line's spans with it, and begin them again in the next. */
function closeLines(lines) {
  let open = [];
  return lines.map((line) => {
    const before = open.join("");
    for (const [tag] of line.matchAll(/<span [^>]*>|<\/span>/g)) {
      if (tag === "</span>") open = open.slice(0, -1);
      else open = [...open, tag];
    }
    return before + line + "</span>".repeat(open.length);
  });
}
