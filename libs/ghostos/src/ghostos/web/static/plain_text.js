/** Text that is too large for anything but being shown. */

import { setSafeText } from "./safe_text.js";

/** A browser lays a line out as a whole, and anew with each change: a line of a megabyte must not be one. */
const MAX_LINE = 4000;

/** As much as is laid out at once: what lies outside of the window is passed over. */
const PIECE = 20_000;

/**
 * Show the text in this element, or what came since in one that shows the beginning of it.
 *
 * @param {Element} element shows a text that this one begins with, or nothing
 * @param {string} text
 */
export function growPlainText(element, text) {
  const last = element.lastElementChild;
  let start = last ? Number(last.dataset.start) : 0;
  last?.remove();
  while (start < text.length || start === 0) {
    const end = endOfPiece(text, start);
    const piece = document.createElement("div");
    piece.dataset.start = start;
    setSafeText(piece, text.slice(start, end));
    element.append(piece);
    if (end === text.length) return;
    start = end;
  }
}

/** A piece ends with a line, or within one that is too long. */
function endOfPiece(text, start) {
  if (text.length - start <= MAX_LINE) return text.length;
  const end = text.lastIndexOf("\n", start + PIECE) + 1;
  if (end > start) return end;
  const isWithinPair = text.codePointAt(start + MAX_LINE - 1) > 0xffff;
  return start + MAX_LINE - (isWithinPair ? 1 : 0);
}
