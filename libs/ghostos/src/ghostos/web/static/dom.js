// Elements without markup: texts are set as text, never read as HTML.

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, any>} [props] `class`, `text`, `on` (listeners by event), `data` (data-*), else attributes;
 *   false, null and undefined leave one out.
 * @param {...(Node|string|null|false|undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "on") for (const [event, listen] of Object.entries(value)) node.addEventListener(event, listen);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * Make a button.
 * @param {string} label What it says, and what a screen reader says.
 * @param {() => unknown} onClick A double click calls it once. Where it returns a promise, further clicks do nothing
 *   until that has settled.
 * @param {Record<string, any>} [props]
 */
export function button(label, onClick, props = {}) {
  const act = once(onClick);
  return el("button", { type: "button", ...props, on: { click: (event) => event.detail < 2 && act(event) } }, label);
}

/**
 * What does something for one event at a time.
 * @param {(event: Event) => unknown} act
 */
export function once(act) {
  let isBusy = false;
  return async (event) => {
    if (isBusy) return;
    isBusy = true;
    try {
      await act(event);
    } finally {
      isBusy = false;
    }
  };
}

/**
 * Replace what an element holds, unless it is that already.
 * @param {Element} element
 * @param {Array<Node|string|null>} children
 */
export function setChildren(element, children) {
  const wanted = children.filter((child) => child !== null);
  const same =
    wanted.length === element.childNodes.length && wanted.every((child, index) => child === element.childNodes[index]);
  if (!same) element.replaceChildren(...wanted);
}
