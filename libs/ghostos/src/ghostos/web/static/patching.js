/** Make what stands in the page equal to what was rendered anew, and leave alone what is equal already. */

/**
 * @param {Element} element
 * @param {DocumentFragment | Element} wanted its nodes are used up
 * @param {number} [first] children before this one are not looked at
 */
export function patchChildren(element, wanted, first = 0) {
  const fresh = [...wanted.childNodes];
  const old = [...element.childNodes].slice(first);
  fresh.forEach((node, at) => {
    if (at >= old.length) element.append(node);
    else patchNode(old[at], node);
  });
  for (const node of old.slice(fresh.length)) node.remove();
}

function patchNode(old, wanted) {
  if (old.isEqualNode(wanted)) return;
  if (old.nodeType === Node.TEXT_NODE && wanted.nodeType === Node.TEXT_NODE) {
    patchText(old, wanted.data);
  } else if (old.nodeType === Node.ELEMENT_NODE && old.cloneNode().isEqualNode(wanted.cloneNode())) {
    patchChildren(old, wanted);
  } else {
    old.replaceWith(wanted);
  }
}

/** Text that only grows keeps what is selected in it. */
function patchText(node, text) {
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}
