// The form that takes a client key. A key is tried before it is believed.

import { models } from "./api.js";
import { byId } from "./dom.js";
import { keptKey } from "./store.js";

const SHAPE = /^ck_[A-Za-z0-9_-]{43}$/;
const PUBLIC = 8;
/** Of the 43: the client's id, which is no secret. */

export const clientOf = (key) => key.slice(3, 3 + PUBLIC);

/** Ask for a key; `signedIn(key, models)` is told of one that the service accepts. */
export class SignIn {
  constructor(signedIn) {
    this.signedIn = signedIn;
    this.form = byId("sign-in");
    this.key = byId("key");
    this.problem = byId("sign-in-problem");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("show-key").addEventListener("change", (event) => {
      this.key.type = event.target.checked ? "text" : "password";
    });
  }

  /** Show the form, and why, if there is a reason. */
  show(problem = "") {
    document.body.dataset.view = "signed-out";
    this.#say(problem);
    this.key.focus();
  }

  /** Take up the key that this tab was asked to remember, if there is one. */
  async resume(reason) {
    const key = keptKey.get();
    if (!key) return this.show(reason);
    byId("remember").checked = true;
    return this.#try(key);
  }

  async #submit() {
    const key = this.key.value.trim();
    if (!SHAPE.test(key)) {
      this.#say("A client key is ck_ and 43 letters, digits, dashes or underscores.");
      this.key.focus();
      return;
    }
    await this.#try(key);
  }

  async #try(key) {
    const button = byId("sign-in-button");
    button.disabled = true;
    this.#say("");
    try {
      const allowed = await models(key);
      if (byId("remember").checked) keptKey.set(key);
      else keptKey.forget();
      this.key.value = "";
      document.body.dataset.view = "chat";
      this.signedIn(key, allowed);
    } catch (refused) {
      if (refused.byKey) keptKey.forget();
      this.show(refused.byKey ? `This key was not accepted: ${refused.message}` : refused.message);
    } finally {
      button.disabled = false;
    }
  }

  #say(words) {
    this.problem.textContent = words;
    this.problem.hidden = !words;
    this.key.setAttribute("aria-invalid", String(Boolean(words)));
  }
}
