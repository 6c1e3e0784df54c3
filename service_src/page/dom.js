// Elements without a framework: made here, always from text, never from a string of HTML.

export const byId = (id) => document.getElementById(id);

/** An element. `on…` properties are listeners, `text` its text, all others attributes; those that
 *  are null, undefined or false are left out, true stands for an empty value. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawing out of the page's sprite, for the eye alone. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** A button with a drawing, and a label that is read aloud where it is not shown. */
export function button(drawing, label, onclick, { shown = false, kind = "ghost", ...rest } = {}) {
  const words = shown ? h("span", { text: label }) : null;
  const name = shown ? {} : { "aria-label": label, title: label };
  return h("button", { type: "button", class: kind, onclick, ...name, ...rest },
    drawing ? icon(drawing) : null, words);
}

/** Letters that nobody guesses; crypto.randomUUID is missing where the page came over plain HTTP. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Put text on the clipboard; true if it is there. Plain HTTP has only the old way. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const area = h("textarea", { class: "out-of-sight", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }
}
