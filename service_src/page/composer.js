// Where messages are written: one button that sends, and stops while an answer is on its way.

import { byId } from "./dom.js";
import { fits, grow, sendsOnEnter } from "./editor.js";

export class Composer {
  #drafts = new Map();
  #of = null;

  /** `actions`: send(text), stop(), editLast(). */
  constructor(actions) {
    this.actions = actions;
    this.area = byId("message");
    this.sendButton = byId("send");
    this.stopButton = byId("stop");
    this.problem = byId("composer-problem");
    sendsOnEnter(this.area, () => this.#send());
    this.area.addEventListener("input", () => this.#tell());
    this.area.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowUp" || this.area.value || this.busy) return;
      event.preventDefault();
      actions.editLast();
    });
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.stopButton.addEventListener("click", () => actions.stop());
  }

  /** Show the draft of this conversation; what was written for another is kept for it. */
  open(id) {
    if (this.#of) this.#drafts.set(this.#of, this.area.value);
    this.#of = id;
    this.put(this.#drafts.get(id) ?? "");
  }

  put(text) {
    this.area.value = text;
    grow(this.area);
    this.#tell();
  }

  focus() {
    this.area.focus();
  }

  /** The same, unless that would push up a phone's keyboard that nobody asked for. */
  settle() {
    if (!matchMedia("(hover: none)").matches) this.focus();
  }

  /** While an answer is on its way the next message can be written, not sent. */
  set answering(busy) {
    if (busy === this.busy) return;
    const focused = [this.sendButton, this.stopButton].includes(document.activeElement);
    this.busy = busy;
    this.stopButton.hidden = !busy;
    this.sendButton.hidden = busy;
    if (focused) this.focus();
    this.#tell();
  }

  #tell() {
    const text = this.area.value.trim();
    const long = !fits(text);
    this.sendButton.disabled = !text || long;
    this.problem.hidden = !long;
    this.problem.textContent = long ? "This message is too long to send in one piece." : "";
  }

  #send() {
    const text = this.area.value.trim();
    if (this.busy || !text || !fits(text)) return;
    this.put("");
    this.actions.send(text);
  }
}
