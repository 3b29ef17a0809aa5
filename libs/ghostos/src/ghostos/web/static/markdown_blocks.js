/** Where in a growing Markdown text the blocks end that no further text can change. */

/**
 * The first token that what is still to come may change, and the line on which it begins.
 *
 * A block is closed once the first line of another stands whole: whole, because `-` may become `- a` or `---`, and with
 * the line of dashes below it for a table, which is a paragraph until then. A definition of a link (`[a]: address`) may
 * go on in the line below, with its title; an empty line closes it.
 *
 * @param {object[]} tokens markdown-it's, of the text
 * @param {string} text lines end with \n
 * @returns {{token: number, line: number}} token: 0 if all of it is open
 */
export function findOpenBlock(tokens, text) {
  const lines = text.split("\n");
  for (let at = tokens.length - 1; at > 0; at--) {
    const token = tokens[at];
    if (token.level > 0 || !token.map || token.nesting < 0) continue;
    const line = token.map[0];
    const needed = token.type === "table_open" ? 2 : 1;
    const isBelowDefinition = tokens[at - 1].type === "reference_definition" && lines[line - 1].trim() !== "";
    if (line + needed < lines.length && !isBelowDefinition) return { token: at, line };
  }
  return { token: 0, line: 0 };
}

/**
 * @param {string} text
 * @param {number} line
 * @returns {number} where this line begins, as a place in the text
 */
export function offsetOfLine(text, line) {
  let offset = 0;
  for (let at = 0; at < line; at++) offset = text.indexOf("\n", offset) + 1;
  return offset;
}
