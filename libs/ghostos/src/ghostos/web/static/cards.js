// What waits for an answer of the user: code that shall run, and what code was refused.

import { CodeView } from "./code_view.js";
import { button, el, once, setChildren } from "./dom.js";

export class Cards {
  #cards = new Map();

  /**
   * @param {HTMLElement} element Where they are put.
   * @param {(command: string, facts: object) => Promise<unknown>} run Has a command done.
   */
  constructor(element, run) {
    this.element = element;
    this.run = run;
  }

  /** Show what waits now; cards that stay are left as they are. */
  show({ requests, pending_code: pending }) {
    const wanted = new Map();
    const hasPending = Boolean(pending);
    for (const request of requests) {
      const allow = (scope) => this.run("allow", { id: request.id, scope });
      wanted.set(`${request.id} ${hasPending}`, () => makeRequestCard(request, allow, { hasPending }));
    }
    if (pending) wanted.set(pending.id, () => makeApprovalCard(pending, (facts) => this.run("answer", facts)));
    for (const id of [...this.#cards.keys()]) if (!wanted.has(id)) this.#cards.delete(id);
    for (const [id, make] of wanted) if (!this.#cards.has(id)) this.#cards.set(id, make());
    setChildren(this.element, [...this.#cards.values()]);
  }
}

/**
 * The card of code that waits.
 * @param {{id: string, hash: string, code: string}} pending
 * @param {(facts: object) => Promise<unknown>} answer Called with the decision, and what belongs to it.
 */
function makeApprovalCard(pending, answer) {
  const facts = { id: pending.id, hash: pending.hash };
  const host = el("div");
  new CodeView(host, { language: "python", label: "code that waits" }).set(pending.code, { isFinal: true });
  const reason = el("input", { type: "text", placeholder: "why not? for the agent", "aria-label": "Why not? For the agent" });
  const edited = el("textarea", { rows: "6", spellcheck: "false", "aria-label": "Code to run in its place" });
  edited.value = pending.code;
  const sayNo = once(() => answer({ ...facts, decision: "reject", reason: reason.value.trim() }));
  const reject = el("form", { class: "row", on: { submit: (event) => {
    event.preventDefault();
    sayNo();
  } } }, reason, button("Reject", sayNo));
  const edit = el("details", {}, el("summary", { text: "Run other code in its place" }), edited,
    button("Run this instead", () => answer({ ...facts, decision: "edit", code: edited.value })));
  return el("section", { class: "card", "aria-label": "Code that waits for you", data: { card: pending.id } },
    el("h3", { text: "The agent wants to run this code" }), host,
    el("div", { class: "row" }, button("Approve", () => answer({ ...facts, decision: "approve" }), { class: "primary" }), reject),
    edit, el("p", { class: "label", text: "If you say something else instead, it is not run." }));
}

/**
 * The card of something that code was refused.
 * @param {object} request As the status has it.
 * @param {(scope: string) => Promise<unknown>} allow
 * @param {{hasPending: boolean}} beside Whether code waits, too.
 */
function makeRequestCard(request, allow, { hasPending }) {
  const buttons = request.scopes.map(({ scope, label }) => button(label, () => allow(scope)));
  return el("section", { class: "card", "aria-label": "A permission that is asked for", data: { card: request.id } },
    el("h3", { text: request.question }),
    request.what ? el("pre", { class: "plain", text: request.what }) : null,
    request.asker ? el("p", { text: `The code says: ${request.asker}` }) : null,
    buttons.length ? el("div", { class: "row" }, ...buttons) : null,
    el("p", { class: "label", text: request.explanation }),
    hasPending ? el("p", { class: "label warn", text: "Code waits for you, too: answer that first. If you allow this, it is not run." }) : null,
    request.option ? el("pre", { class: "plain", text: request.option }) : null);
}
