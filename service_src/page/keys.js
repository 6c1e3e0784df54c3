// Shortcuts of the whole page.

/** `actions`: begin(), stop(), compose(). */
export function shortcuts(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      actions.begin();
    } else if (event.key === "Escape") {
      actions.stop();
    } else if (event.key === "/" && !typing(event.target)) {
      event.preventDefault();
      actions.compose();
    }
  });
}

const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
