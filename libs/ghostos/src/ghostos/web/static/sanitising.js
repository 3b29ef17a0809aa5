/** The last gate before the page: only what Markdown comes to, whatever the parser before it let through. */

import createDOMPurify from "./vendor/dompurify.js";

const TAGS =
  "p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code span div a em strong s table thead tbody tr th td".split(" ");
const ATTRIBUTES = ["class", "dir", "href", "rel", "start", "tabindex", "target"];
const OWN_CLASS = /^(hljs(-[a-z0-9_-]+)?|[a-z]+_|language-[a-z]+|code|line|table|hidden-mark|at-(left|center|right))$/;

const purify = createDOMPurify(window);
purify.setConfig({
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["dir", "start", "tabindex"], // all others are taken for addresses
  RETURN_DOM_FRAGMENT: true,
});
purify.addHook("uponSanitizeAttribute", (_node, attribute) => {
  if (attribute.attrName === "class") {
    attribute.attrValue = attribute.attrValue.split(/\s+/).filter((name) => OWN_CLASS.test(name)).join(" ");
    attribute.keepAttr = attribute.attrValue !== "";
  }
});
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("rel", "noopener noreferrer nofollow");
  node.setAttribute("target", "_blank");
});

/**
 * @param {string} html from anywhere
 * @returns {DocumentFragment} what of it may stand in the page
 */
export function sanitise(html) {
  return purify.sanitize(html);
}
