// A thread: its turns in order, each a message after the other. What is stored and what just comes are drawn alike.

import { CallFold } from "./call_fold.js";
import { makeView } from "./message_views.js";
import { TurnView } from "./turn_view.js";

const MOST_TURNS = 60;
const FEWEST_TURNS = 40;

export class ThreadView {
  #items = new Map(); // seq -> item
  #turns = new Map(); // turn -> its view
  #subtasks = new Map(); // id -> {view, turn}
  #children = [];
  #committed = 0;
  #model = null;
  #line = null; // the item whose line runs
  #printed = null; // the item below which stands what code has printed so far
  #lastTurn = 0;

  /**
   * @param {object} options
   * @param {HTMLElement} options.element Where turns are put.
   * @param {(turn: number) => Array<[string, () => void, string]>} [options.makeActions] What may be done with a turn:
   *   label, what it does, what it says to who points at it.
   * @param {(child: object) => object} options.makeSubtask The view of a task that this one has made.
   */
  constructor({ element, makeSubtask, makeActions = () => [] }) {
    this.element = element;
    this.makeSubtask = makeSubtask;
    this.makeActions = makeActions;
  }

  /** Up to which message all that is stored is here. */
  get committed() {
    return this.#committed;
  }

  get isEmpty() {
    return this.#items.size === 0;
  }

  /** The number of the first message that is here; 0 where there is none. */
  get firstSeq() {
    return this.#items.size ? Math.min(...this.#items.keys()) : 0;
  }

