// Text areas that send: Enter sends, Shift+Enter begins a new line, and they grow with their text.

import { button, h } from "./dom.js";

const MOST_BYTES = 240 * 1024;
/** The service takes frames of 256 KB; the rest is for what goes with the text. */

/** Whether the text fits into a frame, as it is written there. */
export const fits = (text) => new TextEncoder().encode(JSON.stringify(text)).length <= MOST_BYTES;

/** Make `area` send on Enter. Not while an input method composes: its Enter means something else. */
export function sendsOnEnter(area, send) {
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  area.addEventListener("input", () => grow(area));
}

/** As high as its text, up to what the style sheet allows. */
export function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

/** A message being changed. `send(text)` and `cancel()` end it. */
export function editor(text, { send, cancel }) {
  const area = h("textarea", { "aria-label": "Edit message", rows: 1 });
  area.value = text;
  const done = () => {
    const changed = area.value.trim();
    if (changed && fits(changed)) send(changed);
  };
  sendsOnEnter(area, done);
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it ends the change, not an answer
    cancel();
  });
  requestAnimationFrame(() => grow(area));
  return h("div", { class: "editor" }, area,
    h("p", { class: "hint", text: "What follows this message is replaced." }),
    h("div", { class: "ways" }, button(null, "Cancel", cancel, { shown: true, kind: "quiet" }),
      button("send", "Send", done, { shown: true, kind: "primary" })));
}
