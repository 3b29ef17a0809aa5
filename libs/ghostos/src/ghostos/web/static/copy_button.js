/** The button beside code that copies it. */

import { readSafeText } from "./safe_text.js";

const SHOWN_MS = 1500;

/**
 * @param {string} label whose code it is, for those who do not see where it stands; empty: just code
 * @returns {HTMLButtonElement} its clicks are heard where `hearCopying` was called
 */
export function createCopyButton(label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", label ? `Copy code: ${label}` : "Copy code");
  return button;
}

/**
 * Let the copy buttons in this element, now and later, copy the code of their `.code-block`.
 *
 * @param {Element} element
 */
export function hearCopying(element) {
  element.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.copy");
    if (!button) return;
    const isCopied = await copy(readSafeText(button.closest(".code-block").querySelector("code")));
    tell(button, isCopied ? "Copied" : "Not copied");
  });
}

/** Say it on the button, which has the focus: its name is read out when it changes. */
function tell(button, outcome) {
  const label = button.dataset.label ?? button.getAttribute("aria-label");
  button.dataset.label = label;
  button.textContent = outcome;
  button.setAttribute("aria-label", outcome);
  setTimeout(() => {
    button.textContent = "Copy";
    button.setAttribute("aria-label", label);
    delete button.dataset.label;
  }, SHOWN_MS);
}

/** Pages from other machines than one's own, without TLS, have no clipboard; there the browser is asked the old way. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text);
  }
}

function copyFromField(text) {
  const field = document.createElement("textarea");
  const focused = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return isCopied;
}