  has(messageId) {
    return [...this.#items.values()].some((item) => item.id === messageId);
  }

  clear() {
    this.#items.clear();
    this.#turns.clear();
    this.#committed = 0;
    this.#line = this.#printed = null;
    this.#lastTurn = 0;
    this.close();
    this.#subtasks.clear();
    this.#children = [];
    this.element.replaceChildren();
  }

  close() {
    for (const { view } of this.#subtasks.values()) view.close();
  }

  /**
   * Take what the websocket says.
   * @param {object[]} items
   */
  take(items) {
    for (const item of items) {
      if (item.kind === "hello") this.#beginAgain(item);
      else if (item.kind === "message") this.addMessage(item.message);
      else if (item.kind === "delta") this.addDelta(item);
      else if (item.kind === "committed") this.commit(item.seq);
      else if (item.kind === "reset") this.clear();
      else if (item.kind === "turn") this.endTurn();
      else if (item.kind === "status") this.showSubtasks(item.status.children ?? []);
    }
  }

  /** Take a whole message. */
  addMessage(message) {
    let item = this.#items.get(message.seq);
    if (item?.message && item.id === message.id && item.message.status === message.status) return;
    if (item && (item.type !== message.type || item.role !== message.role)) {
      this.#drop(message.seq);
      item = undefined;
    }
    if (this.#repeatsModel(message)) return;
    item ??= this.#begin(message);
    this.#place(item, message.turn);
    item.id = message.id;
    item.message = message;
    item.view.finish(message);
    if (message.type !== "host_call") this.#endProgress({ before: message.seq }); // calls come while code runs
    if (message.type === "host_call") this.#foldCall(item);
  }

  /** Take more text of a message, or how far its code has come: the line that runs, what it has printed. */
  addDelta({ seq, offset, delta, type, role, line, printed }) {
    let item = this.#items.get(seq);
    if (line !== undefined || printed !== undefined) {
      if (item?.type !== "code") return;
      if (line !== undefined) this.#showLine(item, line);
      if (printed !== undefined) this.#showPrinted(item, printed);
      return;
    }
    if (item?.message && seq <= this.#committed) return;
    if (item && offset === 0 && item.text) this.#drop(seq);
    item = this.#items.get(seq) ?? this.#begin({ seq, type, role, turn: this.#lastTurn || 1 });
    if (item.text.length !== offset) return; // a piece is missing: the whole message follows
    item.text += delta;
    item.view.setText(item.text);
  }

  /** All up to a number is stored: what is shown beyond is said again, if it still holds. */
  commit(seq) {
    this.#committed = Math.max(seq, this.#committed);
    for (const [number, item] of this.#items) {
      if (number <= seq && !item.message) this.#drop(number); // begun, and not what was stored
    }
  }

  /** A turn has ended: nothing runs, and what was not stored is not there. */
  endTurn() {
    this.#forgetUnstored();
    this.refreshActions();
  }

  /** There is a connection (again): what was not stored comes again, if it still holds. Until then it stays in sight. */
  #beginAgain({ model }) {
    this.#model ??= model.is_rehearsal ? "rehearsal" : model.label; // as the page says elsewhere: said only where it changes
    this.#forgetUnstored();
  }

  #forgetUnstored() {
    this.#endProgress();
    for (const number of [...this.#items.keys()]) if (number > this.#committed) this.#drop(number);
  }

  /** Have each turn offer what may be done with it now. */
  refreshActions() {
    for (const [turn, view] of this.#turns) view.offer(this.makeActions(turn));
  }

  /** Put something below a turn, in the place of what was put there before. */
  putBelow(turn, element) {
    this.#turns.get(turn)?.putBelow(element);
  }

  /** The text that the user said in a turn. */
  saidIn(turn) {
    const items = [...this.#items.values()].filter((item) => item.message?.turn === turn && item.role === "user");
    return items.filter((item) => item.type === "text").map((item) => item.message.content).join("\n\n");
  }

  /** Show the tasks that this one has made, each behind the turn in which it was made. */
  showSubtasks(children) {
    this.#children = children;
    for (const child of children) {
      const turn = this.#subtasks.get(child.id)?.turn ?? this.#findTurnAt(child.created_at);
      if (turn === null) continue; // it is not shown now: with earlier turns this comes
      if (!this.#subtasks.has(child.id)) {
        const view = this.makeSubtask(child);
        this.#subtasks.set(child.id, { view, turn });
        this.#turns.get(turn).addSubtask(view.element);
      }
      this.#subtasks.get(child.id).view.update(child);
    }
  }

  /** Take messages from before those that are here. */
  addEarlier(messages) {
    for (const message of messages) this.addMessage(message);
    this.showSubtasks(this.#children);
    this.refreshActions();
  }

  /** The last turn that had begun by then; null where none that is here had. */
  #findTurnAt(time) {
    let found = null;
    for (const item of this.#items.values()) {
      if (item.message && item.message.created_at <= time && this.#turns.has(item.turn)) found = Math.max(found, item.turn);
    }
    return found;
  }

  #begin({ seq, type, role, turn }) {
    const view = makeView({ type, role });
    const item = { seq, type, role, turn: 0, text: "", id: null, message: null, fold: null, view };
    item.view.element.dataset.seq = String(seq);
    this.#items.set(seq, item);
    this.#place(item, turn);
    return item;
  }

  #place(item, turn) {
    if (item.turn === turn && item.view.element.parentElement) return;
    this.#takeOut(item); // what just came was put into the turn before it said which it belongs to
    item.turn = turn;
    this.#lastTurn = Math.max(turn, this.#lastTurn);
    const place = this.#turns.get(turn) ?? this.#makeTurn(turn);
    place.put(item.view.element, { seq: item.seq, side: item.role === "user" ? "user" : "ghost" });
  }

  #makeTurn(turn) {
    const made = new TurnView(turn);
    const after = [...this.element.children].find((child) => Number(child.dataset.turn) > turn);
    this.element.insertBefore(made.element, after ?? null);
    this.#turns.set(turn, made);
    return made;
  }

  #drop(seq) {
    const item = this.#items.get(seq);
    this.#items.delete(seq);
    if (this.#line === item) this.#line = null;
    if (this.#printed === item) this.#printed = null;
    this.#takeOut(item);
  }

  /** Take a message off the page, with the bubble and the turn that are empty by that. */
  #takeOut(item) {
    const box = item.view.element.closest(".bubble");
    if (item.fold) item.fold.remove(item);
    else item.view.element.remove();
    if (box && !box.childElementCount) box.remove();
    const place = this.#turns.get(item.turn);
    if (place?.isEmpty) {
      place.element.remove();
      this.#turns.delete(item.turn);
    }
  }

  #showLine(item, line) {
    if (this.#line !== item) this.#line?.view.setLine(null);
    this.#line = item;
    item?.view.setLine(line);
  }

  /** In a run of several pieces of code it may stand below another one than that of the line. */
  #showPrinted(item, printed) {
    if (this.#printed !== item) this.#printed?.view.setPrinted(null);
    this.#printed = item;
    item?.view.setPrinted(printed);
  }

  /** What ran has ended: all of it, or what stands before a message that has come. */
  #endProgress({ before = Infinity } = {}) {
    if (this.#line && this.#line.seq < before) this.#showLine(null);
    if (this.#printed && this.#printed.seq < before) this.#showPrinted(null);
  }

  /** Calls one after the other share a fold. */
  #foldCall(item) {
    if (item.fold) return item.fold.count();
    const before = item.view.element.previousElementSibling;
    if (before?.fold) return before.fold.add(item);
    const first = this.#items.get(Number(before?.dataset.seq));
    if (first?.type === "host_call") new CallFold(first).add(item);
  }

  #repeatsModel(message) {
    if (message.type !== "state" || message.data?.model === undefined) return false;
    const before = this.#model;
    this.#model = message.content;
    return before === message.content || (message.data.is_rehearsal === true && before === "rehearsal");
  }

  /** Take the oldest turns away where there are too many: they can be had again. Returns whether there were. */
  prune() {
    if (this.#turns.size <= MOST_TURNS) return false;
    const numbers = [...this.#turns.keys()].sort((one, other) => one - other);
    const dropped = new Set(numbers.slice(0, numbers.length - FEWEST_TURNS));
    for (const [seq, item] of [...this.#items]) if (dropped.has(item.turn)) this.#items.delete(seq);
    for (const [id, { view, turn }] of [...this.#subtasks]) {
      if (!dropped.has(turn)) continue;
      view.close();
      this.#subtasks.delete(id);
    }
    for (const turn of dropped) {
      this.#turns.get(turn).element.remove();
      this.#turns.delete(turn);
    }
    return true;
  }
}
