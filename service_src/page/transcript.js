// The open conversation on the page, and where it is scrolled to.

import { h } from "./dom.js";
import { TurnView } from "./turn-view.js";
import { isOpen } from "./turns.js";

const NEAR_PX = 64;

export class Transcript {
  #views = new Map();
  #sticks = true;
  #top = 0;
  #session = null;

  constructor({ scroller, list, jump, empty }, actions) {
    Object.assign(this, { scroller, list, jump, empty, actions });
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    jump.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#grown()).observe(list);
    new ResizeObserver(() => this.#grown()).observe(scroller);
  }

  /** Show this conversation. */
  show(session) {
    const other = session !== this.#session;
    this.#session = session;
    const { turns } = session.conversation;
    if (other) this.#views.clear();
    for (const [id] of this.#views) {
      if (!turns.some((turn) => turn.id === id)) this.#views.delete(id);
    }
    for (const turn of turns) {
      if (this.#views.get(turn.id)?.turn !== turn) this.#views.set(turn.id, new TurnView(turn, this.actions));
    }
    const views = turns.map((turn) => this.#views.get(turn.id));
    this.list.replaceChildren(...views.map((view) => view.element));
    for (const view of views) view.answer.flush();
    this.empty.hidden = views.length > 0;
    this.list.hidden = views.length === 0;
    this.toEnd();
  }

  update(turn) {
    this.#views.get(turn.id)?.update();
  }

  hold(words) {
    for (const view of this.#views.values()) view.hold(words);
  }

  /** Change the last message, as the arrow key asks. */
  editLast() {
    [...this.#views.values()].at(-1)?.edit();
  }

  toEnd() {
    this.#sticks = true;
    this.#down();
    this.jump.hidden = true;
  }

  get #fromEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Only the reader's own scrolling lets go of the end, or takes it up again. What grows never
   *  moves the page up, and what shrinks leaves it at the end. */
  #scrolled() {
    const { scrollTop } = this.scroller;
    const up = scrollTop < this.#top;
    this.#top = scrollTop;
    if (up) this.#sticks = this.#fromEnd < 2;
    else if (this.#fromEnd < NEAR_PX) this.#sticks = true;
    this.jump.hidden = this.#sticks || this.#fromEnd < NEAR_PX;
  }

  #down() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#top = this.scroller.scrollTop;
  }

  #grown() {
    if (this.#sticks) this.#down();
    else this.jump.hidden = this.#fromEnd < NEAR_PX;
    const open = this.#session?.conversation.turns.some(isOpen);
    this.jump.dataset.growing = String(Boolean(open));
  }
}

/** Words to begin with, where nothing is said yet. */
export function suggestions(element, choose) {
  const words = [
    ["Explain", "a piece of code, line by line"],
    ["Compare", "two options in a table"],
    ["Draft", "a short, friendly e-mail"],
    ["Plan", "a project in small steps"],
  ];
  element.replaceChildren(...words.map(([verb, rest]) => h("button", {
    type: "button", class: "suggestion", onclick: () => choose(`${verb} `),
  }, h("strong", { text: verb }), ` ${rest}`)));
}
