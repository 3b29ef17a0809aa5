// The websocket of one thread: comes again by itself, and then asks for what it has not got.

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

export class Connection {
  #socket = null;
  #timer = 0;
  #wait = FIRST_WAIT_MS;
  #closed = false;

  /**
   * @param {object} options
   * @param {string|null} options.thread Name of a thread; null for none yet.
   * @param {boolean} [options.bodies] Whether bodies are shown, too.
   * @param {() => number} options.seen Up to which message all is there that is stored.
   * @param {(items: object[]) => void} options.onItems
   * @param {(isOpen: boolean) => void} options.onState
   */
  constructor({ thread, bodies = false, seen, onItems, onState }) {
    this.thread = thread;
    this.bodies = bodies;
    this.seen = seen;
    this.onItems = onItems;
    this.onState = onState;
    this.#open();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open() {
    this.#timer = 0;
    const query = new URLSearchParams({ seq: String(this.seen()) });
    if (this.thread !== null) query.set("thread", this.thread);
    if (this.bodies) query.set("bodies", "1");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ghostos/live?${query}`);
    this.#socket = socket;
    socket.addEventListener("open", () => this.onState(true));
    socket.addEventListener("message", (event) => {
      if (this.#closed || this.#socket !== socket) return;
      const items = JSON.parse(event.data);
      this.#wait = FIRST_WAIT_MS;
      if (items.some((item) => item.kind === "gone" || (item.kind === "error" && item.is_final))) this.#closed = true;
      this.onItems(items);
    });
    socket.addEventListener("close", () => {
      if (this.#closed || this.#socket !== socket) return;
      this.onState(false);
      this.#timer = setTimeout(() => this.#open(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    });
  }
}
