// The websocket of one thread: comes again by itself, and then asks for what it has not got.

import { getKey } from "./commands.js";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
const SILENT_MS = 30_000;
const REFUSALS = 3;
const NEWS = new Set(["committed", "status"]);

export class Connection {
  #socket = null;
  #timer = 0;
  #wait = FIRST_WAIT_MS;
  #closed = false;
  #refusals = 0;
  #heardAt = 0;
  #check = () => this.#lookAgain();

  /**
   * @param {object} options
   * @param {string|null} options.thread Id or name of a thread; null for none yet.
   * @param {boolean} [options.bodies] Whether bodies are shown, too.
   * @param {() => number} options.seen Up to which message all is there that is stored.
   * @param {(items: object[]) => void} options.onItems
   * @param {(isOpen: boolean, isRefused: boolean) => void} [options.onState] Refused: the server is there, and does not let in.
   */
  constructor({ thread, bodies = false, seen, onItems, onState = () => {} }) {
    this.thread = thread;
    this.bodies = bodies;
    this.seen = seen;
    this.onItems = onItems;
    this.onState = onState;
    window.addEventListener("online", this.#check);
    document.addEventListener("visibilitychange", this.#check);
    this.#open();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.#check);
    document.removeEventListener("visibilitychange", this.#check);
    this.#socket?.close();
  }

  #open() {
    this.#timer = 0;
    const query = new URLSearchParams({ seq: String(this.seen()) });
    if (this.thread !== null) query.set("thread", this.thread);
    if (this.bodies) query.set("bodies", "1");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const key = getKey();
    const protocols = key ? ["ghostos", `ghostos.${key}`] : [];
    const socket = new WebSocket(`${scheme}://${location.host}/ghostos/live?${query}`, protocols);
    this.#socket = socket;
    const isCurrent = () => !this.#closed && this.#socket === socket;
    socket.addEventListener("open", () => {
      this.#refusals = 0;
      if (isCurrent()) this.onState(true, false);
    });
    socket.addEventListener("message", (event) => {
      if (!isCurrent()) return;
      this.#heardAt = performance.now();
      const items = JSON.parse(event.data);
      if (items.some((item) => NEWS.has(item.kind))) this.#wait = FIRST_WAIT_MS;
      if (items.some((item) => item.kind === "gone" || (item.kind === "error" && item.is_final))) this.close();
      this.onItems(items);
    });
    socket.addEventListener("close", () => isCurrent() && this.#comeAgain());
  }

  async #comeAgain() {
    this.#refusals += 1;
    this.onState(false, this.#refusals > REFUSALS && (await isRefused()));
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  /** A machine that has slept, or a network that was away, leaves sockets that only look open. */
  #lookAgain() {
    if (document.hidden || this.#closed || performance.now() - this.#heardAt < SILENT_MS) return;
    clearTimeout(this.#timer);
    const before = this.#socket;
    this.#open();
    before?.close();
  }
}

async function isRefused() {
  const headers = { "X-GhostOS-Key": getKey() ?? "" };
  const answer = await fetch("/ghostos/do/check", { method: "POST", headers }).catch(() => null);
  return answer?.status === 403;
}
