// Markdown to elements that can do no harm, in two layers: HTML in an answer is shown as the text
// it is, and whatever marked makes then passes DOMPurify's short list of what may stay.

import { Lexer, Marked } from "./vendor/marked.js";
import DOMPurify from "./vendor/dompurify.js";

const PLAIN_TAGS = /^<\/?(?:br|sub|sup|kbd|mark|details|summary)\s*\/?>$/i;
/** The HTML that people do write into Markdown; without attributes it can do nothing. */
const LINKS = /^(?:https?:\/\/|mailto:)/i;
const DEEPEST = 60;
/** Levels of lists or quotes in a line. Beyond, parsing takes far longer than reading. */
const NESTED = new RegExp(String.raw`^(?:[ \t]*(?:[-*+>]|\d{1,9}[.)])){${DEEPEST}}`, "m");
const HEADINGS_BELOW = 2;
/** The page has the first two levels. */

const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

const renderer = {
  html({ text }) {
    return text.split(/(<[^<>]*>)/).map((piece) => (PLAIN_TAGS.test(piece) ? piece : escaped(piece)))
      .join("");
  },
  heading({ tokens, depth }) {
    const level = Math.min(6, depth + HEADINGS_BELOW);
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
  },
  link({ href, tokens }) {
    return linked(href, this.parser.parseInline(tokens));
  },
  image({ href, text }) {
    return linked(href, `${escaped(text || "image")} (image)`); // loading it would tell on the reader
  },
  listitem({ task, tokens }) {
    return `<li${task ? ' class="task"' : ""}>${this.parser.parse(tokens)}</li>\n`;
  },
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  },
};

const linked = (href, shown) => (LINKS.test(href)
  ? `<a href="${escaped(href)}" title="${escaped(href)}">${shown}</a>` : shown);

const marked = new Marked({ gfm: true, renderer });
const purifier = DOMPurify(window);
const MAY_STAY = {
  ALLOWED_TAGS: ["a", "p", "br", "hr", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre",
    "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "sub", "sup", "kbd",
    "mark", "details", "summary"],
  ALLOWED_ATTR: ["href", "title", "align", "start", "class"],
  ADD_URI_SAFE_ATTR: ["align", "start"], // they hold no address
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: LINKS,
  RETURN_DOM_FRAGMENT: true,
};
purifier.addHook("uponSanitizeAttribute", (element, data) => {
  if (data.attrName === "class") {
    const { attrValue: value } = data;
    data.keepAttr = element.localName === "code" ? /^language-[\w+#.-]{1,30}$/.test(value)
      : element.localName === "li" && value === "task";
  }
});
purifier.addHook("afterSanitizeAttributes", (element) => {
  if (element.localName !== "a" || !element.hasAttribute("href")) return;
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noopener noreferrer");
});

/** Whatever HTML it is given, as a fragment that can do no harm. */
export const harmless = (html) => purifier.sanitize(html, MAY_STAY);

const highlighted = DOMPurify(window);
highlighted.addHook("uponSanitizeAttribute", (_, data) => {
  data.keepAttr = data.attrName === "class" && /^(?:(?:hljs-)?[\w-]+ ?)+$/.test(data.attrValue);
});

/** Spans with a class and text, as the highlighter makes them. */
export const onlySpans = (html) => highlighted.sanitize(html,
  { ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"], RETURN_DOM_FRAGMENT: true });

/** Blocks of Markdown; `links` are the references known so far, and are added to.
 *  Throws RangeError where it is nested too deeply to be worth parsing. */
export function blocks(source, links) {
  if (NESTED.test(source)) throw new RangeError("nested too deeply");
  const lexer = new Lexer(marked.defaults);
  lexer.tokens.links = links;
  return lexer.lex(source);
}

export const fragment = (tokens) => harmless(marked.parser(tokens));
