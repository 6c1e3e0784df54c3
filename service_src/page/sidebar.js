// The list of conversations: open, rename, delete. On a narrow screen it slides over the page.

import { button, byId, h } from "./dom.js";
import { when } from "./format.js";

const NARROW = matchMedia("(max-width: 52rem)");

export class Sidebar {
  /** `actions`: open(id), rename(id, title), remove(id). */
  constructor(actions) {
    this.actions = actions;
    this.element = byId("sidebar");
    this.list = byId("conversations");
    this.toggle = byId("sidebar-toggle");
    this.scrim = byId("scrim");
    this.toggle.addEventListener("click", () => this.set(!this.shown));
    this.scrim.addEventListener("click", () => this.set(false));
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !NARROW.matches || !this.shown) return;
      event.stopPropagation();
      this.set(false);
      this.toggle.focus();
    });
    NARROW.addEventListener("change", () => this.set(!NARROW.matches));
    this.set(!NARROW.matches);
  }

  set(shown) {
    this.shown = shown;
    this.element.inert = !shown;
    document.body.classList.toggle("with-sidebar", shown);
    this.toggle.setAttribute("aria-expanded", String(shown));
    this.scrim.hidden = !shown || !NARROW.matches;
    if (shown && NARROW.matches) byId("new-conversation").focus();
  }

  /** Out of the way, where it covers the page. */
  leave() {
    if (NARROW.matches) this.set(false);
  }

  /** `busy` and `unread` are sets of ids. */
  show(conversations, current, busy, unread) {
    if (this.list.querySelector("input, .confirm")) return; // somebody is at it
    const focused = document.activeElement.closest("#conversations li")?.dataset.id;
    this.list.replaceChildren(...conversations.map((one) => this.#item(one, {
      current: one.id === current, busy: busy.has(one.id), unread: unread.has(one.id) })));
    byId("no-conversations").hidden = conversations.length > 0;
    if (focused) this.#focus(focused);
  }

  #item(conversation, { current, busy, unread }) {
    const { id, title, updated } = conversation;
    const note = busy ? "answering" : unread ? "new answer" : when(updated);
    const open = h("button", {
      type: "button", class: "conversation", "aria-current": current && "true",
      onclick: () => this.actions.open(id),
    }, h("span", { class: "title", text: title }),
    h("span", { class: busy || unread ? "note fresh" : "note", text: note }));
    const item = h("li", { "data-id": id }, open, h("div", { class: "tools" },
      button("edit", `Rename ${title}`, () => this.#rename(item, conversation)),
      button("delete", `Delete ${title}`, () => this.#confirm(item, conversation))));
    return item;
  }

  #focus(id) {
    this.list.querySelector(`[data-id="${id}"] .conversation`)?.focus();
  }

  #rename(item, { id, title }) {
    const input = h("input", { "aria-label": "Title", maxlength: 80 });
    input.value = title;
    let over = false;
    const end = (keep) => {
      if (over) return;
      over = true;
      const chosen = (keep && input.value.trim()) || title;
      const here = document.activeElement === input;
      item.replaceChildren();
      this.actions.rename(id, chosen);
      if (here) this.#focus(id);
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) end(true);
      if (event.key === "Escape") {
        event.stopPropagation();
        end(false);
      }
    });
    input.addEventListener("blur", () => end(true));
    item.replaceChildren(input);
    input.select();
  }

  #confirm(item, { id, title }) {
    const sure = button(null, "Delete", () => {
      item.replaceChildren();
      this.actions.remove(id);
      byId("new-conversation").focus();
    }, { shown: true, kind: "danger" });
    const keep = button(null, "Keep", () => {
      item.replaceChildren();
      this.actions.rename(id, title);
      this.#focus(id);
    }, { shown: true, kind: "quiet" });
    item.replaceChildren(h("div", { class: "confirm", role: "group",
      "aria-label": `Delete ${title}?` }, h("span", { class: "title", text: `Delete “${title}”?` }),
    keep, sure));
    sure.focus();
  }
}
