// What the connection is doing, said in words above the composer, and once aloud.

import { byId } from "./dom.js";
import { sentence } from "./notice.js";

const REASONS = {
  drain: "The server is being replaced.",
  lifetime: "The connection has lived its time.",
  lost: "The connection was lost.",
};
const SHORT_MS = 1_200;
/** A connection that comes at once needs no words. */

export class Status {
  #timer = null;
  #was = "ready";

  constructor(say, wake) {
    this.say = say;
    this.element = byId("status");
    this.words = byId("status-words");
    this.now = byId("reconnect");
    this.now.addEventListener("click", wake);
  }

  /** Forget what was: another conversation is open now. */
  reset() {
    this.#was = "off";
    this.reason = null;
  }

  /** Show a connection's state; returns what an answer that is due waits for, or null. */
  show(state) {
    clearTimeout(this.#timer);
    const was = this.#was;
    this.#was = state.name;
    document.body.dataset.connection = state.name;
    if (state.name === "waiting") return this.#waiting(state);
    if (state.name === "connecting") {
      if (was === "waiting") {
        this.#put(`${this.reason} Reconnecting…`);
        return "Reconnecting…";
      }
      this.#timer = setTimeout(() => this.#put("Connecting…"), SHORT_MS);
      return "Connecting…";
    }
    const came = state.name === "ready" && this.reason;
    this.reason = null;
    this.#put("");
    if (came) this.say("Connected again.");
    return null;
  }

  #waiting({ reason, until }) {
    const again = Boolean(this.reason);
    this.reason = REASONS[reason] ?? sentence(reason);
    if (!navigator.onLine) this.reason = "You are offline.";
    const count = () => {
      const seconds = Math.ceil((until - Date.now()) / 1_000);
      this.#put(seconds > 1 ? `${this.reason} Reconnecting in ${seconds}\u00a0s.`
        : `${this.reason} Reconnecting…`, seconds > 1);
      if (seconds > 1) this.#timer = setTimeout(count, 1_000);
    };
    count();
    if (!again) this.say(`${this.reason} Reconnecting.`);
    return "Reconnecting…";
  }

  #put(words, now = false) {
    this.words.textContent = words;
    this.element.hidden = !words;
    this.now.hidden = !now;
  }
}
