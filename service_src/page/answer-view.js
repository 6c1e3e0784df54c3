// An answer as it grows. What can no longer change is rendered once and left alone; only the last
// block is rendered anew, once a frame at most, and less often when that takes long.

import { codeBlock, colour, dress } from "./code.js";
import { h } from "./dom.js";
import { blocks, fragment } from "./markdown.js";

const SHARE = 4;
/** Of the time between two renderings, rendering itself takes no more than one part in so many. */

export class AnswerView {
  #text = "";
  #final = false;
  #settled = 0;
  #links = {};
  #referred = false;
  #tail = [];
  #code = null;
  #plain = null;
  #due = null;
  #notBefore = 0;

  /** `copied` is told when code of this answer is on the clipboard. */
  constructor(copied) {
    this.element = h("div", { class: "answer" });
    this.copied = copied;
  }

  /** Show `text`, which nearly always grows; `final` when it has ended. */
  update(text, final) {
    if (text.length < this.#text.length) this.#again();
    this.#text = text;
    this.#final = final;
    this.element.classList.toggle("growing", !final);
    this.#due ??= requestAnimationFrame((now) => this.#frame(now));
  }

  /** Draw what is due now, where the page itself is drawn anew. */
  flush() {
    if (this.#due === null) return;
    cancelAnimationFrame(this.#due);
    this.#render();
  }

  #frame(now) {
    if (now < this.#notBefore && !this.#final) {
      this.#due = requestAnimationFrame((later) => this.#frame(later));
      return;
    }
    this.#render();
  }

  #render() {
    this.#due = null;
    this.#text = this.#text.replaceAll("\r", ""); // as the parser counts letters
    const began = performance.now();
    if (!this.#plain) {
      try {
        this.#grow();
      } catch {
        // Nested so deeply that no parser follows: its words are what matters.
        this.#plain = document.createTextNode("");
        this.element.replaceChildren(h("p", { class: "plain" }, this.#plain));
      }
    }
    if (this.#plain) this.#plain.appendData(this.#text.slice(this.#plain.length));
    const ended = performance.now();
    this.#notBefore = ended + (ended - began) * SHARE;
  }

  #grow() {
    let tokens = this.#read();
    if (this.#final && this.#settled && this.#referred) {
      this.#again();
      tokens = this.#read();
    }
    if (!this.#final && this.#code?.grow(tokens)) return;
    let last = this.#final ? tokens.length : tokens.length - 1;
    while (last > 0 && !this.#final && tokens[last]?.type === "space") last -= 1;
    const done = tokens.slice(0, last);
    const open = tokens.slice(Math.max(0, last));
    for (const node of this.#tail) node.remove();
    this.#code = null;
    if (done.length) {
      this.#settled += done.reduce((sum, token) => sum + token.raw.length, 0);
      for (const { type, tag, href, title } of done) {
        if (type === "def") this.#links[tag] ??= { href, title };
      }
      this.element.append(dress(fragment(done), this.copied));
      colour(this.element);
    }
    this.#tail = this.#open(open);
    this.element.append(...this.#tail);
  }

  /** What is not settled, in blocks. What its last block defines is not kept: half an address may
   *  have come, and the first definition of a reference is the one that counts. */
  #read() {
    const links = { ...this.#links };
    const tokens = blocks(this.#text.slice(this.#settled), links);
    this.#referred ||= Object.keys(links).length > 0;
    return tokens;
  }

  /** The nodes of what may still change. A block of code among them grows by itself. */
  #open(tokens) {
    if (tokens.length === 1 && isFence(tokens[0])) {
      const language = /^\S*/.exec(tokens[0].lang ?? "")[0];
      const element = codeBlock(language, tokens[0].text, this.copied);
      const letters = element.querySelector("code").firstChild
        ?? element.querySelector("code").appendChild(document.createTextNode(""));
      this.#code = { grow: (now) => grown(now, tokens[0], letters) };
      return [element];
    }
    return tokens.length ? [...dress(fragment(tokens), this.copied).childNodes] : [];
  }

  /** Begin anew: a reference may have been defined below where it is used. */
  #again() {
    this.#settled = 0;
    this.#links = {};
    this.#plain = null;
    this.#tail = [];
    this.#code = null;
    this.element.replaceChildren();
  }
}

const isFence = (token) => token.type === "code" && token.codeBlockStyle !== "indented";

/** Add to an open block of code what came since; false if it is no longer alone. */
function grown(tokens, before, letters) {
  const [token] = tokens;
  if (tokens.length !== 1 || !isFence(token) || token.lang !== before.lang) return false;
  if (!token.text.startsWith(letters.data)) return false;
  letters.appendData(token.text.slice(letters.data.length));
  return true;
}
