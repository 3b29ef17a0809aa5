// Keeps the end of what grows in sight, until its reader goes back.

const NEAR_THE_END_PX = 80;

export class StickyScroll {
  #lastTop = 0;

  /**
   * @param {object} options
   * @param {HTMLElement} options.scroller
   * @param {HTMLElement} options.latest Leads to the end; shown while that is out of sight.
   */
  constructor({ scroller, latest }) {
    this.scroller = scroller;
    this.latest = latest;
    this.sticks = true;
    this.observer = new ResizeObserver(() => this.#pin());
    this.observer.observe(scroller); // what is typed below takes its room
    scroller.addEventListener("scroll", () => this.#note());
    latest.addEventListener("click", () => this.toEnd());
  }

  /** Follow the growth of these parts of what is scrolled, and of no others. */
  watch(parts) {
    this.observer.disconnect();
    for (const part of [this.scroller, ...parts]) this.observer.observe(part);
  }

  toEnd() {
    this.sticks = true;
    this.#pin();
  }

  /** Have what is read stay where it is while something is put in above it. */
  async holdWhile(change) {
    this.sticks = false;
    const below = this.scroller.scrollHeight - this.scroller.scrollTop;
    await change();
    this.scroller.scrollTop = this.scroller.scrollHeight - below;
    this.#note();
  }

  close() {
    this.observer.disconnect();
  }

  #pin() {
    if (!this.sticks) return this.#note();
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#lastTop = this.scroller.scrollTop;
    this.latest.hidden = true;
  }

  /** Only who goes up leaves the end; what grows meanwhile does not. */
  #note() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
    if (isNear) this.sticks = true;
    else if (scrollTop < this.#lastTop) this.sticks = false;
    this.#lastTop = scrollTop;
    this.latest.hidden = this.sticks;
  }
}
