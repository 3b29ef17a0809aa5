/**
 * Characters that are not seen, or that turn round what stands beside them, made visible.
 *
 * Shown as `\u202E` and the like: control characters, direction overrides and isolates (with them code reads otherwise
 * than it runs), spaces of no width, and tags, in which whole sentences can be hidden. Letters of right-to-left scripts,
 * what joins letters and emoji, and the two marks that only lean one way (U+200E and U+200F) are left as they are.
 */

const HIDDEN =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]+/gu;

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };

/**
 * @param {string} characters
 * @returns {string} how they are written in code: `\u202E`, `\u{E0041}`
 */
function nameAll(characters) {
  const codes = Array.from(characters, (character) => character.codePointAt(0).toString(16).toUpperCase());
  return codes.map((code) => (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`)).join("");
}

/** Characters by their names. */
function readNames(names) {
  return names.replace(/\\u\{?([0-9A-F]+)\}?/g, (_name, code) => String.fromCodePoint(parseInt(code, 16)));
}

/**
 * Plain text with its hidden characters written out, for labels and wherever there can be no element.
 *
 * @param {string} text
 * @returns {string} still plain text: it is not escaped for HTML
 */
export function showHidden(text) {
  return String(text).replace(HIDDEN, nameAll);
}

/**
 * @param {string} text
 * @returns {string} HTML that shows it as it stands
 */
export function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

/**
 * HTML in which hidden characters are elements of their own, one for those that stand together.
 *
 * @param {string} html with hidden characters in its text only, never within a tag
 * @returns {string}
 */
export function markHidden(html) {
  return html.replace(HIDDEN, (characters) => `<span class="hidden-mark">${nameAll(characters)}</span>`);
}

/**
 * Fill an element with text, its hidden characters marked.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setSafeText(element, text) {
  element.innerHTML = markHidden(escapeHtml(text));
}

/**
 * The text that an element shows, with the hidden characters themselves where their marks stand.
 *
 * @param {Element} element filled by `setSafeText` or with HTML from `markHidden`
 * @returns {string}
 */
export function readSafeText(element) {
  const copy = element.cloneNode(true);
  for (const mark of copy.querySelectorAll(".hidden-mark")) {
    mark.textContent = readNames(mark.textContent);
  }
  return copy.textContent;
}
