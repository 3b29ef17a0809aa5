// A value that a ghost has saved: as a table where it is one, else as Python would show it.

import { command } from "./commands.js";
import { el } from "./dom.js";
import { showHidden } from "./safe_text.js";

/**
 * Fetch a value, and show it.
 * @param {HTMLElement} box Where.
 * @param {{thread: string, id: string}} which
 */
export async function fillVariable(box, which) {
  try {
    const value = await command("variable", which);
    box.replaceChildren(value.columns ? makeTable(value) : el("pre", { class: "plain long", tabindex: "0" }, showHidden(value.text)));
  } catch (error) {
    box.replaceChildren(el("p", { class: "label bad", text: `${error.happened} ${error.advice}` }));
  }
}

function makeTable({ columns, rows, left_out: leftOut }) {
  const head = el("tr", {}, ...columns.map((name) => el("th", { scope: "col" }, showHidden(name))));
  const body = rows.map((row) => el("tr", {}, ...row.map((cell) => el("td", {}, showHidden(cell)))));
  const table = el("table", {}, el("thead", {}, head), el("tbody", {}, ...body));
  const scroller = el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "table" }, table);
  return el("div", {}, scroller, leftOut ? el("p", { class: "label", text: `${leftOut} more rows` }) : null);
}
