// Code blocks and tables as they are shown: a bar with a language and a copy button, colours.

import { button, copy, h, icon } from "./dom.js";
import { onlySpans } from "./markdown.js";

const LONGEST = 60_000;
/** Letters; beyond, colours are not worth the wait. */
const LANGUAGES = new Set(["bash", "c", "cpp", "csharp", "css", "diff", "dockerfile", "go", "ini",
  "java", "javascript", "json", "kotlin", "makefile", "php", "python", "ruby", "rust", "sql",
  "swift", "typescript", "xml", "yaml"]);
const ALSO = { sh: "bash", shell: "bash", zsh: "bash", console: "bash", "c++": "cpp", cs: "csharp",
  "c#": "csharp", patch: "diff", docker: "dockerfile", golang: "go", toml: "ini", js: "javascript",
  jsx: "javascript", mjs: "javascript", jsonc: "json", kt: "kotlin", make: "makefile", py: "python",
  rb: "ruby", rs: "rust", ts: "typescript", tsx: "typescript", html: "xml", svg: "xml",
  yml: "yaml" };
const COPIED_MS = 2_000;

/** A block of code. `copied` is told when it is on the clipboard. */
export function codeBlock(language, text, copied) {
  const code = h("code", { text });
  const label = language || "text";
  const copying = button("copy", `Copy ${label} code`, async () => {
    const done = await copy(code.textContent);
    copied(done ? "Code copied" : "The browser did not allow copying");
    if (done) flash(copying);
  });
  const pre = h("pre", { tabindex: 0, role: "group", "aria-label": `Code, ${label}` }, code);
  return h("div", { class: "code" }, h("div", { class: "code-bar" }, h("span", { text: label }),
    copying), pre);
}

/** Show for a moment that a copy was made. */
export function flash(pressed) {
  pressed.replaceChildren(icon("check"));
  setTimeout(() => pressed.replaceChildren(icon("copy")), COPIED_MS);
}

/** Dress what a fragment holds: code with its bar, tables that scroll by themselves. */
export function dress(fragment, copied) {
  for (const pre of fragment.querySelectorAll("pre")) {
    const inner = pre.querySelector("code");
    const language = /language-(\S+)/.exec(inner?.className ?? "")?.[1] ?? "";
    pre.replaceWith(codeBlock(language, (inner ?? pre).textContent.replace(/\n$/, ""), copied));
  }
  for (const table of fragment.querySelectorAll("table")) {
    const frame = h("div", { class: "table", tabindex: 0, role: "group", "aria-label": "Table" });
    table.replaceWith(frame);
    frame.append(table);
  }
  return fragment;
}

/** Colour the finished code blocks below `element`; languages are fetched when they are met. */
export async function colour(element) {
  for (const block of element.querySelectorAll(".code:not([data-coloured])")) {
    block.dataset.coloured = "";
    const code = block.querySelector("code");
    const said = block.querySelector(".code-bar span").textContent.toLowerCase();
    const language = ALSO[said] ?? said;
    if (!LANGUAGES.has(language) || code.textContent.length > LONGEST) continue;
    try {
      const [{ default: core }, { default: grammar }] = await Promise.all([
        import("./vendor/highlight.js"), import(`./vendor/languages/${language}.js`)]);
      if (!core.getLanguage(language)) core.registerLanguage(language, grammar);
      const text = code.textContent;
      const html = core.highlight(text, { language, ignoreIllegals: true }).value;
      const spans = onlySpans(html);
      if (spans.textContent === text) code.replaceChildren(spans);
    } catch {
      // Uncoloured code is still code.
    }
  }
}
