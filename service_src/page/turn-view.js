// One turn on the page: what was asked, what is answered, and what can be done with either.

import { AnswerView } from "./answer-view.js";
import { flash } from "./code.js";
import { button, copy, h } from "./dom.js";
import { editor } from "./editor.js";
import { count, dollars, tokens } from "./format.js";
import { noticeOf } from "./notice.js";
import { isOpen } from "./turns.js";

const CONTINUE = "Please continue where you stopped.";

/** Screen readers go from heading to heading. */
const heading = (who) => h("h2", { class: "unseen", text: who });

export class TurnView {
  #state = null;

  /** `actions`: retry(turn), edit(turn, text), send(text), say(words), nameOf(model). */
  constructor(turn, actions) {
    this.turn = turn;
    this.actions = actions;
    this.answer = new AnswerView(actions.say);
    this.asked = h("article", { class: "asked", "aria-label": "You" });
    this.footer = h("div", { class: "footer" });
    this.waiting = h("p", { class: "waiting" }, h("span", { class: "dots", "aria-hidden": "true" },
      h("i"), h("i"), h("i")), h("span", { class: "waiting-words" }));
    this.reply = h("article", { class: "reply", "aria-label": "Claude" },
      heading("Claude"), this.answer.element, this.waiting, this.footer);
    this.element = h("li", { class: "turn" }, this.asked, this.reply);
    this.#showAsked();
    this.update();
  }

  /** Bring what is shown up to what the turn holds. */
  update() {
    const { answer } = this.turn;
    const open = isOpen(this.turn);
    this.answer.update(answer.text, !open);
    this.reply.setAttribute("aria-busy", String(open));
    this.waiting.hidden = !open || (Boolean(answer.text) && !this.turn.stopping);
    const state = `${answer.state} ${answer.reason} ${this.turn.stopping}`;
    if (state === this.#state) return;
    this.#state = state;
    this.element.dataset.state = answer.state;
    this.waiting.lastChild.textContent = this.turn.stopping ? "Stopping…" : "Thinking…";
    this.asked.querySelector(".tools")?.toggleAttribute("hidden", open);
    this.footer.replaceChildren(...(open ? [] : this.#ending()));
  }

  /** Say that the answer waits for something else than Claude; null for nothing else. */
  hold(words) {
    if (isOpen(this.turn) && !this.turn.stopping) {
      this.waiting.lastChild.textContent = words ?? "Thinking…";
      this.waiting.hidden = !words && Boolean(this.turn.answer.text);
    }
  }

  edit() {
    if (isOpen(this.turn) || this.asked.querySelector("textarea")) return;
    const done = () => {
      this.#showAsked();
      this.asked.querySelector(".tools button")?.focus();
    };
    this.asked.classList.add("editing");
    this.asked.replaceChildren(heading("You"), editor(this.turn.text, {
      send: (text) => this.actions.edit(this.turn, text), cancel: done }));
    this.asked.querySelector("textarea").focus();
  }

  #showAsked() {
    this.asked.classList.remove("editing");
    const tools = h("div", { class: "tools", hidden: isOpen(this.turn) },
      button("edit", "Edit and send again", () => this.edit()),
      this.#copies(() => this.turn.text, "Copy message"));
    this.asked.replaceChildren(heading("You"), h("p", { class: "bubble", text: this.turn.text }), tools);
  }

  #ending() {
    const { turn, actions } = this;
    const notice = noticeOf(turn);
    const parts = [];
    if (notice) {
      const ways = [
        notice.retry && button("retry", "Try again", () => actions.retry(turn),
          { shown: true, kind: "quiet" }),
        notice.edit && button("edit", "Edit message", () => this.edit(),
          { shown: true, kind: "quiet" }),
        notice.more && button("more", "Continue", () => actions.send(CONTINUE),
          { shown: true, kind: "quiet" })].filter(Boolean);
      parts.push(h("div", { class: `notice ${notice.tone}` },
        h("p", {}, h("strong", { text: notice.title }), ` ${notice.words}`),
        ways.length ? h("div", { class: "ways" }, ...ways) : null));
    }
    const tools = h("div", { class: "tools" });
    if (turn.answer.text) tools.append(this.#copies(() => turn.answer.text, "Copy answer"));
    if (!notice?.retry && notice?.tone !== "bad") tools.append(button("retry", "Answer again", () => actions.retry(turn)));
    tools.append(h("p", { class: "facts", text: this.#facts() }));
    return [...parts, tools];
  }

  #facts() {
    const { answer } = this.turn;
    if (answer.state !== "done" || !answer.usage) return "";
    const { input, output } = tokens(answer.usage);
    return [this.actions.nameOf(answer.model), `${count(input)} in, ${count(output)} out`,
      dollars(answer.cost)].filter(Boolean).join(" · ");
  }

  #copies(text, label) {
    const pressed = button("copy", label, async () => {
      const done = await copy(text());
      this.actions.say(done ? "Copied" : "The browser did not allow copying");
      if (done) flash(pressed);
    });
    return pressed;
  }
}
