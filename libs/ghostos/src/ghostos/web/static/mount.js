// Puts the pane into Streamlit's page: as high as there is room, in the page's colours.

import { openPane } from "./pane.js";

/** By element; one for all versions of this module: a server that was updated comes back to pages that are open. */
const panes = (globalThis[Symbol.for("ghostos.panes")] ??= new WeakMap());
const MARGIN_PX = 10;
const LOWEST_PX = 320;
const LAST = "ghostos-last-thread";

/**
 * Called by Streamlit when the component appears, and whenever the script has run again.
 * @param {{data: {thread: string|null, is_new: boolean}, parentElement: ShadowRoot|HTMLElement, setTriggerValue: Function}} component
 * @returns {() => void} Called when it goes.
 */
export function mount({ data, parentElement, setTriggerValue }) {
  let shown = panes.get(parentElement);
  if (!shown) {
    const last = data.thread === null && !data.is_new ? sessionStorage.getItem(LAST) : null;
    shown = open(parentElement, { thread: data.thread ?? last, isLast: last !== null }, (thread) => shown.tell(thread));
    panes.set(parentElement, shown);
  }
  shown.tell = (thread) => setTriggerValue("thread", thread);
  if (data.thread !== null) sessionStorage.setItem(LAST, data.thread);
  if (data.thread !== null || data.is_new) shown.pane.show(data.thread);
  const call = {};
  shown.lastCall = call;
  return () => {
    if (shown.lastCall !== call) return; // Streamlit ends a call that a later one has overtaken: the pane stays
    shown.close();
    panes.delete(parentElement);
  };
}

function open(parent, options, onThread) {
  const root = document.createElement("div");
  root.className = "pane";
  parent.append(root);
  const fit = () => {
    const top = Math.max(0, root.getBoundingClientRect().top + (document.scrollingElement?.scrollTop ?? 0));
    root.style.height = `${Math.max(LOWEST_PX, window.innerHeight - top - MARGIN_PX)}px`;
  };
  const observer = new ResizeObserver(fit);
  observer.observe(document.documentElement);
  window.addEventListener("resize", fit);
  const keep = (thread) => {
    sessionStorage.setItem(LAST, thread);
    onThread(thread);
  };
  const pane = openPane(root, { ...options, onThread: keep });
  fit();
  return {
    pane,
    tell: onThread,
    close() {
      observer.disconnect();
      window.removeEventListener("resize", fit);
      pane.close();
      root.remove();
    },
  };
}
