// Bodies beside the talk: each the picture that its own drawing makes, with handles for what can be moved in it.

import { button, el } from "./dom.js";
import { showHidden } from "./safe_text.js";

const STEP_SHARE = 0.02;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class BodyPanel {
  #bodies = new Map();
  isBusy = false;

  /**
   * @param {object} options
   * @param {() => void} options.onStop
   * @param {(body: string, handle: string, x: number, y: number) => void} options.onMove In units of the picture.
   */
  constructor({ onStop, onMove }) {
    this.onMove = onMove;
    this.list = el("div", { class: "list" });
    this.stop = button("Stop moving", onStop, { class: "stop", title: "Stops what moves, and the turn that runs" });
    this.element = el("aside", { class: "bodies", "aria-label": "Bodies", hidden: true }, this.list, this.stop);
  }

  /** @param {object[]} bodies As a frame has them. */
  show(bodies) {
    const names = new Set(bodies.map((body) => body.name));
    for (const [name, shown] of this.#bodies) {
      if (names.has(name)) continue;
      shown.element.remove();
      this.#bodies.delete(name);
    }
    for (const body of bodies) {
      if (!this.#bodies.has(body.name)) {
        this.#bodies.set(body.name, new BodyView(body, (handle, x, y) => this.onMove(body.name, handle, x, y)));
        this.list.append(this.#bodies.get(body.name).element);
      }
      this.#bodies.get(body.name).update(body);
    }
    this.element.hidden = !bodies.length;
    this.isBusy = bodies.some((body) => body.is_busy);
    this.element.classList.toggle("busy", this.isBusy);
  }
}

class BodyView {
  #handles = new Map();
  #isDecoding = false;
  #next = null;
  size = { width: 1, height: 1 };

  constructor(body, onMove) {
    this.onMove = onMove;
    this.picture = el("img", { alt: "", draggable: "false" });
    this.layer = el("div", { class: "handles" });
    this.text = el("p", { class: "label words" });
    this.frame = el("div", { class: "picture" }, this.picture, this.layer);
    this.element = el("figure", { class: "body", data: { body: body.name } }, this.frame, this.text);
  }

  update({ text, picture, handles }) {
    this.text.textContent = showHidden(text);
    this.frame.hidden = !picture;
    this.text.hidden = Boolean(picture); // the picture says it, too, and its text is its description
    if (picture) this.#readSize(picture);
    if (picture) this.#draw(`data:image/svg+xml;base64,${picture}`, text);
    this.#placeHandles(handles);
  }

  /** The next picture takes the place of the last one once it is ready: no flicker, and none is queued. */
  async #draw(source, text) {
    this.#next = { source, text };
    if (this.#isDecoding) return;
    this.#isDecoding = true;
    while (this.#next) {
      const { source: address, text: words } = this.#next;
      this.#next = null;
      const image = new Image();
      image.src = address;
      image.alt = words;
      image.draggable = false;
      await image.decode().catch(() => (this.text.hidden = false)); // a broken one: its words are shown instead
      this.picture.replaceWith(image);
      this.picture = image;
    }
    this.#isDecoding = false;
  }

  #placeHandles(handles) {
    const ids = new Set(handles.map((handle) => handle.id));
    for (const [id, shown] of this.#handles) {
      if (ids.has(id)) continue;
      shown.element.remove();
      this.#handles.delete(id);
    }
    for (const handle of handles) {
      let shown = this.#handles.get(handle.id);
      if (!shown) {
        shown = new Handle(handle, this);
        this.#handles.set(handle.id, shown);
        this.layer.append(shown.element);
      }
      shown.update(handle);
    }
  }

  /** Width and height of the picture, in its own units: those of its `viewBox`. */
  #readSize(picture) {
    const [, , width, height] = (/viewBox="([^"]+)"/.exec(atob(picture.slice(0, 400)))?.[1] ?? "").split(/[\s,]+/).map(Number);
    if (!(width > 0 && height > 0)) return;
    this.size = { width, height };
    this.frame.style.setProperty("--ratio", `${width} / ${height}`);
  }

  /** Where in the picture a pointer is, in its own units. */
  locate(event) {
    const box = this.picture.getBoundingClientRect();
    const { width, height } = this.size;
    return { x: ((event.clientX - box.left) / box.width) * width, y: ((event.clientY - box.top) / box.height) * height };
  }
}

class Handle {
  #grip = null; // where it is held: from its middle to the pointer, and whether it was moved
  #target = null; // where keys have asked it to be, until a picture shows it there

  constructor(handle, view) {
    this.handle = handle;
    this.view = view;
    const how = `${handle.label}, movable with the arrow keys`;
    this.element = button("", () => {}, { class: "handle", title: `${handle.label}: drag it, or use the arrow keys`, "aria-label": how });
    this.element.addEventListener("pointerdown", (event) => this.#hold(event));
    this.element.addEventListener("pointermove", (event) => this.#drag(event));
    this.element.addEventListener("pointerup", (event) => this.#drop(event));
    this.element.addEventListener("pointercancel", () => this.#letGo());
    this.element.addEventListener("keydown", (event) => this.#step(event));
  }

  update(handle) {
    if (handle.x !== this.handle.x || handle.y !== this.handle.y) this.#target = null;
    this.handle = handle;
    if (!this.#grip?.isMoved) this.#show(handle.x, handle.y);
  }

  #hold(event) {
    const { x, y } = this.view.locate(event);
    this.#grip = { x: x - this.handle.x, y: y - this.handle.y, isMoved: false };
    this.element.setPointerCapture(event.pointerId);
  }

  #drag(event) {
    if (!this.#grip) return;
    this.#grip.isMoved = true;
    const { x, y } = this.#place(event);
    this.#show(x, y);
  }

  #drop(event) {
    const isMoved = this.#grip?.isMoved;
    const { x, y } = isMoved ? this.#place(event) : this.handle;
    this.#grip = null;
    if (isMoved) this.view.onMove(this.handle.id, x, y);
  }

  #letGo() {
    this.#grip = null;
    this.#show(this.handle.x, this.handle.y);
  }

  #place(event) {
    const { x, y } = this.view.locate(event);
    return { x: x - this.#grip.x, y: y - this.#grip.y };
  }

  #step(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const length = this.view.size.width * STEP_SHARE;
    const { x, y } = this.#target ?? this.handle; // keys come faster than pictures
    this.#target = { x: x + step[0] * length, y: y + step[1] * length };
    this.view.onMove(this.handle.id, this.#target.x, this.#target.y);
  }

  #show(x, y) {
    const { width, height } = this.view.size;
    Object.assign(this.element.style, {
      left: `${((x - this.handle.w / 2) / width) * 100}%`,
      top: `${((y - this.handle.h / 2) / height) * 100}%`,
      width: `${(this.handle.w / width) * 100}%`,
      height: `${(this.handle.h / height) * 100}%`,
    });
  }
}
