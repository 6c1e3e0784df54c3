// Light or dark: as the system has it, until somebody chooses. Loaded before the first paint, so
// it is no module, and the page never flashes in the other colours.
(() => {
  const ORDER = ["system", "light", "dark"];
  const root = document.documentElement;
  const kept = () => {
    try {
      return localStorage.getItem("wish:theme") ?? "system";
    } catch {
      return "system";
    }
  };
  const set = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  set(kept());
  addEventListener("DOMContentLoaded", () => {
    const toggle = document.getElementById("theme");
    const tell = () => {
      toggle.dataset.now = kept();
      toggle.title = `Theme: ${kept()}`;
      toggle.setAttribute("aria-label", `Theme: ${kept()}. Change`);
    };
    tell();
    toggle.addEventListener("click", () => {
      const next = ORDER[(ORDER.indexOf(kept()) + 1) % ORDER.length];
      try {
        localStorage.setItem("wish:theme", next);
      } catch {
        // Kept for this visit at least.
      }
      set(next);
      tell();
    });
  });
})();
