/** Markdown as this page reads it: CommonMark with tables, no HTML, no images, links that are safe to follow. */

import { findLanguage } from "./highlighting.js";
import { escapeHtml, markHidden } from "./safe_text.js";
import MarkdownIt from "./vendor/markdown-it.js";

const SAFE_ADDRESS = /^(?:https?:\/\/|mailto:)/i;
const BLOCKS = "paragraph heading blockquote bullet_list ordered_list th td".split(" ").map((name) => `${name}_open`);

const parser = new MarkdownIt({ html: false, linkify: true });
parser.validateLink = () => true; // what may not be followed is shown, by `tameLinks`
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
parser.linkify.add("ftp:", null).add("//", null);
parser.core.ruler.at("normalize", (state) => {
  state.src = state.src.replace(/\r\n?/g, "\n"); // and a NUL stays, to be shown as one
});
parser.core.ruler.disable("strip_references"); // they are not drawn either way, and a growing text must know of them
parser.core.ruler.push("own", (state) => {
  state.tokens.forEach(arrangeBlock);
  for (const token of state.tokens) {
    if (token.children) tameLinks(token.children);
  }
});

/**
 * @param {string} text
 * @param {{references?: object}} [definitions] those of links that came before; what the text defines is added
 * @returns {object[]} markdown-it's tokens
 */
export function parseMarkdown(text, definitions = {}) {
  return parser.parse(text, definitions);
}

/**
 * @param {object[]} tokens whole blocks
 * @returns {{html: string, codes: {language: string, text: string}[]}} html: not sanitised yet, its blocks of code empty;
 *   codes: what belongs into them, in order
 */
export function renderTokens(tokens) {
  const codes = [];
  return { html: markHidden(parser.renderer.render(tokens, parser.options, { codes })), codes };
}

/**
 * Give a block the direction of its own text; the alignment of a table's column becomes a class.
 *
 * Text in a list item has the direction of the list, on whose side the bullet stands.
 */
function arrangeBlock(token, at, tokens) {
  const isInItem = token.type === "paragraph_open" && tokens[at - 1]?.type === "list_item_open";
  if (BLOCKS.includes(token.type) && !isInItem) token.attrSet("dir", "auto");
  const alignment = /^text-align:(left|center|right)$/.exec(token.attrGet("style") ?? "");
  token.attrs = token.attrs?.filter(([name]) => name !== "style") ?? null;
  if (alignment) token.attrSet("class", `at-${alignment[1]}`);
}

/** Turn links that may not be followed back into text, and tell images from links to them. */
function tameLinks(tokens) {
  const open = [];
  for (const token of tokens) {
    if (token.type === "link_open") {
      open.push({ token, isSafe: SAFE_ADDRESS.test(token.attrGet("href")) });
      token.attrs = [["href", token.attrGet("href")]];
    } else if (token.type === "link_close") {
      const link = open.pop();
      if (!link.isSafe) showLink(link.token, token);
    } else if (token.type === "image") {
      token.meta = { isInLink: open.some((link) => link.isSafe) };
    }
  }
}

/** Text instead of a link, much as it was written. */
function showLink(open, close) {
  const isBare = open.markup === "autolink" || open.markup === "linkify";
  open.content = isBare ? "<" : "[";
  close.content = isBare ? ">" : `](${open.attrGet("href")})`;
  for (const token of [open, close]) Object.assign(token, { type: "text", tag: "", nesting: 0 });
}

function renderImage(tokens, at, options, env, renderer) {
  const { children, attrs, meta } = tokens[at];
  const address = Object.fromEntries(attrs).src;
  const text = escapeHtml(`[image: ${renderer.renderInlineAsText(children, options, env)}]`);
  const isLink = !meta.isInLink && /^https?:\/\//i.test(address);
  return isLink ? `<a href="${escapeHtml(address)}">${text}</a>` : text;
}

/**
 * @param {object} token a fence or other block of code
 * @returns {{language: string, text: string}} language: one that is known, or empty; text: without the last line's end
 */
export function readCode(token) {
  const name = /^\S*/.exec(parser.utils.unescapeAll(token.info).trim())[0];
  return { language: findLanguage(name), text: token.content.replace(/\n$/, "") };
}

function renderCode(tokens, at, _options, env) {
  const code = readCode(tokens[at]);
  env.codes.push(code);
  const name = code.language ? `hljs language-${code.language}` : "hljs";
  return `<pre class="code" dir="ltr"><code class="${name}"></code></pre>\n`;
}

Object.assign(parser.renderer.rules, {
  image: renderImage,
  fence: renderCode,
  code_block: renderCode,
  table_open: () => '<div class="table" tabindex="0"><table>\n',
  table_close: () => "</table></div>\n",
});
