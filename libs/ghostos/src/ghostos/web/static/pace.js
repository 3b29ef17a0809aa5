/** Work that is asked for more often than it can be afforded: done at once while it is cheap, else less often. */

const FREE_MS = 1;

export class Pace {
  #work;
  #share;
  #dueAt = 0;
  #cost = 0;
  #timer = null;

  /**
   * @param {() => void} work
   * @param {{share?: number}} [options] share: the part of all time that it may take, as measured by itself
   */
  constructor(work, { share = 0.1 } = {}) {
    this.#work = work;
    this.#share = share;
  }

  /** Whether something was asked for that is not done yet. */
  get isWaiting() {
    return this.#timer !== null;
  }

  /** Do the work now, or as soon as its share of time allows; however often it is asked for by then, once. */
  request() {
    const wait = this.#dueAt - performance.now();
    if (wait <= 0) this.run();
    else this.#timer ??= setTimeout(() => this.run(), wait);
  }

  /** Do the work now, whatever it costs. */
  run() {
    this.cancel();
    const start = performance.now();
    this.#work();
    const end = performance.now();
    const cost = Math.min(this.#cost, end - start); // once more than usual was the machine, not the work
    this.#cost = end - start;
    this.#dueAt = cost < FREE_MS ? 0 : end + cost * (1 / this.#share - 1);
  }

  /** Drop what waits. */
  cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
